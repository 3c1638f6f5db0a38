//! `crates/imds-model/src/catalogue/table.rs`: the catalogue as a static.

use super::ast::{Ast, Read, kebab};
use std::fmt::Write;

/// One category, as far as both the table and the docs page need it.
pub(super) struct Entry<'a> {
    pub(super) path: String,
    pub(super) read: Read<'a>,
}

impl Entry<'_> {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.read.category.get(key)?.as_str()
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        self.read.category.get(key).and_then(serde_json::Value::as_bool).unwrap_or(default)
    }
}

/// The categories, sorted by path. Versions, trees and the reads of any path are no categories.
pub(super) fn entries(ast: &Ast) -> Result<Vec<Entry<'_>>, String> {
    let mut entries: Vec<Entry<'_>> = ast
        .reads()?
        .into_iter()
        .filter_map(|read| {
            let below = read.uri.strip_prefix("/{apiVersion}/")?;
            let path = below
                .split('/')
                .map(|segment| match segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
                    Some(label) => format!("<{}>", kebab(label)),
                    None => segment.to_owned(),
                })
                .collect::<Vec<_>>()
                .join("/");
            let slash = if read.format == "directory" { "/" } else { "" };
            (!below.ends_with("+}")).then(|| Entry { path: format!("{path}{slash}"), read })
        })
        .collect();
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let mut out = String::from(
        "//! The table of categories. Written by `cargo xtask generate` from `model/ast.json`; edit `model/*.smithy`.\n\n\
         use super::{Category, Format, Mutability, Presence};\n\n\
         /// Every category that is publicly known, sorted by path.\n\
         pub static CATALOGUE: &[Category] = &[\n",
    );
    for entry in entries(ast)? {
        let _ = writeln!(
            out,
            "    Category {{\n        path: {:?},\n        operation: {:?}, format: Format::{}, since: {:?},\n        \
             presence: Presence::{}, requires: {:?},\n        mutability: Mutability::{}, secret: {}, snowball: {}, documented: {},\n        \
             summary: {:?},\n        example: {:?},\n    }},",
            entry.path,
            entry.read.name,
            capital(entry.read.format),
            entry.text("since"),
            capital(entry.text("presence").ok_or("no presence")?),
            entry.text("requires"),
            capital(entry.text("mutability").ok_or("no mutability")?),
            entry.read.secret,
            entry.flag("snowball", false),
            entry.flag("documented", true),
            entry.read.documentation,
            entry.read.examples.first().ok_or("no example")?.body,
        );
    }
    out.push_str("];\n");
    Ok(out)
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}
