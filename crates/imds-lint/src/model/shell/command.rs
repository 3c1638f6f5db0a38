//! Commands and their words.

use crate::syntax::tree::NodeId;

use super::script::Script;
use super::words::{self, Arguments, Word};

/// A command and its words.
#[derive(Clone, Debug)]
pub struct Command {
    /// The node `command` (or `declaration_command`).
    pub node: NodeId,
    /// Its words, the name first.
    pub words: Vec<Word>,
}

impl Command {
    /// The name without its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |word| base_name(&word.text))
    }
}

/// The last part of a path.
#[must_use]
pub fn base_name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

impl Script<'_> {
    /// The words of a command, `$1`... being `arguments`.
    #[must_use]
    pub fn command(&self, node: NodeId, arguments: Arguments<'_>) -> Command {
        let mut all = Vec::new();
        for child in self.tree.children(node) {
            if let Some("name" | "argument") = self.tree.field_of(child) {
                all.extend(words::expand(self, child, arguments));
            }
        }
        Command { node, words: all }
    }
}
