//! Rules over single requests.

use imds_model::token;

use crate::model::shell::context::{self, Output};
use crate::model::shell::request::{Client, Request, TokenSent};
use crate::model::url::HOLE;
use crate::rules::catalogue::RuleId;

use super::{Found, Judged};

pub(super) fn judge(judged: &Judged<'_, '_>) -> Vec<Found> {
    let mut found = Vec::new();
    for (number, request) in judged.requests.iter().enumerate() {
        let mut add = |rule, message: &str| {
            found.push((judged.finding(rule, request.place(), message), Some(number)));
        };
        if !request.is_token_request() && request.token == TokenSent::No && !request.put {
            add(RuleId::ImdsV1Request, &format!("{} sends no session token", name(request)));
        }
        if request.is_token_request() && !request.put && request.token == TokenSent::No {
            add(RuleId::ImdsV1Request, "the token request must be a PUT: this one is answered with 405");
        }
        if matches!(request.token, TokenSent::Yes { in_arguments: true, .. }) {
            add(RuleId::TokenInProcessList, "the token is an argument, which every user can see");
        }
        if request.client == Client::Curl && uses_output(judged, request) && !fails(request) {
            add(RuleId::NoFailFlag, "curl without `-f` prints an error page as if it were the value");
        }
        if !request.timeout && !request.open {
            add(RuleId::NoTimeout, &format!("{} has no timeout here", name(request)));
        }
        if let Some(ttl) = request.ttl.as_deref().filter(|ttl| !ttl.contains(HOLE) && !in_range(ttl)) {
            add(RuleId::TokenTtlRange, &format!("the service refuses a TTL of `{ttl}` with 400"));
        }
        if request.is_token_request() && request.put && !request.retry && !request.open {
            add(RuleId::TokenPutNoRetry, "one failed attempt is the end of it");
        }
    }
    found
}

const fn name(request: &Request) -> &'static str {
    match request.client {
        Client::Curl => "curl",
        Client::Wget => "wget",
    }
}

fn in_range(ttl: &str) -> bool {
    ttl.parse::<u32>().is_ok_and(|ttl| (token::MIN_TTL_SECONDS..=token::MAX_TTL_SECONDS).contains(&ttl))
}

fn fails(request: &Request) -> bool {
    request.open || request.parsed.has(&["f", "fail", "fail-with-body"])
}

/// Whether anything reads what the request prints: a status asked for with `-w`, or a head, has no
/// page in it.
fn uses_output(judged: &Judged<'_, '_>, request: &Request) -> bool {
    if request.parsed.has(&["I", "head", "w", "write-out"]) {
        return false;
    }
    if request.parsed.value(&["o", "output"]) == Some("/dev/null") {
        return false;
    }
    context::output(judged.script, request.command.node) != Output::File("/dev/null".to_owned())
}
