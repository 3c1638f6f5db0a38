//! JSON, read into values with the place of each string.

use crate::syntax::tree::{NodeId, Tree};
use crate::text::escape::Escape;

use super::document::{Value, ValueKind};
use super::scalar::{self, Scalar};

/// The value of a document.
#[must_use]
pub fn document(tree: &Tree<'_>) -> Option<Value> {
    tree.named(tree.root()).find(|node| tree.kind(*node) != "comment").map(|node| value(tree, node))
}

fn value(tree: &Tree<'_>, node: NodeId) -> Value {
    let kind = match tree.kind(node) {
        "object" => ValueKind::Map(
            tree.named(node)
                .filter(|pair| tree.kind(*pair) == "pair")
                .filter_map(|pair| {
                    let key = string(tree, tree.field(pair, "key")?)?;
                    Some((key, value(tree, tree.field(pair, "value")?)))
                })
                .collect(),
        ),
        "array" => ValueKind::List(tree.named(node).map(|element| value(tree, element)).collect()),
        "string" => string(tree, node).map_or(ValueKind::Other, ValueKind::Scalar),
        "number" | "true" | "false" => {
            let pieces = vec![(tree.text(node).to_owned(), tree.span(node))];
            ValueKind::Scalar(Scalar::new(pieces, None))
        }
        _ => ValueKind::Other,
    };
    Value { kind, span: tree.span(node), tag: None }
}

fn string(tree: &Tree<'_>, node: NodeId) -> Option<Scalar> {
    let span = tree.span(node);
    let inside = span.start + 1..span.end.checked_sub(1)?.max(span.start + 1);
    Some(Scalar::new(scalar::double_quoted(tree.text, inside), Some(Escape::Json)))
}
