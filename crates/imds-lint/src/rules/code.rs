//! Rules over Python, JavaScript, Go, Ruby and Java.

use std::collections::BTreeSet;

use crate::model::code::{Call, Program};
use crate::model::url::{self, Asked};
use crate::syntax::tree::NodeId;
use crate::text::mapped::Mapped;

use super::catalogue::RuleId;
use super::finding::Finding;

/// Findings of a program.
#[must_use]
pub fn judge(program: &Program<'_>, mapped: &Mapped) -> Vec<Finding> {
    let requests = program.requests();
    let mut found = Vec::new();
    let mut add = |rule, node: NodeId, message: String| {
        let span = program.tree.span(node);
        let inner_line = mapped.inner_line(span.start);
        found.push(Finding { inner_line, ..Finding::new(rule, mapped.origin(span), message) });
    };
    for request in &requests {
        let asks_value = request.target.asked == Asked::Value;
        if asks_value && !request.put && request.sends_token == Some(false) && !other_cloud(program, request)
        {
            add(
                RuleId::ImdsV1Request,
                request.node,
                format!("`{}` sends no session token", short(&request.callee)),
            );
        }
        if !has_timeout(program, request) {
            add(RuleId::NoTimeout, request.node, format!("`{}` has no timeout here", short(&request.callee)));
        }
    }
    let tokens = tokens(program, &requests);
    for (name, request) in &tokens {
        let mentions = program.tree.all().filter(|node| {
            program.tree.text(*node) == *name
                && matches!(
                    program.tree.kind(*node),
                    "identifier" | "shorthand_property_identifier" | "constant"
                )
        });
        if mentions.count() == 1 {
            add(RuleId::UnusedToken, *request, format!("no request sends `{name}`"));
        }
    }
    for node in program.tree.all() {
        if let Some(message) = ttl(program, node) {
            add(RuleId::TokenTtlRange, node, message);
        }
        if cuts_zone(program, node) {
            let message = "Local Zones and Wavelength Zones have names that this cuts wrongly";
            add(RuleId::AzCut, node, message.to_owned());
        }
    }
    for call in program.call_nodes() {
        let callee = program.callee(call);
        if let Some(name) = logs(program, call, &callee, &tokens) {
            add(
                RuleId::TokenLogged,
                call,
                format!("`{}` prints the session token in `{name}`", short(&callee)),
            );
        }
        if let Some(message) = v1_only(program, call, &callee) {
            add(RuleId::V1OnlyTool, call, message);
        }
    }
    found
}

fn short(callee: &str) -> &str {
    callee.lines().next().unwrap_or_default().trim_start_matches('.')
}

fn other_cloud(program: &Program<'_>, request: &Call) -> bool {
    url::is_other_cloud_header(program.tree.text(request.node))
}

/// Whether a request has a time limit, or is of a kind of which that is not known.
fn has_timeout(program: &Program<'_>, request: &Call) -> bool {
    let callee = request.callee.as_str();
    let text = program.tree.text(request.node);
    let unlimited = match callee {
        // No limit unless one is given: the manuals of requests, urllib and net/http say so.
        "requests.get" | "requests.put" | "requests.request" | "requests.head" => !text.contains("timeout"),
        "urlopen" | "urllib.request.urlopen" | "urllib2.urlopen" | "urllib.urlopen" => {
            !text.contains("timeout")
        }
        "http.Get" | "http.Head" => true,
        _ => false,
    };
    // `**options`
    !unlimited || text.contains("**")
}

/// Names that are assigned from a token request, and that request.
fn tokens<'t>(program: &Program<'t>, requests: &[Call]) -> Vec<(&'t str, NodeId)> {
    let mut found = Vec::new();
    for (name, values) in program.assignments() {
        for request in requests.iter().filter(|request| request.target.asked == Asked::Token) {
            if values.iter().any(|value| program.tree.below(*value).contains(&request.node)) {
                found.push((name, request.node));
            }
        }
    }
    found
}

/// A TTL header with a literal value out of range.
fn ttl(program: &Program<'_>, node: NodeId) -> Option<String> {
    let tree = &program.tree;
    if !matches!(
        tree.kind(node),
        "string" | "string_literal" | "interpreted_string_literal" | "raw_string_literal"
    ) {
        return None;
    }
    if !url::has_ttl_header(tree.text(node)) || tree.text(node).len() > 60 {
        return None;
    }
    let parent = tree.parent(node)?;
    // `{name: value}`, `set(name, value)`, `req[name] = value`.
    let value = match tree.kind(parent) {
        "pair" => tree.field(parent, "value"),
        "element_reference" | "subscript" => {
            tree.parent(parent).and_then(|parent| tree.field(parent, "right"))
        }
        _ => tree.named(parent).skip_while(|child| *child != node).nth(1),
    }?;
    let text = match tree.kind(value) {
        "integer" | "number" | "int_literal" | "decimal_integer_literal" => tree.text(value).to_owned(),
        _ => program.text(value),
    };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let limits = imds_model::token::MIN_TTL_SECONDS..=imds_model::token::MAX_TTL_SECONDS;
    (digits && !text.parse().is_ok_and(|ttl: u32| limits.contains(&ttl)))
        .then(|| format!("the service refuses a TTL of `{text}` with 400"))
}

fn is_zone(program: &Program<'_>, name: &str) -> bool {
    let compact = name.to_ascii_lowercase().replace(['_', '@', '$'], "");
    let by_name = compact == "az" || compact.ends_with("availabilityzone") || compact.ends_with("availzone");
    by_name
        || program.values(name).iter().any(|value| {
            let text = program.tree.text(*value);
            text.contains("placement/availability-zone") && !text.contains("availability-zone-id")
        })
}

fn cuts_zone(program: &Program<'_>, node: NodeId) -> bool {
    let tree = &program.tree;
    let text = tree.text(node);
    if text.len() > 200 {
        return false;
    }
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let head: String =
        compact.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '@')).collect();
    let rest = compact.get(head.len()..).unwrap_or_default();
    let (name, method) = match tree.kind(node) {
        "subscript" | "slice_expression" | "element_reference" => (head.as_str(), ""),
        "call" | "call_expression" | "method_invocation" => {
            head.rsplit_once('.').unwrap_or((head.as_str(), ""))
        }
        _ => return false,
    };
    let name = name.rsplit('.').next().unwrap_or(name);
    if !is_zone(program, name) {
        return false;
    }
    match tree.kind(node) {
        "subscript" | "slice_expression" | "element_reference" => {
            matches!(rest, "[:-1]" | "[0:-1]" | "[0..-2]" | "[0...-1]" | "[..-2]" | "[...-1]")
                || (rest.starts_with("[:len(") || rest.starts_with("[0:len(")) && rest.ends_with(")-1]")
        }
        _ => match method {
            "slice" | "substring" | "substr" => {
                rest == "(0,-1)"
                    || (rest.starts_with("(0,") && rest.contains("length") && rest.ends_with("-1)"))
            }
            "chop" => true,
            "rstrip" | "TrimRight" => rest.contains("abc"),
            _ => false,
        },
    }
}

/// The token that a call prints.
fn logs<'t>(
    program: &Program<'t>,
    call: NodeId,
    callee: &str,
    tokens: &[(&'t str, NodeId)],
) -> Option<&'t str> {
    let tree = &program.tree;
    let last = callee.rsplit(['.', ':']).next().unwrap_or_default();
    let head = callee.split('.').next().unwrap_or_default();
    let prints =
        matches!(last, "print" | "println" | "puts" | "p" | "Println" | "Printf" | "Print" | "printf")
            || (matches!(head, "console" | "log" | "logger" | "logging" | "LOG" | "LOGGER" | "Rails")
                && matches!(
                    last,
                    "log" | "info" | "debug" | "warn" | "warning" | "error" | "Printf" | "Println" | "trace"
                ));
    if !prints {
        return None;
    }
    let names: BTreeSet<&str> = program
        .arguments(call)
        .into_iter()
        .flat_map(|argument| tree.below(argument))
        .filter(|node| matches!(tree.kind(*node), "identifier" | "constant"))
        // `len(token)` is no secret.
        .filter(|node| {
            !tree.ancestors(*node).take_while(|around| *around != call).any(|around| {
                matches!(tree.kind(around), "call" | "call_expression") && {
                    let callee = program.callee(around);
                    matches!(callee.as_str(), "len" | "bool" | "type")
                }
            })
        })
        .map(|node| tree.text(node))
        .collect();
    tokens.iter().map(|(name, _)| *name).find(|name| names.contains(name))
}

/// Calls that never send a token.
fn v1_only(program: &Program<'_>, call: NodeId, callee: &str) -> Option<String> {
    let tree = &program.tree;
    let last = callee.rsplit('.').next().unwrap_or_default();
    let imports = |name: &str| tree.text.contains(name);
    match last {
        "get_instance_metadata" | "get_instance_identity" | "get_instance_userdata" if imports("boto") => {
            (callee.contains("boto.utils") || imports("from boto.utils import") || imports("boto.utils"))
                .then(|| format!("`{}` of boto 2 knows IMDSv1 only", short(callee)))
        }
        // `new AWS.MetadataService().request(path, callback)` adds no token; with options, the
        // caller may.
        "request" if imports("MetadataService") => {
            let receiver = callee.rsplit_once('.').map_or("", |(receiver, _)| receiver);
            let name = receiver.rsplit('.').next().unwrap_or(receiver);
            let made = receiver.contains("AWS.MetadataService")
                || program.values(name).iter().any(|value| tree.text(*value).contains("AWS.MetadataService"));
            let arguments = program.arguments(call);
            let options = arguments.len() > 2 || url::has_token_header(tree.text(call));
            (made && !options).then(|| "`AWS.MetadataService.request` never adds a session token".to_owned())
        }
        "GetMetaData" | "GetInstanceCredentials" if imports("goamz") => {
            Some("goamz knows IMDSv1 only".to_owned())
        }
        _ => None,
    }
}
