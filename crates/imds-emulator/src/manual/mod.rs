//! The manual's tables and the schema of instance files, made from the code's own tables: pages
//! below `docs/emulator` hold them between `<!-- table: NAME -->` and `<!-- end of the table -->`.
//!
//! `IMDS_WRITE_MANUAL=1 cargo test -p imds-emulator manual` writes them; otherwise the tests
//! compare.

mod schema;
mod tables;

use std::path::PathBuf;

pub(crate) use schema::{LifecycleState, OnOff, Tokens};

/// A file of the workspace.
fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Compares a file with what it has to be, or writes it.
#[allow(clippy::disallowed_methods, reason = "a test that also writes what it tests")]
fn hold(path: &str, expected: &str) {
    let file = file(path);
    if std::env::var_os("IMDS_WRITE_MANUAL").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap();
    let stale = "is stale; run `IMDS_WRITE_MANUAL=1 cargo test -p imds-emulator manual`";
    assert!(found == expected, "`{path}` {stale}");
}

#[test]
fn the_tables_of_the_manual_say_what_the_code_says() {
    let mut tables = tables::all();
    let folder = file("docs/emulator");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let path = format!("docs/emulator/{}", name.to_str().unwrap());
        let page = std::fs::read_to_string(file(&path)).unwrap();
        let mut written = String::new();
        let mut rest = page.as_str();
        while let Some((before, after)) = rest.split_once("<!-- table: ") {
            let (name, after) = after.split_once(" -->\n").unwrap();
            let (_, after) = after.split_once("<!-- end of the table -->").unwrap();
            let at = tables.iter().position(|(known, _)| *known == name);
            let (_, table) = tables.swap_remove(at.unwrap_or_else(|| panic!("`{path}`: no table `{name}`")));
            written += &format!("{before}<!-- table: {name} -->\n\n{table}\n<!-- end of the table -->");
            rest = after;
        }
        hold(&path, &(written + rest));
    }
    let left: Vec<_> = tables.iter().map(|(name, _)| name).collect();
    assert!(left.is_empty(), "no page has the tables {left:?}");
}
