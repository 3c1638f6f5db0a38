//! `docs/categories.md`: the catalogue as a page.

use super::ast::Ast;
use super::catalogue::{Entry, entries, one_line};
use std::fmt::Write;

const HEAD: &str = "# Categories

<!-- Written by `cargo xtask generate` from `model/ast.json`; edit `model/*.smithy`. -->

What the service is known to hold. `imds categories` prints the same without a network. Directories are
left out.

* *since*: the schema version that shows the category first; a read pinned to an older one gets 404.
  `?`: no public source says; such a category is taken to be as old as its directory.
* *changes*: never after `launch`, at a `start` after a stop, or while `running`.
* *Snowball*: whether a Snowball Edge device has it; it answers the rest with 404.
* **secret**: `imds dump` leaves it out unless told otherwise.
* *unlisted*: read by public programs of the platform, but not listed in the EC2 User Guide.
";

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let mut out = HEAD.to_owned();
    let entries = entries(ast)?;
    for (title, prefix) in
        [("meta-data", "meta-data/"), ("dynamic", "dynamic/"), ("Beside them", "user-data")]
    {
        let _ = write!(
            out,
            "\n## {title}\n\n| path | type | since | changes | Snowball | what |\n|---|---|---|---|---|---|\n"
        );
        for entry in
            entries.iter().filter(|entry| entry.path.starts_with(prefix) && !entry.path.ends_with('/'))
        {
            row(&mut out, entry);
        }
    }
    Ok(out)
}

fn row(out: &mut String, entry: &Entry<'_>) {
    let mut what = cell(entry.read.documentation);
    match entry.text("presence") {
        Some("conditional") => {
            let _ = write!(what, " *Needs: {}.*", cell(entry.text("requires").unwrap_or_default()));
        }
        Some("retired") => what.push_str(" *No longer filled.*"),
        _ => {}
    }
    if entry.read.secret {
        what.push_str(" **secret**");
    }
    if !entry.flag("documented", true) {
        what.push_str(" *unlisted*");
    }
    let _ = writeln!(
        out,
        "| `{}` | {} | {} | {} | {} | {what} |",
        entry.path,
        entry.read.format,
        entry.text("since").unwrap_or("?"),
        entry.text("mutability").unwrap_or("?"),
        if entry.flag("snowball", false) { "yes" } else { "no" },
    );
}

/// A text as a cell of a table: one line, and no `|` that would end the cell.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of a line of a table, as GitHub counts them: a `|` after a backslash is part of its
    /// cell.
    fn cells(line: &str) -> usize {
        line.replace("\\|", "").matches('|').count() - 1
    }

    #[test]
    fn every_row_of_the_page_is_one_line_with_every_cell() {
        let root = crate::workspace::root();
        let ast = Ast::parse(&std::fs::read_to_string(root.join("model/ast.json")).unwrap()).unwrap();
        let page = write(&ast).unwrap();
        let (mut rows, mut secret) = (0, 0);
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            assert_eq!(cells(line), 6, "{line}");
            rows += 1;
            secret += usize::from(line.contains("**secret** |") || line.contains("**secret** *unlisted* |"));
        }
        let leaves: Vec<_> =
            entries(&ast).unwrap().into_iter().filter(|entry| !entry.path.ends_with('/')).collect();
        assert_eq!(rows, leaves.len());
        assert_eq!(secret, leaves.iter().filter(|entry| entry.read.secret).count());
        // Nothing else in the tables' sections: no row continues on a line of its own.
        let tables = page.split_once("## meta-data").unwrap().1;
        assert!(tables.lines().all(|line| line.is_empty() || line.starts_with(['|', '#', ' '])), "{tables}");
    }

    #[test]
    fn a_cell_has_one_line_and_no_bar() {
        assert_eq!(cell("a |\nb"), "a \\| b");
    }
}
