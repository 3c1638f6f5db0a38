//! What is done with a text of each kind.

use crate::extract::kind::Kind;
use crate::extract::needles;
use crate::fix;
use crate::model::shell::embedded;
use crate::model::shell::script::Script;
use crate::rules::finding::{Finding, Unread};
use crate::rules::shell::Judged;
use crate::syntax::grammar::Grammar;
use crate::syntax::tree::Tree;

use super::{Results, Settings, Text};

/// Tells whether a finding is suppressed.
pub(super) type Suppressed<'a> = &'a dyn Fn(&Finding) -> bool;

pub(super) fn check(text: &Text, settings: Settings, suppressed: Suppressed<'_>) -> Results {
    match text.kind {
        Kind::Shell | Kind::ShellTemplate => shell(text, settings, suppressed),
        _ => Results::default(),
    }
}

/// Parses a text; what cannot be is said.
fn parse<'t>(text: &'t Text, grammar: Grammar, results: &mut Results) -> Option<Tree<'t>> {
    match Tree::parse(grammar, text.mapped.text()) {
        Ok(tree) => {
            unparsed(text, &tree, grammar, results);
            Some(tree)
        }
        Err(reason) => {
            let span = text.mapped.origin(0..text.mapped.text().len());
            results.unread.push(Unread { span, reason });
            None
        }
    }
}

/// Addresses of the service in a part that the grammar could not read.
fn unparsed(text: &Text, tree: &Tree<'_>, grammar: Grammar, results: &mut Results) {
    for address in needles::addresses(text.mapped.text()) {
        let mut node = Some(tree.at(address));
        while let Some(at) = node {
            if tree.is_broken(at) {
                let span = text.mapped.origin(address..address + 1);
                let reason = format!("could not be parsed as {}", grammar.name());
                results.unread.push(Unread { span, reason });
                break;
            }
            // A command or a call that is whole was read, whatever is around it.
            if matches!(
                tree.kind(at),
                "command" | "call" | "call_expression" | "method_invocation" | "comment"
            ) {
                break;
            }
            node = tree.parent(at);
        }
    }
}

fn shell(text: &Text, settings: Settings, suppressed: Suppressed<'_>) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(text, Grammar::Bash, &mut results) else { return results };
    let script = Script::new(tree);
    let judged = Judged::new(&script, &text.mapped);
    let found = judged.findings();
    let blocked: Vec<usize> =
        found.iter().filter(|(finding, _)| suppressed(finding)).filter_map(|(_, request)| *request).collect();
    let place = |request: &crate::model::shell::request::Request| script.tree.span(request.command.node);
    let edits = fix::shell::edits(&judged, settings.style, |request| {
        !blocked
            .iter()
            .any(|number| judged.requests.get(*number).is_some_and(|other| place(other) == place(request)))
    });
    for (mut finding, request) in found {
        if let Some(edits) = request.and_then(|number| edits.get(number)) {
            finding.edits.clone_from(edits);
        }
        results.findings.push(finding);
    }
    for inner in embedded::all(&script, &text.mapped) {
        let kind = if inner.is_shell {
            Some(Kind::Shell)
        } else {
            crate::extract::kind::by_content(inner.text.text().as_bytes())
        };
        if let Some(kind) = kind.filter(|_| needles::any(inner.text.text().as_bytes(), true)) {
            let label = Some(inner.label.to_owned());
            results.inner.push(Text { mapped: inner.text, kind, label, depth: text.depth + 1 });
        }
    }
    results
}
