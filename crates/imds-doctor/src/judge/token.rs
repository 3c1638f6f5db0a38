//! Checks of the conversation: the token PUT, the read, and IMDSv1 where it is asked for.

use imds::ErrorKind;
use imds_model::header;

use crate::facts::Facts;
use crate::probe::{Answer, Exchange};
use crate::report::{Check, Outcome};

const TURNED_OFF_FIX: &str =
    "aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled";

pub(super) fn token(facts: &Facts) -> Check {
    const ID: &str = "token";
    match &facts.token {
        None => Check::skipped(ID, "no token was asked for"),
        Some(Exchange::Answer(answer)) => answered(facts, answer),
        Some(Exchange::Stalled) => stalled(facts),
        Some(Exchange::NotHttp) => not_imds("what listens there does not speak HTTP"),
        Some(Exchange::Dropped) => {
            Check::failure(ID, "dropped", "the connection ends without an answer to the token PUT")
                .fix("where a proxy or a firewall stands in between, let it pass PUT requests")
        }
        Some(Exchange::Unreachable(fault)) => {
            Check::failure(ID, "no-answer", format!("a second connection is not made: {fault}"))
        }
    }
}

fn answered(facts: &Facts, answer: &Answer) -> Check {
    const ID: &str = "token";
    let server =
        answer.header("Server").map_or("no `Server` header".to_owned(), |name| format!("`Server: {name}`"));
    let seen = format!("PUT /latest/api/token: {}, {server}", answer.status);
    let is_token = answer.header(header::TOKEN_TTL).is_some() && !answer.is_page();
    let check = match answer.status {
        200 if is_token => Check::ok(ID, "a session token is given"),
        403 => Check::failure(ID, "turned-off", "the service is turned off for this instance (403)")
            .fix(TURNED_OFF_FIX),
        429 | 503 => throttled(answer),
        501 | 405 => not_imds("what answers there does not know PUT requests")
            .fix("if it is an older service without session tokens, read it with `--imds-v1`"),
        500..=599 => Check::failure(ID, "failing", "the service fails to give a session token")
            .fix("wait, and ask again: the service says of itself that this passes"),
        _ if answer.is_page() => not_imds("a web page answers there, not the metadata service"),
        _ => not_imds("something other than the metadata service answers there"),
    };
    let urls = facts.endpoint.as_ref().map(|endpoint| endpoint.urls.as_slice()).unwrap_or_default();
    match urls.iter().find(|url| url.trim_end_matches('/').ends_with("/latest")) {
        Some(url) if check.outcome == Outcome::Failure => check
            .seen(seen)
            .seen(format!("the endpoint `{url}` ends in `/latest`, with which every path begins"))
            .fix("leave `/latest` out of the endpoint"),
        _ => check.seen(seen),
    }
}

fn throttled(answer: &Answer) -> Check {
    let check = Check::failure("token", "throttled", "the service is asked too often")
        .fix("ask less often: share one token among processes, read once and keep the value");
    match answer.header("Retry-After") {
        Some(delay) => check.seen(format!("`Retry-After: {delay}`")),
        None => check,
    }
}

fn not_imds(summary: &str) -> Check {
    Check::failure("token", "not-imds", summary)
        .fix("correct the endpoint, or the route or proxy that leads elsewhere")
}

/// Connected, but no answer to the PUT. Only the answer to a PUT has the short hop limit, so an
/// answer to anything else on the same way shows that it is the hop limit (EC2 User Guide, "Use
/// IMDSv2").
fn stalled(facts: &Facts) -> Check {
    const ID: &str = "token";
    if !matches!(facts.wrong_token, Some(Exchange::Answer(_))) {
        return Check::failure(ID, "silent", "a connection is made, but no request is answered")
            .fix("look for a firewall or proxy that accepts connections and drops what they carry");
    }
    let check = Check::failure(
        ID,
        "hop-limit",
        "the answer to the token PUT does not arrive: the hop limit is too low",
    )
    .seen(
        "a PUT is not answered, a GET on the same way is: only the PUT's answer is sent with the hop limit",
    );
    let check = match &facts.container {
        Some(container) => check.seen(format!("this process is in a container: {container}")),
        None => {
            check.seen("no container shows itself; a network namespace or a virtual machine counts as well")
        }
    };
    check
        .fix(
            "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2 \
             --http-endpoint enabled (one more for each further network in between)",
        )
        .fix("or run in the host's network namespace")
}

pub(super) fn read(facts: &Facts) -> Check {
    const ID: &str = "read";
    let error = match &facts.read {
        None => return Check::skipped(ID, "nothing was read"),
        Some(Ok(())) => return Check::ok(ID, "`/latest/meta-data/` is read"),
        Some(Err(error)) => error,
    };
    let check = match error.kind() {
        ErrorKind::Throttled => Check::failure(ID, "throttled", "the service is asked too often")
            .fix("ask less often: share one token among processes, read once and keep the value"),
        ErrorKind::Server if error.status() == Some(503) => {
            Check::failure(ID, "throttled", "the service is asked too often, or not ready")
                .fix("ask less often, or later")
        }
        ErrorKind::Server => {
            Check::failure(ID, "failing", "the service fails to answer").fix("wait, and ask again")
        }
        ErrorKind::Unauthorized => {
            Check::failure(ID, "token-refused", "the service refuses tokens that it has just given")
                .fix("wait: early at boot, and while metadata options are pending, this passes")
        }
        ErrorKind::Forbidden => {
            Check::failure(ID, "turned-off", "the service is turned off for this instance (403)")
                .fix(TURNED_OFF_FIX)
        }
        ErrorKind::Unreachable => Check::failure(ID, "no-answer", "a read is not answered")
            .fix("look for a firewall, or for too many packets: `ethtool -S INTERFACE`"),
        _ => Check::failure(ID, "not-imds", "what answers a read is not the metadata service")
            .fix("correct the endpoint, or the route or proxy that leads elsewhere"),
    };
    check.seen(error.to_string())
}

pub(super) fn version1(facts: &Facts) -> Check {
    const ID: &str = "imdsv1";
    match &facts.version1 {
        None => Check::skipped(ID, "not probed: `--probe-v1` does, and counts as a use in CloudWatch"),
        Some(Exchange::Answer(answer)) if answer.status == 401 => Check::ok(ID, "tokens are required"),
        Some(Exchange::Answer(answer)) if answer.status == 200 => {
            Check::note(ID, "a request without a token is answered: IMDSv1 is on")
                .seen("this probe counted in CloudWatch's `MetadataNoToken`")
                .fix("aws ec2 modify-instance-metadata-options --instance-id ID --http-tokens required")
        }
        Some(Exchange::Answer(answer)) => {
            Check::note(ID, format!("a request without a token is answered with {}", answer.status))
        }
        Some(_) => Check::note(ID, "a request without a token is not answered"),
    }
}
