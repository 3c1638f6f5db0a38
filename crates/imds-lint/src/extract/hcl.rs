//! HCL: blocks, attributes and strings of Terraform and Packer.

use std::ops::Range;

use crate::syntax::tree::{NodeId, Tree};
use crate::text::escape::Escape;

use super::scalar::{self, Scalar, TEMPLATE_VALUE};

/// The words of a block's head: `resource`, `aws_instance`, `web`.
#[must_use]
pub fn head<'t>(tree: &Tree<'t>, block: NodeId) -> Vec<&'t str> {
    tree.named(block)
        .filter(|child| matches!(tree.kind(*child), "identifier" | "string_lit"))
        .map(|child| tree.text(child).trim_matches('"'))
        .collect()
}

/// The attributes and the blocks right in a block (or in the file).
#[must_use]
pub fn body(tree: &Tree<'_>, block: NodeId) -> Option<NodeId> {
    tree.child(block, "body")
}

/// The attribute of a name in a body.
#[must_use]
pub fn attribute(tree: &Tree<'_>, body: NodeId, name: &str) -> Option<NodeId> {
    tree.named(body).find(|child| {
        tree.kind(*child) == "attribute"
            && tree.child(*child, "identifier").is_some_and(|id| tree.text(id) == name)
    })
}

/// The block of a name in a body.
#[must_use]
pub fn block(tree: &Tree<'_>, body: NodeId, name: &str) -> Option<NodeId> {
    tree.named(body).find(|child| {
        tree.kind(*child) == "block" && head(tree, *child).first().is_some_and(|first| *first == name)
    })
}

/// The value of an attribute or of an element of an object.
#[must_use]
pub fn expression(tree: &Tree<'_>, attribute: NodeId) -> Option<NodeId> {
    tree.field(attribute, "val").or_else(|| tree.child(attribute, "expression"))
}

/// An expression that is one literal: `"required"`, `1`.
#[must_use]
pub fn literal<'t>(tree: &Tree<'t>, expression: NodeId) -> Option<&'t str> {
    let text = tree.text(expression);
    let quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"') && !text.contains("${");
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (quoted || number).then(|| text.trim_matches('"'))
}

/// Every string and heredoc, with the name of the attribute that it stands in.
#[must_use]
pub fn strings<'t>(tree: &Tree<'t>) -> Vec<(Option<&'t str>, Scalar)> {
    let mut found = Vec::new();
    for node in tree.all() {
        let scalar = match tree.kind(node) {
            // The words of a block's head are no values.
            "string_lit" if tree.parent(node).is_some_and(|parent| tree.kind(parent) != "block") => {
                quoted(tree, node)
            }
            "quoted_template" => quoted(tree, node),
            "heredoc_template" => heredoc(tree, node),
            _ => None,
        };
        let Some(scalar) = scalar else { continue };
        let holder =
            tree.ancestors(node).find(|node| matches!(tree.kind(*node), "attribute" | "object_elem"));
        let name = holder.and_then(|holder| match tree.kind(holder) {
            "attribute" => tree.child(holder, "identifier").map(|id| tree.text(id)),
            _ => tree.field(holder, "key").map(|key| tree.text(key).trim_matches('"')),
        });
        found.push((name, scalar));
    }
    found
}

fn quoted(tree: &Tree<'_>, node: NodeId) -> Option<Scalar> {
    let span = tree.span(node);
    let inside = span.start + 1..span.end.checked_sub(1)?.max(span.start + 1);
    let mut pieces = Vec::new();
    for (range, template) in interpolations(tree, node, &inside) {
        if template {
            pieces.push((TEMPLATE_VALUE.to_owned(), range));
        } else {
            pieces.extend(unescaped(scalar::double_quoted(tree.text, range)));
        }
    }
    Some(Scalar::new(pieces, Some(Escape::HclString)))
}

fn heredoc(tree: &Tree<'_>, node: NodeId) -> Option<Scalar> {
    let text = tree.text(node);
    let span = tree.span(node);
    let first = text.find('\n')? + 1;
    // The last line is the delimiter.
    let last = text.trim_end().rfind('\n')? + 1;
    if last < first {
        return None;
    }
    let indented = tree.child(node, "heredoc_start").is_some_and(|start| tree.text(start) == "<<-");
    let indent = if indented { scalar::shared_indent(text.get(first..last)?) } else { 0 };
    let inside = span.start + first..span.start + last;
    let mut pieces = Vec::new();
    for (range, template) in interpolations(tree, node, &inside) {
        if template {
            pieces.push((TEMPLATE_VALUE.to_owned(), range));
            continue;
        }
        // What follows an interpolation is the rest of a line, and keeps its spaces.
        let line_start = tree.text.get(..range.start).is_some_and(|before| before.ends_with('\n'));
        let (rest, range) = if line_start {
            (None, range)
        } else {
            let text = tree.text.get(range.clone())?;
            let end = text.find('\n').map_or(range.end, |at| range.start + at + 1);
            (Some((tree.text.get(range.start..end)?.to_owned(), range.start..end)), end..range.end)
        };
        pieces.extend(unescaped(rest.into_iter().collect()));
        pieces.extend(unescaped(scalar::block(tree.text, range, indent, false)));
    }
    Some(Scalar::new(pieces, Some(Escape::HclTemplate)))
}

/// `inside` cut into text and interpolations, in order.
fn interpolations(tree: &Tree<'_>, node: NodeId, inside: &Range<usize>) -> Vec<(Range<usize>, bool)> {
    let mut parts = Vec::new();
    let mut at = inside.start;
    for child in tree.below(node) {
        if !matches!(tree.kind(child), "template_interpolation" | "template_directive") {
            continue;
        }
        let span = tree.span(child);
        if span.start < at || span.end > inside.end {
            continue;
        }
        parts.push((at..span.start, false));
        at = span.end;
        parts.push((span, true));
    }
    parts.push((at..inside.end, false));
    parts
}

/// `$${` is `${`, `%%{` is `%{`.
fn unescaped(pieces: Vec<(String, Range<usize>)>) -> Vec<(String, Range<usize>)> {
    let mut result = Vec::new();
    for (text, written) in pieces {
        if text.len() != written.len() || !(text.contains("$${") || text.contains("%%{")) {
            result.push((text, written));
            continue;
        }
        let mut start = 0;
        let mut rest = text.as_str();
        while let Some(at) = [rest.find("$${"), rest.find("%%{")].into_iter().flatten().min() {
            let from = written.start + start;
            result.push((rest[..at].to_owned(), from..from + at));
            result.push((rest[at + 1..at + 3].to_owned(), from + at..from + at + 3));
            start += at + 3;
            rest = &rest[at + 3..];
        }
        result.push((rest.to_owned(), written.start + start..written.end));
    }
    result
}

/// A template file of `templatefile`, whose `${...}` Terraform puts in.
#[must_use]
pub fn template_file(text: &str) -> Scalar {
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("${")) {
        let start = at + found;
        let escaped = text.get(..start).is_some_and(|before| before.ends_with('$'));
        let end = text.get(start..).and_then(|rest| rest.find('}')).map_or(text.len(), |end| start + end + 1);
        if escaped {
            pieces.push((text[at..start - 1].to_owned(), at..start - 1));
            pieces.push(("${".to_owned(), start - 1..start + 2));
            at = start + 2;
        } else {
            pieces.push((text[at..start].to_owned(), at..start));
            pieces.push((TEMPLATE_VALUE.to_owned(), start..end));
            at = end;
        }
    }
    pieces.push((text.get(at..).unwrap_or_default().to_owned(), at..text.len()));
    Scalar::new(pieces, Some(Escape::HclTemplate))
}
