//! The house rules of CONTRIBUTING.md that no other tool checks.

mod rules;
mod source;

use std::fmt;
use std::process::Command;

use source::Source;

use crate::workspace;

/// A place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    rule: String,
}

impl Finding {
    fn new(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { place: place.into(), rule: rule.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.rule)
    }
}

pub(crate) fn run(_arguments: &[String]) -> Result<(), String> {
    let root = workspace::root();
    // Files that are new and not ignored count too, so that the check says the same before and after the commit.
    let list = workspace::output_of(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(&root),
    )?;
    let mut sources = Vec::new();
    for path in list.lines() {
        // What is no text, and what was deleted and not yet committed, breaks no rule of this list.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            sources.push(Source::new(path, text));
        }
    }
    let findings = rules::all(&sources);
    for finding in &findings {
        eprintln!("{finding}");
    }
    let rust = sources.iter().filter(|source| source.is_rust()).count();
    match findings.len() {
        0 => {
            println!("house rules: {rust} Rust files, nothing to mend");
            Ok(())
        }
        count => Err(format!("{count} places break a house rule (CONTRIBUTING.md)")),
    }
}
