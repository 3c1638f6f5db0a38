//! The rule over Regions that are cut out of Availability Zone names.

use crate::model::shell::command::Command;
use crate::model::shell::script::Script;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::syntax::tree::NodeId;

use super::Judged;

const MESSAGE: &str = "Local Zones and Wavelength Zones have names that this cuts wrongly";

pub(super) fn judge(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let script = judged.script;
    let tree = &script.tree;
    let mut found = Vec::new();
    for node in tree.all() {
        let cut = match tree.kind(node) {
            "expansion" => cuts_variable(script, node),
            "pipeline" => cuts_in_pipeline(script, node),
            // `sed 's/.$//' <<< "$AZ"`
            "redirected_statement" | "command" => {
                let given = tree.children(node).find(|child| tree.kind(*child) == "herestring_redirect");
                given.is_some_and(|given| mentions_zone(script, given))
                    && script
                        .command_nodes(node)
                        .next()
                        .is_some_and(|command| cuts(&script.command(command, &[]), &[]))
            }
            _ => false,
        };
        if cut {
            found.push(judged.finding(RuleId::AzCut, node, MESSAGE));
        }
    }
    found
}

/// `${AZ%?}`, `${AZ::-1}`, `${AZ:0:9}`, but not `${AZ: -1}`, which is the letter.
fn cuts_variable(script: &Script<'_>, node: NodeId) -> bool {
    let inner = script.tree.text(node).trim_start_matches("${");
    let name: String = inner.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if !is_zone(script, &name) {
        return false;
    }
    let rest = inner.get(name.len()..).unwrap_or_default();
    let compact: String = rest.chars().filter(|c| !c.is_whitespace()).collect();
    let from_end = rest.starts_with(": -") || compact.starts_with(":(-");
    let default = !from_end && [":-", ":=", ":?", ":+"].iter().any(|operator| rest.starts_with(operator));
    // The letter alone: from a place other than the beginning.
    let from_start = compact.starts_with("::") || compact.starts_with(":0:");
    compact.starts_with('%') || compact.starts_with("/%") || (from_start && !from_end && !default)
}

/// Whether a variable holds the name of a zone: by what it is assigned from, or by its own name.
pub(super) fn is_zone(script: &Script<'_>, name: &str) -> bool {
    let values = script.values(name);
    if values.iter().any(|value| asks_zone(script.tree.text(*value))) {
        return true;
    }
    let lower = name.to_ascii_lowercase();
    let compact = lower.replace('_', "");
    lower == "az"
        || lower.ends_with("_az")
        || lower.starts_with("az_") && !lower.contains("id")
        || compact.contains("availabilityzone") && !compact.contains("id")
        || compact.contains("availzone")
}

fn asks_zone(text: &str) -> bool {
    text.contains("placement/availability-zone") && !text.contains("availability-zone-id")
        || text.contains("ec2-metadata -z")
        || text.contains("ec2-metadata --availability-zone")
        || text.contains("ec2metadata --availability-zone")
}

fn mentions_zone(script: &Script<'_>, node: NodeId) -> bool {
    let tree = &script.tree;
    asks_zone(tree.text(node))
        || tree.of_kind(node, "variable_name").any(|variable| is_zone(script, tree.text(variable)))
}

fn cuts_in_pipeline(script: &Script<'_>, node: NodeId) -> bool {
    let stages: Vec<NodeId> = script.tree.named(node).collect();
    let Some(first) = stages.iter().position(|stage| mentions_zone(script, *stage)) else { return false };
    let later: Vec<Command> = stages
        .iter()
        .skip(first + 1)
        .filter_map(|stage| script.command_nodes(*stage).next())
        .map(|command| script.command(command, &[]))
        .collect();
    let names: Vec<&str> = later.iter().map(Command::name).collect();
    later.iter().any(|command| cuts(command, &names))
}

/// Whether a filter takes off the end of a line.
fn cuts(command: &Command, all: &[&str]) -> bool {
    let words = || command.words.iter().skip(1).map(|word| word.text.as_str());
    match command.name() {
        "sed" | "gsed" => words().any(|word| {
            word.starts_with('s')
                && (word.contains("$/")
                    || word.contains("\\1")
                    || word.contains("$|")
                    || word.contains("$,")
                    || word.contains("$#")
                    || word.contains("$//"))
        }),
        "cut" => {
            let text = words().collect::<Vec<_>>().join(" ");
            let range = text.split_once("-c").map_or("", |(_, range)| range.trim_start());
            range.starts_with("1-")
                || range.starts_with('-')
                || (all.contains(&"rev") && range.starts_with("2-"))
        }
        "head" => words().any(|word| word.starts_with("-c")),
        "awk" | "gawk" => words().any(|word| word.contains("substr(")),
        "grep" | "egrep" => words().any(|word| word.starts_with('-') && word.contains('o')),
        "perl" => words().any(|word| word.contains("$/") || word.contains("chop")),
        "python" | "python3" => words().any(|word| word.contains("[:-1]")),
        _ => false,
    }
}
