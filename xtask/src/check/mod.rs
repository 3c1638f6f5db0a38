//! The house rules of CONTRIBUTING.md that no other tool checks.

mod claims;
mod imports;
mod layers;
mod links;
mod manifests;
mod modules;
mod prose;
mod rules;
mod source;

use std::fmt;
use std::process::Command;

use source::Source;

use crate::workspace;

const USAGE: &str = "usage: cargo xtask check [--only CRATE] | --imports CRATE";

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

/// Checks every tracked file; `--only` shows the findings of one crate, `--imports` its real
/// imports.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let sources = sources()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => report(&sources, ""),
        ["--only", name] => report(&sources, &folder(name)),
        ["--imports", name] => {
            print!("{}", layers::rows(&folder(name), &sources).map_err(|finding| finding.to_string())?);
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn folder(name: &str) -> String {
    if name == "xtask" { name.to_owned() } else { format!("crates/{name}") }
}

/// The tracked text files.
fn sources() -> Result<Vec<Source>, String> {
    let root = workspace::root();
    // Files that are new and not ignored count too, so that the check says the same before and
    // after the commit.
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
    Ok(sources)
}

/// Prints every finding below `folder`.
fn report(sources: &[Source], folder: &str) -> Result<(), String> {
    let mut findings = findings(sources).map_err(|finding| finding.to_string())?;
    findings.retain(|finding| finding.place.starts_with(folder));
    for finding in &findings {
        eprintln!("{finding}");
    }
    let rust = sources.iter().filter(|source| source.is_rust()).count();
    match findings.len() {
        0 => {
            println!("house rules: {rust} Rust files, nothing to fix");
            Ok(())
        }
        count => Err(format!("{count} places break a house rule (CONTRIBUTING.md)")),
    }
}

fn findings(sources: &[Source]) -> Result<Vec<Finding>, Finding> {
    let text = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.map(|source| source.text.as_str()).ok_or_else(|| Finding::new(path, "is missing"))
    };
    let layers = layers::Layers::parse(text(layers::TABLE)?)?;
    let retired = prose::RetiredWords::parse(text(prose::RETIRED)?)?;
    let mut findings = rules::all(sources);
    findings.extend(claims::check(sources));
    findings.extend(links::check(sources, &|path| workspace::root().join(path).exists()));
    findings.extend(manifests::check(sources));
    findings.extend(layers::check(sources, &layers));
    findings.extend(prose::width(sources));
    findings.extend(prose::retired_words(sources, &retired));
    Ok(findings)
}
