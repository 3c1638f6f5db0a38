//! Scripts inside a script: `bash -c '...'`, `ssh host '...'`, and heredocs that write or feed one.

use crate::syntax::tree::NodeId;
use crate::text::escape::Escape;
use crate::text::mapped::{Mapped, Piece};

use super::command::base_name;
use super::script::Script;

/// A script inside a script.
#[derive(Debug)]
pub struct Inner {
    /// Its text.
    pub text: Mapped,
    /// What a finding in it says it is in.
    pub label: &'static str,
    /// Whether it is shell for certain; otherwise its own first line says what it is.
    pub is_shell: bool,
}

const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "ash"];

/// Scripts inside `script`, whose text is `outer`.
#[must_use]
pub fn all(script: &Script<'_>, outer: &Mapped) -> Vec<Inner> {
    let mut found = Vec::new();
    for node in script.command_nodes(script.tree.root()) {
        let command = script.command(node, &[]);
        let names: Vec<&str> = command.words.iter().map(|word| base_name(&word.text)).collect();
        let runs_text = match names.first().copied().unwrap_or_default() {
            "ssh" | "eval" | "watch" => true,
            _ => {
                names.iter().any(|name| SHELLS.contains(name) || matches!(*name, "su" | "runuser"))
                    && command.words.iter().any(|word| {
                        let text = word.text.as_str();
                        text.starts_with('-') && !text.starts_with("--") && text.ends_with('c')
                    })
            }
        };
        if !runs_text {
            continue;
        }
        for word in command.words.iter().skip(1) {
            if let Some(text) = quoted(script, word.node, outer) {
                found.push(Inner { text, label: "a quoted script", is_shell: true });
            }
        }
    }
    for redirect in script.tree.of_kind(script.tree.root(), "heredoc_redirect") {
        if let Some(text) = heredoc(script, redirect, outer) {
            let is_shell = feeds_shell(script, redirect);
            found.push(Inner { text, label: "a heredoc", is_shell });
        }
    }
    found
}

/// The text of a word in quotes, as the inner shell reads it.
fn quoted(script: &Script<'_>, node: NodeId, outer: &Mapped) -> Option<Mapped> {
    let span = script.tree.span(node);
    let inside = span.start + 1..span.end.checked_sub(1)?;
    if inside.start >= inside.end {
        return None;
    }
    match script.tree.kind(node) {
        "raw_string" => Some(Mapped::part(outer, inside, Some(Escape::ShellSingle))),
        "string" => Some(expanded(script.tree.text, inside, outer)),
        _ => None,
    }
}

/// Text in which the outer shell reads `\$`, `` \` ``, `\\` and `\"` first.
fn expanded(text: &str, span: std::ops::Range<usize>, outer: &Mapped) -> Mapped {
    let inner = text.get(span.clone()).unwrap_or_default();
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut characters = inner.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let Some((next_at, next)) = characters.peek().copied() else { break };
        if character == '\\' && matches!(next, '$' | '`' | '\\' | '"' | '\n') {
            pieces.push(Piece { text: &inner[start..at], written: span.start + start..span.start + at });
            characters.next();
            let end = next_at + next.len_utf8();
            let read = if next == '\n' { "" } else { &inner[next_at..end] };
            pieces.push(Piece { text: read, written: span.start + at..span.start + end });
            start = end;
        }
    }
    pieces.push(Piece { text: &inner[start..], written: span.start + start..span.end });
    Mapped::of_pieces(outer, &pieces, Some(Escape::ShellDouble))
}

fn heredoc(script: &Script<'_>, redirect: NodeId, outer: &Mapped) -> Option<Mapped> {
    let tree = &script.tree;
    let delimiter = tree.child(redirect, "heredoc_start").map(|node| tree.text(node))?;
    let body = tree.child(redirect, "heredoc_body")?;
    let span = tree.span(body);
    if delimiter.contains(['\'', '"', '\\']) {
        Some(Mapped::part(outer, span, None))
    } else {
        Some(expanded(tree.text, span, outer))
    }
}

/// Whether the heredoc is the input of a shell.
fn feeds_shell(script: &Script<'_>, redirect: NodeId) -> bool {
    let tree = &script.tree;
    let Some(statement) = tree.parent(redirect) else { return false };
    script.command_nodes(statement).any(|node| {
        let command = script.command(node, &[]);
        let mut words = command.words.iter().map(|word| base_name(&word.text));
        let first = words.next().unwrap_or_default();
        SHELLS.contains(&first)
            || first == "ssh"
            || (matches!(first, "sudo" | "docker" | "kubectl" | "su" | "chroot")
                && words.any(|word| SHELLS.contains(&word)))
    })
}
