//! Programs that a script installs, and that know IMDSv1 only.

use crate::model::shell::command::base_name;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::rules::pins::{self, Ecosystem};

use super::Judged;

pub(super) fn judge(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in judged.script.command_nodes(0) {
        let command = judged.script.command(node, &[]);
        let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
        if matches!(command.name(), "echo" | "printf" | "grep" | "logger") {
            continue;
        }
        if words.iter().any(|word| word.contains(OLD_SCRIPT)) {
            let message = "this `ec2-metadata` script of 2009 knows IMDSv1 only";
            found.push(judged.finding(RuleId::V1OnlyTool, node, message));
        }
        let name = command.name();
        if words.iter().any(|word| base_name(word) == "s3fs")
            && words
                .iter()
                .any(|word| word.split(',').any(|option| option.trim_start_matches("-o") == "imdsv1only"))
        {
            let message = "`imdsv1only` keeps s3fs from sending a session token";
            found.push(judged.finding(RuleId::V1OnlyTool, node, message));
        }
        let Some(ecosystem) = ecosystem(name, &words) else { continue };
        for (index, word) in words.iter().enumerate() {
            let next = |flags: &[&str]| {
                words.get(index + 1..).unwrap_or_default().windows(2).find_map(|pair| match pair {
                    [flag, value] if flags.contains(flag) => Some(*value),
                    _ => None,
                })
            };
            let version = match ecosystem {
                Ecosystem::Gems => next(&["-v", "--version"]).unwrap_or_default().to_owned(),
                _ => String::new(),
            };
            if let Some(message) = pins::judge(ecosystem, word, &version) {
                let span = command.words.get(index).map_or(0..0, |word| word.span.clone());
                found.push(Finding::new(RuleId::OldSdk, judged.mapped.origin(span), message));
            }
        }
    }
    found
}

/// Where the old script was downloaded from.
const OLD_SCRIPT: &str = "s3.amazonaws.com/ec2metadata/ec2-metadata";

fn ecosystem(name: &str, words: &[&str]) -> Option<Ecosystem> {
    let has = |word: &str| words.iter().any(|other| base_name(other) == word);
    let installs = ["install", "add", "i", "get", "require"].iter().any(|word| words.contains(word));
    if !installs {
        return None;
    }
    let runs = |program: &str| name == program || (name == "sudo" && has(program));
    if ["pip", "pip2", "pip3", "pipx", "uv", "poetry", "conda"]
        .iter()
        .any(|program| runs(program) || (has("-m") && has(program)))
    {
        Some(Ecosystem::Python)
    } else if ["npm", "yarn", "pnpm"].iter().any(|program| runs(program)) {
        Some(Ecosystem::Npm)
    } else if runs("gem") {
        Some(Ecosystem::Gems)
    } else if runs("go") {
        Some(Ecosystem::Go)
    } else if runs("composer") {
        Some(Ecosystem::Composer)
    } else {
        None
    }
}
