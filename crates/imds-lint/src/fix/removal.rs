//! Removal of a token request that nothing sends any more.

use std::ops::Range;

use crate::model::shell::context::{self, Output};
use crate::rules::shell::{Judged, references};
use crate::syntax::tree::NodeId;

use super::plain::Change;

/// The changes that remove the requests for the token in `variable`; `None` if it is used anywhere
/// but within `rewritten`, or if the assignment cannot be taken out without touching its
/// neighbours.
pub(super) fn of_token(
    judged: &Judged<'_, '_>,
    variable: &str,
    fetches: &[usize],
    rewritten: &[Range<usize>],
) -> Option<Vec<Change>> {
    let script = judged.script;
    let tree = &script.tree;
    let within = |node: NodeId| rewritten.iter().any(|span| span.contains(&tree.span(node).start));
    if references(script, variable).into_iter().any(|node| !within(node)) {
        return None;
    }
    // A heredoc or a quoted script may name it without being parsed as an expansion.
    let mentions = tree.text.match_indices(variable).count();
    let known = references(script, variable).len() + script.values(variable).len();
    if mentions > known + named_in_header_only(tree.text, variable)
        || script.values(variable).len() != fetches.len()
    {
        return None;
    }
    let mut changes = Vec::new();
    for fetch in fetches {
        let request = judged.requests.get(*fetch)?;
        let Output::Substituted(substitution) = context::output(script, request.command.node) else {
            return None;
        };
        let assignment =
            tree.ancestors(substitution).find(|node| tree.kind(*node) == "variable_assignment")?;
        changes.push((statement(judged, assignment)?, String::new()));
    }
    Some(changes)
}

/// Mentions of `TOKEN` that are the header's own name, or part of a longer name, not the variable.
fn named_in_header_only(text: &str, variable: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(variable)
        .filter(|(at, _)| {
            let before = text.get(..*at).and_then(|text| text.chars().next_back());
            let after = text.get(at + variable.len()..).and_then(|text| text.chars().next());
            before.is_some_and(|c| is_name(c) || c == '/') || after.is_some_and(is_name)
        })
        .count()
}

/// What to take out so that the assignment is gone and the rest stands as it was.
fn statement(judged: &Judged<'_, '_>, assignment: NodeId) -> Option<Range<usize>> {
    let tree = &judged.script.tree;
    let mut node = assignment;
    let mut parent = tree.parent(node)?;
    if tree.kind(parent) == "declaration_command" {
        let word = tree.text(parent).split_whitespace().next()?;
        if !matches!(word, "local" | "declare" | "typeset" | "readonly") || tree.named(parent).count() != 1 {
            return None;
        }
        node = parent;
        parent = tree.parent(node)?;
    }
    let span = tree.span(node);
    match tree.kind(parent) {
        // `TOKEN=$(...) && next`
        "list" => {
            let mut siblings = tree.children(parent);
            let first = siblings.next()?;
            let operator = siblings.next()?;
            let next = siblings.next()?;
            (first == node && tree.text(operator) == "&&").then(|| span.start..tree.span(next).start)
        }
        "program" | "compound_statement" | "do_group" | "heredoc_body" => whole_lines(tree.text, &span),
        // A branch of `if` may not become empty.
        "if_statement" | "else_clause" | "elif_clause" => {
            (tree.named(parent).filter(|child| tree.kind(*child) != "comment").count() > 2)
                .then(|| whole_lines(tree.text, &span))
                .flatten()
        }
        _ => None,
    }
}

fn whole_lines(text: &str, span: &Range<usize>) -> Option<Range<usize>> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(start..span.start)?;
    let rest = text.get(span.end..)?;
    let end = rest.find('\n').map_or(text.len(), |at| span.end + at + 1);
    let after = text.get(span.end..end)?;
    let alone = before.chars().all(char::is_whitespace);
    let trailing = after.trim();
    if alone && (trailing.is_empty() || trailing == ";") {
        return Some(start..end);
    }
    // `TOKEN=...; next`
    let next = after.trim_start();
    let next = next.strip_prefix(';')?;
    if next.starts_with(';') || next.trim().is_empty() {
        return None;
    }
    let skipped = after.len() - next.trim_start().len();
    Some(span.start..span.end + skipped)
}
