//! Rules over PowerShell.

use imds_model::catalogue::Format;
use imds_model::{CATALOGUE, token};

use crate::fix::Style;
use crate::model::powershell::{Request, Script};
use crate::model::url::{self, Asked, HOLE};
use crate::text::mapped::Mapped;

use super::catalogue::RuleId;
use super::finding::{Edit, Finding};

/// Findings of a script.
#[must_use]
pub fn judge(script: &Script<'_>, mapped: &Mapped, style: Style) -> Vec<Finding> {
    let tree = &script.tree;
    let mut found = Vec::new();
    let mut add = |rule, node, message: String, edits: Vec<Edit>| {
        let span = tree.span(node);
        let inner_line = mapped.inner_line(span.start);
        found.push(Finding { inner_line, edits, ..Finding::new(rule, mapped.origin(span), message) });
    };
    let requests = script.requests();
    for request in &requests {
        let edits = rewrite(script, request, mapped, style);
        let name = &request.name;
        if request.target.asked == Asked::Value && !request.put && request.sends_token == Some(false) {
            add(
                RuleId::ImdsV1Request,
                request.node,
                format!("`{name}` sends no session token"),
                edits.clone(),
            );
        }
        if !request.timeout {
            add(RuleId::NoTimeout, request.node, format!("`{name}` has no timeout here"), edits);
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
            add(RuleId::UnusedToken, request.node, format!("no request sends `{variable}`"), Vec::new());
        }
    }
    for node in tree.all() {
        match tree.kind(node) {
            "hash_entry" => {
                if let Some(ttl) = bad_ttl(script, tree.text(node)) {
                    let message = format!("the service refuses a TTL of `{ttl}` with 400");
                    add(RuleId::TokenTtlRange, node, message, Vec::new());
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
                    add(RuleId::TokenLogged, node, message, Vec::new());
                }
            }
            "invokation_expression" if cuts_zone(script, tree.text(node)) => {
                let message = "Local Zones and Wavelength Zones have names that this cuts wrongly".to_owned();
                add(RuleId::AzCut, node, message, Vec::new());
            }
            _ => {}
        }
    }
    found
}

fn bad_ttl(script: &Script<'_>, entry: &str) -> Option<String> {
    let (name, value) = entry.split_once('=')?;
    if !url::has_ttl_header(name) {
        return None;
    }
    let _ = script;
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

/// `imds get` gives text; `Invoke-RestMethod` makes objects of JSON. A value of one line is the same from both.
fn rewrite(script: &Script<'_>, request: &Request, mapped: &Mapped, style: Style) -> Vec<Edit> {
    let known = ["uri", "headers", "method", "timeoutsec", "usebasicparsing"];
    let plain = request.parameters.iter().all(|name| known.contains(&name.as_str()));
    let name = request.name.to_ascii_lowercase();
    let tree = &script.tree;
    if style != Style::Imds
        || !matches!(name.as_str(), "invoke-restmethod" | "irm")
        || request.put
        || request.sends_token.is_none()
        || !plain
        || request.target.asked != Asked::Value
        || request.target.path.contains([HOLE, '?'])
    {
        return Vec::new();
    }
    let Some(path) = request.target.path.strip_prefix("/latest/meta-data/") else { return Vec::new() };
    let one_line = CATALOGUE.iter().any(|category| {
        category.path().trim_start_matches("meta-data/") == path
            && matches!(category.format(), Format::Text | Format::Integer)
    });
    if !one_line {
        return Vec::new();
    }
    let edit = mapped.edit(tree.span(request.node), &format!("imds get {path}"));
    edit.map(|(span, text)| vec![Edit { span, text }]).unwrap_or_default()
}
