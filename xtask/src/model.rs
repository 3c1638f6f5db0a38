//! `cargo xtask model [--check]`: the model, from its sources to everything that is generated from
//! it.

use std::path::Path;
use std::process::Command;

use crate::{generate, workspace};

/// What `model/validate` runs: the command, an argument that only asks for its version, and where
/// it is from.
const NEEDED: [(&str, &str, &str); 3] = [
    ("java", "-version", "a JDK, such as Debian's `openjdk-17-jdk-headless`"),
    ("mvn", "--version", "Maven, such as Debian's `maven`"),
    ("python3", "--version", "Python 3 with venv, such as Debian's `python3-venv`"),
];

/// Validates the Smithy model, writes its AST and what `cargo xtask generate` writes; with
/// `--check`, only compares.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let write = match arguments {
        [] => true,
        [check] if check == "--check" => false,
        _ => return Err("usage: cargo xtask model [--check]".to_owned()),
    };
    let missing = missing(&NEEDED);
    if !missing.is_empty() {
        return Err(format!(
            "cannot validate the model without {}; `cargo xtask generate` needs only Rust, and writes what follows \
             from the committed model/ast.json",
            missing.join(" and ")
        ));
    }
    validate(&workspace::root(), write)?;
    generate::run(arguments)
}

/// The needed commands that do not run, with where they are from.
fn missing(needed: &[(&str, &str, &str)]) -> Vec<String> {
    let runs = |command: &str, version: &str| {
        Command::new(command).arg(version).output().is_ok_and(|output| output.status.success())
    };
    needed
        .iter()
        .filter(|(command, version, _)| !runs(command, version))
        .map(|(command, _, from)| format!("`{command}` ({from})"))
        .collect()
}

fn validate(root: &Path, write: bool) -> Result<(), String> {
    let mut command = Command::new(root.join("model/validate"));
    if write {
        command.arg("--write");
    }
    let status = command.status().map_err(|error| format!("cannot run model/validate: {error}"))?;
    if status.success() { Ok(()) } else { Err("the model is not valid, or stale: see above".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let needed = [("/nonexistent/java", "-version", "a JDK"), ("true", "--version", "coreutils")];
        assert_eq!(missing(&needed), ["`/nonexistent/java` (a JDK)"]);
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        assert_eq!(run(&["--wirte".to_owned()]), Err("usage: cargo xtask model [--check]".to_owned()));
    }
}
