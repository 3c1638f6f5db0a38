//! JMESPath, as in `--query` of the AWS CLI.
//!
//! The `jmespath` crate parses; the evaluation is ours, because that crate sorts the keys of
//! objects, and the AWS CLI (`jmespath.py`) keeps them in order.

mod functions;
mod interpret;
mod literals;

use jmespath::ast::Ast;
use serde_json::Value;

use crate::exit::Exit;
use crate::report::Failure;

/// Longest expression, in bytes.
const LONGEST: usize = 4096;
/// Deepest nesting of brackets, parentheses, `!` and `&`. The parser recurses once per level.
const DEEPEST: usize = 32;
/// Most operators. A chain such as `a.b.c` is evaluated by recursion, one level per operator.
const MOST_OPERATORS: usize = 200;

/// A query that was checked before any request is sent.
#[derive(Debug)]
pub(crate) struct Query {
    expression: String,
    ast: Ast,
}

impl Query {
    /// Parses the expression, and checks the names of its functions.
    pub(crate) fn parse(expression: &str) -> Result<Self, Failure> {
        let refused = |reason: String| {
            let shown = imds_model::printable::brief(expression);
            Failure::usage(format!("cannot parse query `{shown}`")).caused_by(reason)
        };
        check_bounds(expression).map_err(refused)?;
        let ast = jmespath::parse(&literals::as_json(expression)).map_err(|error| {
            let reason = error.to_string();
            refused(reason.lines().next().unwrap_or_default().to_owned())
        })?;
        functions::check_names(&ast).map_err(refused)?;
        Ok(Self { expression: expression.to_owned(), ast })
    }

    /// Returns what the expression finds in the value.
    pub(crate) fn search(&self, value: &Value) -> Result<Value, Failure> {
        interpret::search(&self.ast, value).map_err(|reason| {
            let shown = imds_model::printable::brief(&self.expression);
            Failure::told(Exit::Unexpected, format!("cannot apply query `{shown}`")).caused_by(reason)
        })
    }
}

/// Refuses what would exhaust the parser's stack or memory. Counts openings without looking at
/// quotes: a text with more than [`DEEPEST`] of them in a row is no query that a person writes.
fn check_bounds(expression: &str) -> Result<(), String> {
    if expression.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    if expression.matches(['.', '|', '&', '[', '!', '<', '>', '=']).count() > MOST_OPERATORS {
        return Err(format!("it has more than {MOST_OPERATORS} operators"));
    }
    let (mut open, mut prefixes) = (0usize, 0usize);
    for character in expression.chars() {
        match character {
            '[' | '(' | '{' => open += 1,
            ']' | ')' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        // A run of prefix operators nests as brackets do; the operand ends it.
        match character {
            '!' | '&' => prefixes += 1,
            ' ' | '[' | '(' | '{' => {}
            _ => prefixes = 0,
        }
        if open + prefixes > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
