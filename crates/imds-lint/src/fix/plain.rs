//! Requests that do nothing but print a value.

use std::ops::Range;

use crate::model::shell::request::{Client, Request, TokenSent};
use crate::model::shell::script::Script;
use crate::model::url;
use crate::syntax::tree::NodeId;

/// A change in the text of the script, before it is placed in the file.
pub(super) type Change = (Range<usize>, String);

/// Options that change nothing about what is printed when the request succeeds, or that `imds get`
/// has its own rule for.
const CURL_ALLOWED: [&str; 28] = [
    "s",
    "S",
    "f",
    "L",
    "m",
    "N",
    "silent",
    "show-error",
    "fail",
    "fail-with-body",
    "location",
    "max-time",
    "connect-timeout",
    "retry",
    "retry-delay",
    "retry-max-time",
    "retry-connrefused",
    "retry-all-errors",
    "noproxy",
    "no-buffer",
    "X",
    "request",
    "H",
    "header",
    "g",
    "globoff",
    "no-progress-meter",
    "get",
];
const WGET_ALLOWED: [&str; 18] = [
    "q",
    "quiet",
    "O",
    "output-document",
    "T",
    "timeout",
    "t",
    "tries",
    "header",
    "no-proxy",
    "no-verbose",
    "connect-timeout",
    "read-timeout",
    "dns-timeout",
    "waitretry",
    "retry-connrefused",
    "no-check-certificate",
    "no-cache",
];

/// Whether a request does nothing but print the value.
pub(super) fn only_reads(script: &Script<'_>, request: &Request) -> bool {
    let words = &request.command.words;
    let simple = !request.is_token_request()
        && !request.put
        && !request.open
        && request.client_word == 0
        && request.parsed.operands.len() == 1
        && request.token != TokenSent::Unknown
        && !request.target.path.contains(['?', '#', '%', '{', '['])
        && words.iter().all(|word| !word.one_of_several);
    if !simple || !words_stand_alone(script, request) {
        return false;
    }
    let header_is_token = request.parsed.named(&["H", "header"]).all(|header| {
        header.value.as_deref().is_some_and(|value| url::has_token_header(value) || value.starts_with('@'))
    });
    let from_file = matches!(request.token, TokenSent::Yes { in_arguments: false, .. });
    let method = request.parsed.value(&["X", "request", "method"]).is_none_or(|method| method == "GET");
    let allowed: &[&str] = match request.client {
        Client::Curl => &CURL_ALLOWED,
        Client::Wget => &WGET_ALLOWED,
    };
    let known = request.parsed.options.iter().all(|option| allowed.contains(&option.name.as_str()));
    let to_stdout = match request.client {
        Client::Curl => true,
        Client::Wget => request.parsed.value(&["O", "output-document"]) == Some("-"),
    };
    header_is_token && !from_file && method && known && to_stdout
}

/// Whether the words are written next to each other, each as one node, with nothing else between
/// them.
fn words_stand_alone(script: &Script<'_>, request: &Request) -> bool {
    let tree = &script.tree;
    let mut at: Option<usize> = None;
    for child in tree.children(request.command.node) {
        let is_word = matches!(tree.field_of(child), Some("name" | "argument"));
        if !is_word {
            if at.is_some() {
                return false;
            }
            continue;
        }
        let span = tree.span(child);
        if let Some(end) = at {
            let gap = tree.text.get(end..span.start).unwrap_or("?");
            if !gap.replace("\\\n", "").replace("\\\r\n", "").chars().all(|c| matches!(c, ' ' | '\t')) {
                return false;
            }
        }
        at = Some(span.end);
    }
    at.is_some()
}

/// The end of a command's last word.
pub(super) fn last_word_end(script: &Script<'_>, command: NodeId) -> Option<usize> {
    let tree = &script.tree;
    tree.children(command)
        .filter(|child| matches!(tree.field_of(*child), Some("name" | "argument")))
        .map(|child| tree.span(child).end)
        .last()
}
