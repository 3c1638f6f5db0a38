//! What a rule found, and what would fix it.

use crate::text::mapped::Span;

use super::catalogue::{Rule, RuleId};

/// One change of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace.
    pub span: Span,
    /// What replaces them.
    pub text: String,
}

/// Something that a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// Where, in the file.
    pub span: Span,
    /// What is wrong here.
    pub message: String,
    /// The text that it was found in, if that is embedded.
    pub within: Option<String>,
    /// The line of that text, where it is decoded and has no lines in the file.
    pub inner_line: Option<usize>,
    /// Changes that fix it and keep what the script does; empty if there are none that are certain
    /// to.
    pub edits: Vec<Edit>,
}

impl Finding {
    /// A finding without a fix.
    #[must_use]
    pub fn new(rule: RuleId, span: Span, message: impl Into<String>) -> Self {
        Self { rule, span, message: message.into(), within: None, inner_line: None, edits: Vec::new() }
    }

    /// Its rule.
    #[must_use]
    pub fn rule(&self) -> &'static Rule {
        self.rule.rule()
    }
}

/// Text that was not checked, and why: it is never "clean".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where, in the file.
    pub span: Span,
    /// Why.
    pub reason: String,
}
