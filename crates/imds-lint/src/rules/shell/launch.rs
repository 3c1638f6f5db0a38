//! Instances that a script launches with the AWS CLI.

use crate::model::shell::command::Command;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;

use super::Judged;

pub(super) fn judge(judged: &Judged<'_, '_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for node in judged.script.command_nodes(0) {
        let command = judged.script.command(node, &[]);
        if let Some(message) = allows_v1(&command) {
            found.push(judged.finding(RuleId::HttpTokens, node, message));
        }
    }
    found
}

fn allows_v1(command: &Command) -> Option<&'static str> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let start = words.iter().position(|word| *word == "aws" || word.ends_with("/aws"))?;
    if start != 0 && !matches!(command.name(), "sudo" | "exec" | "env" | "timeout" | "command") {
        return None;
    }
    let said = |name: &str| {
        words.iter().position(|word| *word == name || word.starts_with(&format!("{name}="))).map(|at| {
            let value = words.get(at..).unwrap_or_default();
            let value = value.iter().skip(1).take_while(|word| !word.starts_with("--"));
            let attached = words.get(at).and_then(|word| word.split_once('=')).map_or("", |(_, value)| value);
            format!("{attached} {}", value.copied().collect::<Vec<_>>().join(" "))
        })
    };
    let has = |word: &str| words.contains(&word);
    let unknown = command.words.iter().any(|word| word.open)
        || said("--cli-input-json").is_some()
        || said("--cli-input-yaml").is_some();
    let compact = |text: String| text.replace([' ', '"', '\''], "").replace(':', "=");
    if has("run-instances") || has("create-launch-configuration") {
        return match said("--metadata-options").map(compact) {
            Some(options) if options.contains("HttpTokens=optional") => {
                Some("`HttpTokens=optional` allows IMDSv1")
            }
            Some(options)
                if !options.contains("HttpTokens") && !options.contains(crate::model::url::HOLE) =>
            {
                Some("the metadata options leave `HttpTokens` to the image and the account")
            }
            Some(_) => None,
            // A launch template brings options of its own.
            None if unknown || said("--launch-template").is_some() => None,
            None => Some("no `--metadata-options HttpTokens=required`"),
        };
    }
    let changes = has("modify-instance-metadata-options")
        || has("modify-instance-metadata-defaults")
        || has("create-launch-template")
        || has("create-launch-template-version");
    let optional = said("--http-tokens").is_some_and(|value| value.trim() == "optional")
        || said("--launch-template-data")
            .map(compact)
            .is_some_and(|data| data.contains("HttpTokens=optional"));
    (changes && optional).then_some("`optional` allows IMDSv1")
}
