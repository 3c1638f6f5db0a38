//! Rules over PowerShell.

use imds_model::token;

use crate::model::powershell::{Request, Script};
use crate::model::url::{self, Asked};
use crate::text::mapped::Mapped;

use super::catalogue::RuleId;
use super::finding::Finding;

/// Findings of a script, each with the request that it is about, by its number.
#[must_use]
pub fn judge(script: &Script<'_>, requests: &[Request], mapped: &Mapped) -> Vec<(Finding, Option<usize>)> {
    let tree = &script.tree;
    let mut found = Vec::new();
    let mut add = |rule, node, message: String, request: Option<usize>| {
        let span = tree.span(node);
        let inner_line = mapped.inner_line(span.start);
        let finding = Finding::new(rule, mapped.origin(span), message);
        found.push((Finding { inner_line, ..finding }, request));
    };
    for (number, request) in requests.iter().enumerate() {
        let name = &request.name;
        if request.target.asked == Asked::Value && !request.put && request.sends_token == Some(false) {
            add(
                RuleId::ImdsV1Request,
                request.node,
                format!("`{name}` sends no session token"),
                Some(number),
            );
        }
        if !request.timeout {
            add(RuleId::NoTimeout, request.node, format!("`{name}` has no timeout here"), Some(number));
        }
    }
    let tokens: Vec<(&str, &Request)> = script
        .assignments()
        .flat_map(|(name, values)| {
            let holds = move |request: &&Request| {
                request.target.asked == Asked::Token
                    && values.iter().any(|value| tree.below(*value).contains(&request.node))
            };
            requests.iter().filter(holds).map(move |request| (name, request))
        })
        .collect();
    for (name, request) in &tokens {
        let variable = format!("${name}");
        let lower = tree.text.to_ascii_lowercase();
        let mentions = lower.match_indices(&variable).filter(|(at, _)| {
            let next = lower.get(at + variable.len()..).and_then(|rest| rest.chars().next());
            next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
        });
        if mentions.count() == 1 {
            add(RuleId::UnusedToken, request.node, format!("no request sends `{variable}`"), None);
        }
    }
    for node in tree.all() {
        match tree.kind(node) {
            "hash_entry" => {
                if let Some(ttl) = bad_ttl(tree.text(node)) {
                    let message = format!("the service refuses a TTL of `{ttl}` with 400");
                    add(RuleId::TokenTtlRange, node, message, None);
                }
            }
            "command" => {
                let name =
                    tree.field(node, "command_name").map_or("", |name| tree.text(name)).to_ascii_lowercase();
                let prints = matches!(
                    name.as_str(),
                    "write-host"
                        | "write-output"
                        | "write-verbose"
                        | "write-information"
                        | "echo"
                        | "write-debug"
                );
                let text = tree.text(node).to_ascii_lowercase();
                let shown = tokens.iter().find(|(name, _)| {
                    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '$' | '_' | '.')))
                        .any(|word| word == format!("${name}"))
                });
                if let Some((variable, _)) = shown.filter(|_| prints) {
                    let message = format!("`{name}` prints the session token in `${variable}`");
                    add(RuleId::TokenLogged, node, message, None);
                }
            }
            "invokation_expression" if cuts_zone(script, tree.text(node)) => {
                let message = "Local Zones and Wavelength Zones have names that this cuts wrongly".to_owned();
                add(RuleId::AzCut, node, message, None);
            }
            _ => {}
        }
    }
    found
}

fn bad_ttl(entry: &str) -> Option<String> {
    let (name, value) = entry.split_once('=')?;
    if !url::has_ttl_header(name) {
        return None;
    }
    let value = value.trim().trim_matches(['"', '\'']);
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let range = token::MIN_TTL_SECONDS..=token::MAX_TTL_SECONDS;
    (digits && !value.parse().is_ok_and(|ttl: u32| range.contains(&ttl))).then(|| value.to_owned())
}

/// `$az.Substring(0, $az.Length - 1)`, `$az.Remove($az.Length - 1)`, `$az.TrimEnd("abcdef")`
fn cuts_zone(script: &Script<'_>, text: &str) -> bool {
    let Some((receiver, rest)) = text.split_once('.') else { return false };
    let lower = receiver.trim_start_matches('$').to_ascii_lowercase();
    let by_name = lower == "az" || lower.contains("availabilityzone") || lower.contains("availzone");
    let assigned = script
        .values(receiver)
        .iter()
        .any(|value| script.tree.text(*value).contains("placement/availability-zone"));
    let rest = rest.to_ascii_lowercase();
    (by_name || assigned)
        && ((rest.starts_with("substring(0") && rest.contains("length"))
            || (rest.starts_with("remove(") && rest.contains("length"))
            || rest.starts_with("trimend("))
}
