//! Checks of the way to the service: route and connection.

use super::machine;
use crate::facts::{Connectivity, EndpointFact, Facts};
use crate::probe::Fault;
use crate::report::Check;

pub(super) fn route(facts: &Facts) -> Check {
    const ID: &str = "route";
    if let Some(check) = other_family(facts) {
        return check;
    }
    let evidence = facts.reach.iter().map(|reach| match reach.route {
        Ok(()) => format!("`{}`: a route", reach.url),
        Err(fault) => format!("`{}`: {fault}", reach.url),
    });
    // With two endpoints one of them is enough.
    if facts.reach.iter().any(|reach| reach.route.is_ok()) {
        return Check::ok(ID, "there is a route").seen_all(evidence);
    }
    let fault = first_fault(facts.reach.iter().map(|reach| reach.route));
    if let Some(check) = machine::prohibited(facts, fault) {
        return check.seen_all(evidence);
    }
    if machine::is_elsewhere(facts) {
        return not_ec2().seen_all(evidence);
    }
    let check = match fault {
        Fault::Unresolved => Check::failure(ID, "unknown-host", "the endpoint's name has no address"),
        _ => Check::failure(ID, "no-route", "there is no route to the endpoint"),
    };
    with_source(check.seen_all(evidence), facts)
        .fix("look at `ip route get 169.254.169.254`: a default route, or one to that address, is needed")
}

pub(super) fn connect(facts: &Facts) -> Check {
    const ID: &str = "connect";
    let evidence = facts.reach.iter().chain(&facts.other_family).map(|reach| match &reach.connect {
        None => format!("`{}`: not tried without a route", reach.url),
        Some(Ok(time)) => format!("`{}`: connected in {:.1} ms", reach.url, time.as_secs_f64() * 1000.0),
        Some(Err(fault)) => format!("`{}`: {fault}", reach.url),
    });
    if facts.reach.iter().any(Connectivity::is_connected) {
        return Check::ok(ID, "a connection is made").seen_all(evidence);
    }
    let fault = first_fault(facts.reach.iter().filter_map(|reach| reach.connect.map(|r| r.map(|_| ()))));
    if let Some(check) = machine::prohibited(facts, fault) {
        return Check { id: ID, ..check }.seen_all(evidence);
    }
    if machine::is_elsewhere(facts) {
        return Check { id: ID, ..not_ec2() }.seen_all(evidence);
    }
    let check = match fault {
        Fault::Refused => Check::failure(ID, "not-listening", "nothing listens at the endpoint"),
        Fault::NoRoute => Check::failure(ID, "no-route", "the endpoint cannot be reached: no route"),
        _ => Check::failure(ID, "no-answer", "the endpoint does not answer a connection attempt"),
    };
    let check = with_source(check.seen_all(evidence), facts);
    match fault {
        Fault::Refused => check,
        _ => check.fix("look for a firewall rule that drops the packets: `nft list ruleset`"),
    }
}

/// The configured family is not reached, and the other one is.
fn other_family(facts: &Facts) -> Option<Check> {
    let other = facts.other_family.as_ref().filter(|reach| reach.is_connected())?;
    if facts.reach.iter().any(Connectivity::is_connected) {
        return None;
    }
    let (cause, name) = if other.url.contains('[') { ("ipv6-only", "IPv6") } else { ("ipv4-only", "IPv4") };
    let asked = facts.reach.iter().map(|reach| format!("`{}` is not reached", reach.url));
    Some(
        Check::failure("route", cause, format!("the service is reached over {name} only"))
            .seen_all(asked)
            .seen(format!("`{}` is", other.url))
            .fix(format!(
                "export AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE={name}, or give `--endpoint-mode auto`"
            )),
    )
}

fn not_ec2() -> Check {
    Check::failure("route", "not-ec2", "this is no EC2 instance, and nothing answers in the service's place")
        .fix("off EC2, `imds emulate -- COMMAND` runs a command with an emulated service")
}

/// Where the endpoint was configured, that is the likeliest mistake.
fn with_source(check: Check, facts: &Facts) -> Check {
    match &facts.endpoint {
        Ok(EndpointFact { source, well_known: false, .. }) => {
            check.fix(format!("the endpoint comes from {source}: correct or remove it"))
        }
        _ => check,
    }
}

fn first_fault<'a>(results: impl Iterator<Item = Result<(), Fault>> + 'a) -> Fault {
    results.filter_map(Result::err).next().unwrap_or(Fault::NoRoute)
}
