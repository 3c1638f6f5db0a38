//! `cargo xtask docs`: runs every command block of the documentation and compares its output.
//!
//! A block of kind `console` runs as it stands, in one shell with an emulator of its own: lines
//! after `$ ` are commands, the lines below are their output, where `...` stands for any text. A
//! block of kind `sh` is not run, since it is about another machine: its syntax is checked, and
//! that each of our programs in it has the options that it names.

mod blocks;
mod options;
mod session;

use std::path::{Path, PathBuf};

use blocks::Block;

use crate::workspace;

const USAGE: &str = "usage: cargo xtask docs FOLDER_OF_PROGRAMS [PAGE]...";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let Some((programs, pages)) = arguments.split_first() else { return Err(USAGE.to_owned()) };
    let programs = std::fs::canonicalize(programs).map_err(|error| format!("`{programs}`: {error}"))?;
    let root = workspace::root();
    let pages = if pages.is_empty() { all_pages(&root)? } else { pages.to_vec() };
    let (mut run, mut checked, mut failures) = (0, 0, Vec::new());
    for page in &pages {
        for block in blocks::read(&workspace::read(&root.join(page))?) {
            let place = format!("{page}:{}", block.line);
            let outcome = match block.kind.as_str() {
                "console" => {
                    run += 1;
                    session::check(&block, &programs)
                }
                "sh" => {
                    checked += 1;
                    check_script(&block, &programs)
                }
                _ => Ok(()),
            };
            if let Err(failure) = outcome {
                failures.push(format!("{place}: {failure}"));
            }
        }
    }
    for failure in &failures {
        eprintln!("{failure}\n");
    }
    println!("{run} blocks run, {checked} checked, {} failed, in {} pages", failures.len(), pages.len());
    if !failures.is_empty() {
        return Err("the documentation is not true".to_owned());
    }
    // No block at all is a broken reader, not a good page.
    if run == 0 { Err("no block was run".to_owned()) } else { Ok(()) }
}

/// The README, what is below `docs`, and the pages of the crates.
fn all_pages(root: &Path) -> Result<Vec<String>, String> {
    let mut pages = Vec::new();
    let list = workspace::output_of(
        std::process::Command::new("git").args(["ls-files", "--", "*.md"]).current_dir(root),
    )?;
    for path in list.lines() {
        let is_ours = !path.contains('/')
            || path.starts_with("docs/")
            || (path.starts_with("crates/") && path.matches('/').count() == 2);
        if is_ours && path != "CHANGELOG.md" {
            pages.push(path.to_owned());
        }
    }
    Ok(pages)
}

fn check_script(block: &Block, programs: &Path) -> Result<(), String> {
    session::syntax(&block.text())?;
    options::check(block, programs)
}

/// A program of ours in the folder of programs.
fn program(programs: &Path, name: &str) -> Option<PathBuf> {
    let path = programs.join(name);
    path.is_file().then_some(path)
}
