//! `docs/categories.md`: the catalogue as a page.

use super::ast::Ast;
use super::catalogue::{Entry, entries};
use std::fmt::Write;

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let mut out = String::from(
        "# Categories\n\n\
         <!-- Written by `cargo xtask generate` from `model/ast.json`; edit `model/*.smithy`. -->\n\n\
         What the service is known to hold. `imds categories` prints the same without a network. Directories are\n\
         left out.\n\n\
         * *since*: the schema version that shows the category first; a read pinned to an older one is answered with 404.\n\
         * *changes*: never after `launch`, at a `start` after a stop, or while `running`.\n\
         * *Snowball*: whether a Snowball Edge device has it; it answers the rest with 404.\n\
         * **secret**: `imds dump` leaves it out unless told otherwise.\n\
         * *unlisted*: read by public programs of the platform, but not listed in the EC2 User Guide.\n",
    );
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
    let mut what = entry.read.documentation.replace('|', "\\|");
    match entry.text("presence") {
        Some("conditional") => {
            let _ = write!(what, " *Needs: {}.*", entry.text("requires").unwrap_or_default());
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
