//! `imds tree`: a whole tree on the screen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args as ClapArgs;
use imds::{Client, MetadataPath};

use crate::connection::ConnectionArgs;
use crate::render::Leaf;
use crate::report::Failure;
use crate::tree_read::{self, Selection};
use crate::{output, value};

/// Show what is below a directory as a tree
///
/// Reads directories only, and so no secret; with `--values` what they hold too, secrets left out.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Directory to begin with
    #[arg(value_name = "PATH", default_value = "/latest/")]
    path: String,

    /// Show the values
    #[arg(long)]
    values: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Entries by name, in the order of their names.
#[derive(Debug, Default)]
struct Node {
    entries: BTreeMap<String, Node>,
    note: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let root: MetadataPath = args.path.parse()?;
    let client = args.connection.client()?;
    let (tree, outcome) = if args.values { with_values(&client, &root)? } else { names(&client, &root)? };
    tree_read::note_pin(&root);
    let mut text = format!("{root}\n");
    draw(&mut text, &tree, "");
    output::text(&text)?;
    outcome
}

/// The tree by listings alone.
fn names(client: &Client, root: &MetadataPath) -> Result<(Node, Result<(), Failure>), Failure> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shared = seen.clone();
    let walk = client.walk(root)?.filter(move |entry| {
        shared.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path.clone());
        entry.is_directory
    });
    let mut read = tree_read::collect(walk, root)?;
    let mut tree = Node::default();
    let paths = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    for path in paths {
        insert(&mut tree, root, path, None);
    }
    // What the path itself names, where it is no directory.
    for leaf in std::mem::take(&mut read.leaves) {
        insert(&mut tree, root, leaf.path, None);
    }
    Ok((tree, read.outcome()))
}

fn with_values(client: &Client, root: &MetadataPath) -> Result<(Node, Result<(), Failure>), Failure> {
    let mut read = tree_read::read(client, root, Selection { pattern: None, secrets: false })?;
    let mut tree = Node::default();
    for leaf in std::mem::take(&mut read.leaves) {
        let shown = shown(&leaf);
        insert(&mut tree, root, leaf.path, Some(shown));
    }
    for path in std::mem::take(&mut read.withheld) {
        insert(&mut tree, root, path, Some("(secret)".to_owned()));
    }
    Ok((tree, read.outcome()))
}

/// A value as one line of JSON, or its length where it is none or too long.
fn shown(leaf: &Leaf) -> String {
    const LONGEST: usize = 100;
    let line = value::typed(&leaf.path, &leaf.value).map(|typed| typed.value.to_string());
    match line.filter(|line| line.chars().count() <= LONGEST) {
        Some(line) => line,
        None => format!("({} bytes)", leaf.value.len()),
    }
}

fn insert(tree: &mut Node, root: &MetadataPath, path: MetadataPath, note: Option<String>) {
    let slash = if path.is_directory() { "/" } else { "" };
    let leaf = Leaf { path, value: Vec::new() };
    let names = leaf.names_below(root);
    let Some((last, above)) = names.split_last() else { return };
    let mut node = tree;
    for name in above {
        node = node.entries.entry(format!("{name}/")).or_default();
    }
    node.entries.entry(format!("{last}{slash}")).or_default().note = note;
}

fn draw(text: &mut String, node: &Node, margin: &str) {
    let last = node.entries.len().saturating_sub(1);
    for (at, (name, child)) in node.entries.iter().enumerate() {
        let (branch, below) = if at == last { ("└── ", "    ") } else { ("├── ", "│   ") };
        // Names come from the service, and may hold what a terminal would take for an order.
        let name: String = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        let note = child.note.as_ref().map(|note| format!(" = {note}")).unwrap_or_default();
        text.push_str(&format!("{margin}{branch}{name}{note}\n"));
        draw(text, child, &format!("{margin}{below}"));
    }
}
