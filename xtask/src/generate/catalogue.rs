//! `crates/imds-model/src/catalogue/table.rs`: the catalogue as an enum and a table of facts.

use super::ast::{Ast, Read, kebab};
use std::collections::BTreeMap;
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

    /// The path of the directory that lists it; `None` for the top of a tree.
    fn directory(&self) -> Option<String> {
        self.path.trim_end_matches('/').rsplit_once('/').map(|(directory, _)| format!("{directory}/"))
    }

    /// `GetAmiId` -> `AmiId`, `ListTags` -> `TagsDirectory`.
    fn variant(&self) -> String {
        match (self.read.name.strip_prefix("Get"), self.read.name.strip_prefix("List")) {
            (Some(name), _) => name.to_owned(),
            (None, Some(name)) => format!("{name}Directory"),
            (None, None) => self.read.name.to_owned(),
        }
    }
}

/// The categories, sorted by path. Versions, trees and the reads of any path are not categories.
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
    check_directories(&entries)?;
    Ok(entries)
}

/// Every category lies in a directory of the model, and no category is older than its directory: a
/// version that does not show the directory cannot show what is in it.
fn check_directories(entries: &[Entry<'_>]) -> Result<(), String> {
    let by_path: BTreeMap<&str, &Entry<'_>> =
        entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    for entry in entries {
        let Some(path) = entry.directory() else { continue };
        let Some(directory) = by_path.get(path.as_str()) else {
            return Err(format!("{}: no operation lists `{path}`", entry.read.name));
        };
        if let (Some(own), Some(of_directory)) = (entry.text("since"), directory.text("since"))
            && own < of_directory
        {
            return Err(format!(
                "{}: `{}` is since {own}, its directory since {of_directory}",
                entry.read.name, entry.path
            ));
        }
    }
    Ok(())
}

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let entries = entries(ast)?;
    let mut out = String::from(
        "//! The categories. Written by `cargo xtask generate` from `model/ast.json`; edit `model/*.smithy`.\n\n\
         use super::{Facts, Format, Mutability, Presence};\n\n\
         /// One path, or one family of paths that differ in a label such as `<mac>`.\n\
         ///\n\
         /// A `match` over it may be exhaustive: a new category is a compile error where it\n\
         /// needs a decision.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n\
         #[repr(u8)]\n\
         pub enum Category {\n",
    );
    for entry in &entries {
        let _ = writeln!(out, "    /// `{}`\n    {},", entry.path, entry.variant());
    }
    out.push_str(
        "}\n\n/// Every category that is publicly known, sorted by path.\npub static CATALOGUE: &[Category] = &[\n",
    );
    for entry in &entries {
        let _ = writeln!(out, "    Category::{},", entry.variant());
    }
    out.push_str("];\n\n/// What is known of each category, in the order of the enum.\n");
    let _ = writeln!(out, "pub(super) static FACTS: [Facts; {}] = [", entries.len());
    for entry in &entries {
        let directory = entry.directory();
        let directory = entries.iter().find(|other| Some(&other.path) == directory.as_ref());
        let directory = directory.map_or_else(
            || "None".to_owned(),
            |directory| format!("Some(Category::{})", directory.variant()),
        );
        let _ = writeln!(
            out,
            "    Facts {{\n        path: {:?}, directory: {directory},\n        operation: {:?}, format: Format::{}, since: {:?},\n        \
             presence: Presence::{}, requires: {:?},\n        mutability: Mutability::{}, secret: {}, snowball: {}, \
             documented: {},\n        summary: {:?},\n        example: {:?},\n    }},",
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
            one_line(entry.read.documentation),
            entry.read.examples.first().ok_or("no example")?.body,
        );
    }
    out.push_str("];\n");
    Ok(out)
}

/// A text that wraps in the model, on one line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn capital(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}
