//! Rewrites to plain curl, for machines without `imds`.

use imds_model::header;
use imds_model::well_known::{IPV4_ENDPOINT, TOKEN_PATH};

use crate::model::shell::request::{Client, Request, TokenSent};
use crate::model::shell::script::Script;

use super::plain::{self, Change};

/// Seconds that a request may take.
const TIMEOUT: &str = "-m 5";

pub(super) fn changes(script: &Script<'_>, request: &Request) -> Option<Vec<Change>> {
    let tree = &script.tree;
    let name = tree.field(request.command.node, "name")?;
    if request.open || request.client_word != 0 {
        return None;
    }
    let client_end = tree.span(name).end;
    let written_plainly = matches!(tree.text(name), "curl" | "wget");
    if request.token != TokenSent::No || request.is_token_request() {
        return (request.client == Client::Curl && written_plainly)
            .then(|| vec![(client_end..client_end, missing(request)?)].into())
            .flatten();
    }
    if !written_plainly || !plain::only_reads(script, request) || in_quoted_backticks(script, request) {
        return None;
    }
    let start = tree.span(name).start;
    let end = plain::last_word_end(script, request.command.node)?;
    let opening = format!(
        "{{ imds_token=$(curl -fsS {TIMEOUT} --retry 3 -X PUT -H '{}: 60' {IPV4_ENDPOINT}{TOKEN_PATH}) && \
         printf '{}: %s' \"$imds_token\" | ",
        header::TOKEN_TTL,
        header::TOKEN
    );
    let mut changes = vec![(start..start, opening)];
    match request.client {
        Client::Curl => {
            let added = format!(" -H @-{}", missing(request).unwrap_or_default());
            changes.push((client_end..client_end, added));
        }
        Client::Wget => {
            let url = tree.span(request.command.words.get(request.url_word)?.node);
            changes.push((start..url.start, format!("curl -fsS {TIMEOUT} -H @- ")));
            if end > url.end {
                changes.push((url.end..end, String::new()));
            }
            let first = changes.remove(0);
            let head = changes.first_mut()?;
            head.1 = format!("{}{}", first.1, head.1);
        }
    }
    changes.push((end..end, "; }".to_owned()));
    Some(changes)
}

/// The options that a curl request lacks.
fn missing(request: &Request) -> Option<String> {
    let mut added = String::new();
    let discards = request.parsed.has(&["I", "head", "w", "write-out"]);
    if !discards && !request.parsed.has(&["f", "fail", "fail-with-body"]) {
        added.push_str(" -f");
    }
    if !request.timeout {
        added.push(' ');
        added.push_str(TIMEOUT);
    }
    if request.is_token_request() && !request.retry {
        added.push_str(" --retry 3");
    }
    (!added.is_empty()).then_some(added)
}

/// Quotes inside backticks inside quotes are read twice.
fn in_quoted_backticks(script: &Script<'_>, request: &Request) -> bool {
    script.tree.ancestors(request.command.node).any(|node| {
        script.tree.kind(node) == "command_substitution" && script.tree.text(node).starts_with('`')
    })
}
