//! Rules over session tokens: fetched and not sent, or written where others read them.

use std::collections::BTreeMap;

use crate::model::shell::context::{self, Output};
use crate::model::shell::request::{Request, TokenSent};
use crate::model::shell::script::Script;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::syntax::tree::NodeId;

use super::Judged;

/// The variables that hold session tokens.
#[derive(Debug, Default)]
pub struct Tokens {
    /// By name: the token requests that the value comes from, by their number.
    pub variables: BTreeMap<String, Vec<usize>>,
}

impl Tokens {
    /// Finds the variables that are assigned from a token request, or from a function that makes
    /// one.
    #[must_use]
    pub fn of(script: &Script<'_>, requests: &[Request]) -> Self {
        let mut tokens = Self::default();
        for (number, request) in requests.iter().enumerate().filter(|(_, request)| request.is_token_request())
        {
            match context::output(script, request.command.node) {
                Output::Substituted(substitution) => {
                    if let Some(name) = context::assigned_to(script, substitution) {
                        tokens.variables.entry(name.to_owned()).or_default().push(number);
                    }
                }
                Output::Returned => {
                    let Some(function) = script.function_around(request.command.node) else { continue };
                    for (name, values) in script.assignments() {
                        let calls = values.iter().any(|value| {
                            let text = script.tree.text(*value).trim_matches('"');
                            let inner = text.trim_start_matches("$(").trim_matches('`').trim_end_matches(')');
                            inner.split_whitespace().next() == Some(function)
                        });
                        if calls {
                            tokens.variables.entry(name.to_owned()).or_default().push(number);
                        }
                    }
                }
                _ => {}
            }
        }
        tokens
    }
}

/// Where a variable is read.
pub(crate) fn references(script: &Script<'_>, name: &str) -> Vec<NodeId> {
    let tree = &script.tree;
    let read = |node: &NodeId| {
        tree.kind(*node) == "variable_name"
            && tree.text(*node) == name
            && tree.parent(*node).is_none_or(|parent| {
                !(tree.kind(parent) == "variable_assignment" && tree.field_of(*node) == Some("name"))
            })
    };
    tree.all().filter(read).collect()
}

pub(super) fn judge(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let mut found = unused(judged);
    found.extend(logged(judged));
    found.extend(traced(judged));
    found
}

fn unused(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let script = judged.script;
    let mut found = Vec::new();
    for (name, requests) in &judged.tokens.variables {
        let matters = |node: &NodeId| {
            let ancestors: Vec<NodeId> = script.tree.ancestors(*node).collect();
            let kinds = || ancestors.iter().map(|node| script.tree.kind(*node));
            // `export TOKEN`: a child process may send it.
            let exported = kinds().any(|kind| kind == "declaration_command");
            let tested = kinds().any(|kind| matches!(kind, "test_command" | "unset_command"));
            let command = ancestors.iter().find(|node| script.tree.kind(**node) == "command");
            let says = command.is_some_and(|command| {
                matches!(
                    script.command(*command, &[]).name(),
                    "echo" | "logger" | "test" | "[" | "unset" | "print"
                ) && matches!(context::output(script, *command), Output::Shown)
            });
            exported || !(tested || says)
        };
        let exported = script.tree.of_kind(0, "declaration_command").any(|node| {
            let text = script.tree.text(node);
            (text.starts_with("export") || text.starts_with("declare -x"))
                && script.tree.of_kind(node, "variable_name").any(|child| script.tree.text(child) == name)
        });
        if exported || references(script, name).iter().any(matters) {
            continue;
        }
        for request in requests.iter().filter_map(|number| judged.requests.get(*number)) {
            let message = format!("no request sends `${name}`");
            found.push(judged.finding(RuleId::UnusedToken, request.place(), message));
        }
    }
    found
}

fn logged(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let script = judged.script;
    let mut found = Vec::new();
    for node in script.command_nodes(0) {
        let command = script.command(node, &[]);
        let name = command.name();
        if !matches!(name, "echo" | "printf" | "logger" | "print" | "wall") {
            continue;
        }
        let word = command.words.iter().skip(1).find(|word| {
            let written = script.tree.text(word.node);
            // Its length, or whether it is set, is no secret.
            !written.contains("${#")
                && !written.contains(":+")
                && word.variables.iter().any(|variable| judged.tokens.variables.contains_key(variable))
        });
        let Some(word) = word else { continue };
        let read_by_others = name == "logger"
            || name == "wall"
            || match context::output(script, node) {
                Output::Shown => true,
                Output::File(path) => path.ends_with(".log") || path.starts_with("/var/log/"),
                Output::Piped(next) => next.iter().any(|next| {
                    matches!(script.command(*next, &[]).name(), "tee" | "logger" | "systemd-cat")
                }),
                Output::Substituted(_) | Output::Returned => false,
            };
        if read_by_others {
            let variable = word.variables.first().map_or("", String::as_str);
            let message = format!("`{name}` prints the session token in `${variable}`");
            found.push(judged.finding(RuleId::TokenLogged, node, message));
        }
    }
    for request in &judged.requests {
        let sends = matches!(request.token, TokenSent::Yes { .. });
        let verbose = request.parsed.has(&["v", "verbose", "trace", "trace-ascii", "debug"]);
        if sends && verbose && !context::errors_hidden(script, request.command.node) {
            let message = "verbose output shows the token header";
            found.push(judged.finding(RuleId::TokenLogged, request.place(), message));
        }
    }
    found
}

/// `set -x` that is on while a command has a token in its words.
fn traced(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let script = judged.script;
    let tree = &script.tree;
    let exposes = |from: usize, to: usize| {
        let assigned = judged.tokens.variables.values().flatten();
        let assigned = assigned.filter_map(|number| judged.requests.get(*number));
        let sent = judged
            .requests
            .iter()
            .filter(|request| matches!(&request.token, TokenSent::Yes { in_arguments: true, .. }));
        assigned.chain(sent).any(|request| (from..to).contains(&tree.span(request.command.node).start))
    };
    let mut switches: Vec<(usize, bool, NodeId)> = Vec::new();
    if let Some(first) = tree.of_kind(0, "comment").next().filter(|first| tree.span(*first).start == 0) {
        let mut words = tree.text(first).split_whitespace().skip(1);
        let on = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('x');
        if tree.text(first).starts_with("#!") && words.any(on) {
            switches.push((0, true, first));
        }
    }
    for node in script.command_nodes(0) {
        let command = script.command(node, &[]);
        if command.name() != "set" {
            continue;
        }
        let mut words = command.words.iter().skip(1).map(|word| word.text.as_str()).peekable();
        while let Some(word) = words.next() {
            let by_name = word.ends_with('o') && words.peek() == Some(&"xtrace");
            let Some(sign) = word.chars().next() else { continue };
            if matches!(sign, '-' | '+') && (by_name || (word.contains('x') && !word.contains("--"))) {
                switches.push((tree.span(node).start, sign == '-', node));
            }
        }
    }
    let mut found = Vec::new();
    for (index, (start, on, node)) in switches.iter().enumerate() {
        let end = switches.get(index + 1).map_or(tree.text.len(), |next| next.0);
        if *on && exposes(*start, end) {
            found.push(judged.finding(RuleId::TokenLogged, *node, "tracing prints the session token"));
            break;
        }
    }
    found
}
