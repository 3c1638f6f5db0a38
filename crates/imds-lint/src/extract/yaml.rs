//! YAML, read into values with the place of each scalar.

use crate::syntax::tree::{NodeId, Tree};
use crate::text::escape::Escape;

use super::document::{Value, ValueKind};
use super::scalar::{self, Scalar};

/// The documents of a stream.
#[must_use]
pub fn documents(tree: &Tree<'_>) -> Vec<Value> {
    tree.children(tree.root())
        .filter(|node| tree.kind(*node) == "document")
        .filter_map(|node| {
            tree.named(node).find(|child| is_value(tree, *child)).map(|child| value(tree, child))
        })
        .collect()
}

fn is_value(tree: &Tree<'_>, node: NodeId) -> bool {
    matches!(tree.kind(node), "block_node" | "flow_node")
}

fn value(tree: &Tree<'_>, node: NodeId) -> Value {
    let mut tag = None;
    let mut content = None;
    for child in tree.named(node) {
        match tree.kind(child) {
            "tag" => tag = Some(tree.text(child).to_owned()),
            "anchor" | "comment" => {}
            _ => content = Some(child),
        }
    }
    let kind = content.map_or(ValueKind::Other, |content| kind(tree, content));
    Value { kind, span: tree.span(content.unwrap_or(node)), tag }
}

fn kind(tree: &Tree<'_>, node: NodeId) -> ValueKind {
    match tree.kind(node) {
        "block_mapping" | "flow_mapping" => {
            let pairs = tree
                .named(node)
                .filter(|pair| matches!(tree.kind(*pair), "block_mapping_pair" | "flow_pair"));
            ValueKind::Map(pairs.filter_map(|pair| entry(tree, pair)).collect())
        }
        "block_sequence" => {
            let items = tree.named(node).filter(|item| tree.kind(*item) == "block_sequence_item");
            let item =
                |item| tree.named(item).find(|child| is_value(tree, *child)).map(|child| value(tree, child));
            ValueKind::List(items.filter_map(item).collect())
        }
        "flow_sequence" => ValueKind::List(
            tree.named(node)
                .filter_map(|child| match tree.kind(child) {
                    "flow_node" => Some(value(tree, child)),
                    "flow_pair" => {
                        let kind = ValueKind::Map(entry(tree, child).into_iter().collect());
                        Some(Value { kind, span: tree.span(child), tag: None })
                    }
                    _ => None,
                })
                .collect(),
        ),
        "alias" => ValueKind::Other,
        _ => scalar(tree, node).map_or(ValueKind::Other, ValueKind::Scalar),
    }
}

fn entry(tree: &Tree<'_>, pair: NodeId) -> Option<(Scalar, Value)> {
    let key = value(tree, tree.field(pair, "key")?);
    let key = key.scalar()?.clone();
    let value = match tree.field(pair, "value") {
        Some(node) => self::value(tree, node),
        None => Value { kind: ValueKind::Other, span: tree.span(pair), tag: None },
    };
    Some((key, value))
}

fn scalar(tree: &Tree<'_>, node: NodeId) -> Option<Scalar> {
    let span = tree.span(node);
    let inside = span.start + 1..span.end.max(span.start + 2) - 1;
    Some(match tree.kind(node) {
        "plain_scalar" | "string_scalar" | "integer_scalar" | "boolean_scalar" | "null_scalar"
        | "float_scalar" | "timestamp_scalar" => {
            let mut pieces = Vec::new();
            let mut at = span.start;
            for (index, line) in tree.text(node).split('\n').enumerate() {
                let content = if index == 0 { line } else { line.trim_start() };
                let start = at + line.len() - content.len();
                if index > 0 {
                    pieces.push((" ".to_owned(), at - 1..start));
                }
                let content = content.trim_end();
                pieces.push((content.to_owned(), start..start + content.len()));
                at += line.len() + 1;
            }
            Scalar::new(pieces, Some(Escape::YamlPlain))
        }
        "double_quote_scalar" => Scalar::new(scalar::double_quoted(tree.text, inside), Some(Escape::Json)),
        "single_quote_scalar" => {
            let inner = tree.text.get(inside.clone()).unwrap_or_default();
            let mut pieces = Vec::new();
            let mut at = inside.start;
            for (index, part) in inner.split("''").enumerate() {
                if index > 0 {
                    pieces.push(("'".to_owned(), at..at + 2));
                    at += 2;
                }
                pieces.push((part.to_owned(), at..at + part.len()));
                at += part.len();
            }
            Scalar::new(pieces, Some(Escape::YamlSingle))
        }
        "block_scalar" => {
            let text = tree.text(node);
            let (header, body) = text.split_once('\n').unwrap_or((text, ""));
            let start = span.start + header.len() + 1;
            let indent = body
                .lines()
                .find(|line| !line.trim().is_empty())
                .map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
            let written = start.min(span.end)..span.end;
            let folded = header.starts_with('>');
            let escape = if folded { None } else { Some(Escape::YamlBlock(indent)) };
            Scalar::new(scalar::block(tree.text, written, indent, folded), escape)
        }
        _ => return None,
    })
}
