//! Finding out: what is looked at, in which order, and what is left alone once something is wrong.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use imds::{Client, ClientBuilder, ClientEvent, Endpoint, EndpointChoice, EndpointMode, ErrorKind, Source};
use imds_model::calendar::DateTime;
use imds_model::{header, well_known};

use crate::facts::{Connectivity, Content, Credentials, EndpointFact, Facts, Reading, Role};
use crate::host::Host;
use crate::host_facts;
use crate::probe::{self, Exchange, Target};

/// How long one connection attempt and one wait for bytes of a probe take at most.
const PATIENCE: Duration = imds::READ_TIMEOUT;
/// A value that every instance has, read to see whether reading works.
const PLAIN_READ: &str = "/latest/meta-data/";
const SECURITY_CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";
const TAGS: &str = "/latest/meta-data/tags/instance";
/// Shaped as a session token and never one: the service answers 401 to it.
const NO_TOKEN: &str = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";

/// What to look at beyond the usual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Send one request without a token, to see whether IMDSv1 is on. It counts as a use of IMDSv1
    /// in CloudWatch's `MetadataNoToken`.
    pub probe_version1: bool,
}

/// Finds out.
#[must_use]
pub fn collect(host: &dyn Host, client: ClientBuilder, options: Options) -> Facts {
    let store_fault = Arc::new(Mutex::new(None));
    let noted = store_fault.clone();
    let client = client
        .attempts(1)
        .observer(move |event| {
            if let ClientEvent::StoreUnavailable { error } = event {
                let text =
                    std::iter::successors(Some(*error as &dyn std::error::Error), |error| error.source())
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(": ");
                noted.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
            }
        })
        .build();
    let mut facts = host_facts::facts(host, client.as_ref().map(endpoint_fact).map_err(Clone::clone));
    if let Ok(client) = &client {
        facts.proxies = host_facts::proxies(host, client.endpoint());
        if is_disabled(facts.disabled.as_deref()) {
            // Nothing is sent; this is the error that a plain read ends with.
            facts.read = Some(client.get(PLAIN_READ).map(|_| ()));
        } else {
            ask(&mut facts, host, client, options);
        }
    }
    facts.store_fault = store_fault.lock().unwrap_or_else(PoisonError::into_inner).take();
    facts
}

/// The value that forbids every request, as the library reads it.
pub(crate) fn is_disabled(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn endpoint_fact(client: &Client) -> EndpointFact {
    let choice = client.endpoint();
    let urls: Vec<String> = choice.endpoints().iter().map(ToString::to_string).collect();
    let well_known =
        urls.iter().all(|url| url == well_known::IPV4_ENDPOINT || url == well_known::IPV6_ENDPOINT);
    let source = match choice.source() {
        Source::Explicit => "an option".to_owned(),
        other => other.to_string(),
    };
    EndpointFact { urls, source, well_known }
}

fn target(endpoint: &Endpoint) -> Target {
    Target { host: endpoint.host().to_owned(), port: endpoint.port() }
}

/// Everything that needs the network.
fn ask(facts: &mut Facts, host: &dyn Host, client: &Client, options: Options) {
    let choice = client.endpoint();
    facts.reach = choice.endpoints().iter().map(reach).collect();
    facts.read = Some(client.get(PLAIN_READ).map(|_| ()));
    let connected = facts.reach.iter().position(Connectivity::is_connected);
    facts.other_family = other_family(choice).as_ref().map(reach);
    let Some(endpoint) = connected.and_then(|at| choice.endpoints().get(at)) else { return };
    let path = |path: &str| format!("{}{path}", endpoint.prefix());
    let target = target(endpoint);
    let token = probe::exchange(
        &target,
        "PUT",
        &path(well_known::TOKEN_PATH),
        &[(header::TOKEN_TTL, "60")],
        PATIENCE,
    );
    let now = host.now();
    facts.clocks = date(&token).map(|theirs| (theirs, now));
    if matches!(token, Exchange::Stalled) {
        let headers = [(header::TOKEN, NO_TOKEN)];
        facts.wrong_token = Some(probe::exchange(&target, "GET", &path(PLAIN_READ), &headers, PATIENCE));
    }
    facts.token = Some(token);
    if options.probe_version1 {
        facts.version1 = Some(probe::exchange(&target, "GET", &path(PLAIN_READ), &[], PATIENCE));
    }
    if matches!(facts.read, Some(Ok(()))) {
        facts.content = Some(content(client));
    }
}

fn reach(endpoint: &Endpoint) -> Connectivity {
    let target = target(endpoint);
    let route = probe::route(&target);
    let connect = route.is_ok().then(|| timed_connect(&target));
    Connectivity { url: endpoint.to_string(), route, connect }
}

#[allow(
    clippy::disallowed_methods,
    reason = "the time of one connect is measured, and nothing decided by it"
)]
fn timed_connect(target: &Target) -> Result<Duration, probe::Fault> {
    let start = Instant::now();
    probe::connect(target, PATIENCE).map(|_| start.elapsed())
}

/// The well-known endpoint that a single-family choice leaves out.
fn other_family(choice: &EndpointChoice) -> Option<Endpoint> {
    let [only] = choice.endpoints() else { return None };
    let other = match only.to_string().as_str() {
        well_known::IPV4_ENDPOINT => EndpointMode::Ipv6,
        well_known::IPV6_ENDPOINT => EndpointMode::Ipv4,
        _ => return None,
    };
    other.endpoints().into_iter().next()
}

fn date(exchange: &Exchange) -> Option<std::time::SystemTime> {
    let Exchange::Answer(answer) = exchange else { return None };
    DateTime::parse_http_date(answer.header("Date")?).ok().map(DateTime::system_time)
}

fn content(client: &Client) -> Content {
    // A role's directory lists its name; there is one role at most.
    let role = match text(client, SECURITY_CREDENTIALS) {
        Reading::Failed(error) => Reading::Failed(error),
        Reading::Absent => Reading::Absent,
        Reading::Found(listing) => match listing.lines().map(str::trim).find(|line| !line.is_empty()) {
            None => Reading::Absent,
            Some(name) => {
                Reading::Found(Role { credentials: credentials(client, name), name: name.to_owned() })
            }
        },
    };
    let tags = match text(client, TAGS) {
        Reading::Found(listing) => Reading::Found(listing.lines().filter(|line| !line.is_empty()).count()),
        Reading::Absent => Reading::Absent,
        Reading::Failed(error) => Reading::Failed(error),
    };
    let user_data = match client.user_data() {
        Ok(Some(data)) => Reading::Found(data.len()),
        Ok(None) => Reading::Absent,
        Err(error) => Reading::Failed(error),
    };
    Content { tags, role, user_data }
}

fn text(client: &Client, path: &str) -> Reading<String> {
    match client.get(path).and_then(|response| response.text().map(str::to_owned)) {
        Ok(text) => Reading::Found(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Reading::Absent,
        Err(error) => Reading::Failed(error),
    }
}

/// What is said of the role's credentials. Nothing of the keys is kept.
fn credentials(client: &Client, role: &str) -> Credentials {
    const FIELDS: [&str; 4] = ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"];
    let path = format!("{SECURITY_CREDENTIALS}{role}");
    let response = match client.get(path.as_str()) {
        Ok(response) => response,
        Err(error) if error.kind() == ErrorKind::NotFound => return Credentials::Absent,
        Err(error) => return Credentials::Failed(error),
    };
    let document: Option<serde_json::Value> = serde_json::from_slice(response.bytes()).ok();
    let Some(document) = document.filter(serde_json::Value::is_object) else {
        return Credentials::NotJson { bytes: response.bytes().len() };
    };
    let field = |name: &str| {
        document.get(name).and_then(|value| value.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(code) = field("Code").filter(|code| code != "Success") {
        return Credentials::Refused { code, message: field("Message") };
    }
    match (FIELDS.into_iter().find(|name| field(name).is_none()), field("Expiration")) {
        (None, Some(expiration)) => Credentials::Complete { expiration },
        (missing, _) => Credentials::Incomplete { field: missing.unwrap_or("Expiration") },
    }
}
