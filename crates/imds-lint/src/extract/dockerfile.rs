//! Dockerfiles: the scripts of `RUN`, `CMD`, `ENTRYPOINT` and `HEALTHCHECK`.

use crate::syntax::tree::{NodeId, Tree};

use super::document::{Value, ValueKind};
use super::scalar::{self, Scalar};
use crate::text::escape::Escape;

/// What an instruction runs.
#[derive(Debug)]
pub enum Run {
    /// A shell script.
    Script(Scalar),
    /// A program and its arguments.
    Words(Value),
}

/// What the file runs.
#[must_use]
pub fn runs(tree: &Tree<'_>) -> Vec<Run> {
    let mut found = Vec::new();
    for node in tree.all() {
        match tree.kind(node) {
            "shell_command" => found.push(Run::Script(shell(tree, node))),
            "heredoc_content" => {
                let pieces = vec![(tree.text(node).to_owned(), tree.span(node))];
                found.push(Run::Script(Scalar::new(pieces, Some(Escape::YamlBlock(0)))));
            }
            "json_string_array" => {
                let strings = tree.named(node).filter(|child| tree.kind(*child) == "json_string");
                let elements = strings.map(|string| {
                    let span = tree.span(string);
                    let inside = span.start + 1..span.end.max(span.start + 2) - 1;
                    let scalar = Scalar::new(scalar::double_quoted(tree.text, inside), Some(Escape::Json));
                    Value { kind: ValueKind::Scalar(scalar), span, tag: None }
                });
                let kind = ValueKind::List(elements.collect());
                found.push(Run::Words(Value { kind, span: tree.span(node), tag: None }));
            }
            _ => {}
        }
    }
    found
}

/// The text of an instruction without the comments between its lines, which the builder leaves out.
fn shell(tree: &Tree<'_>, node: NodeId) -> Scalar {
    let span = tree.span(node);
    let mut pieces = Vec::new();
    let mut at = span.start;
    for comment in tree.named(node).filter(|child| tree.kind(*child) == "comment") {
        let comment = tree.span(comment);
        // The indentation before it goes, too.
        let before = tree.text.get(at..comment.start).unwrap_or_default();
        let kept = before.trim_end_matches([' ', '\t']);
        pieces.push((kept.to_owned(), at..at + kept.len()));
        at = comment.end;
        if tree.text.get(..at).is_some_and(|text| !text.ends_with('\n')) {
            at += 1;
        }
    }
    let rest = tree.text.get(at.min(span.end)..span.end).unwrap_or_default();
    pieces.push((rest.to_owned(), at.min(span.end)..span.end));
    Scalar::new(pieces, Some(Escape::YamlBlock(0)))
}
