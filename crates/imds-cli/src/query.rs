//! JMESPath, as in `--query` of the AWS CLI.

use serde_json::Value;

use crate::exit::Exit;
use crate::report::Failure;

/// A query that is known to be well formed before anything is asked.
#[derive(Debug)]
pub(crate) struct Query(jmespath::Expression<'static>);

impl Query {
    /// Parses the expression.
    pub(crate) fn parse(expression: &str) -> Result<Self, Failure> {
        jmespath::compile(expression).map(Self).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().next().unwrap_or_default().to_owned();
            Failure::usage(format!("query `{expression}` is not JMESPath")).caused_by(reason)
        })
    }

    /// What the expression finds in the value.
    pub(crate) fn search(&self, value: &Value) -> Result<Value, Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            let reason = error.to_string();
            let reason = reason.lines().next().unwrap_or_default().to_owned();
            Failure::told(Exit::Unexpected, format!("query `{}` failed", self.0.as_str())).caused_by(reason)
        };
        let found = self.0.search(value).map_err(|error| failed(&error))?;
        serde_json::to_value(found).map_err(|error| failed(&error))
    }
}
