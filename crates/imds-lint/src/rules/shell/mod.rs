//! Rules over shell scripts.

mod install;
mod launch;
mod region;
mod requests;
mod tokens;

use crate::model::shell::request::{self, Request};
use crate::model::shell::script::Script;
use crate::syntax::tree::NodeId;
use crate::text::mapped::Mapped;

use super::catalogue::RuleId;
use super::finding::Finding;

pub use tokens::Tokens;
pub(crate) use tokens::references;

/// A script under judgement.
#[derive(Debug)]
pub struct Judged<'s, 't> {
    /// The script.
    pub script: &'s Script<'t>,
    /// Where its text stands in the file.
    pub mapped: &'s Mapped,
    /// Its requests.
    pub requests: Vec<Request>,
    /// Its session tokens.
    pub tokens: Tokens,
}

/// A finding, and the request that it is about, by its number.
pub type Found = (Finding, Option<usize>);

impl<'s, 't> Judged<'s, 't> {
    /// Reads the requests of a script.
    #[must_use]
    pub fn new(script: &'s Script<'t>, mapped: &'s Mapped) -> Self {
        let requests = request::all(script);
        let tokens = Tokens::of(script, &requests);
        Self { script, mapped, requests, tokens }
    }

    /// Everything that the rules find.
    #[must_use]
    pub fn findings(&self) -> Vec<Found> {
        let mut found = requests::judge(self);
        let others = [tokens::judge, region::judge, launch::judge, install::judge];
        found.extend(others.iter().flat_map(|rule| rule(self)).map(|finding| (finding, None)));
        found
    }

    fn finding(&self, rule: RuleId, node: NodeId, message: impl Into<String>) -> Finding {
        let span = self.script.tree.span(node);
        let inner_line = self.mapped.inner_line(span.start);
        Finding { inner_line, ..Finding::new(rule, self.mapped.origin(span), message) }
    }
}
