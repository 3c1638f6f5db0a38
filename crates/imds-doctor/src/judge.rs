//! Judging: each check looks at the facts and says one thing. No I/O.

mod content;
mod local;
mod machine;
mod network;
mod settings;
mod token;

#[cfg(test)]
mod tests;

use crate::facts::Facts;
use crate::report::{Check, Outcome, Report};

/// Clock differences from here on make AWS refuse signed requests (`RequestTimeTooSkewed`, five
/// minutes).
pub const CLOCK_TOLERANCE: std::time::Duration = std::time::Duration::from_secs(5 * 60);

type Judgement = fn(&Facts) -> Check;

/// Every check, in the order in which a request meets what they look at.
#[must_use]
pub fn judge(facts: &Facts) -> Report {
    let mut checks = vec![
        settings::endpoint(facts),
        settings::switch(facts),
        settings::proxy(facts),
        machine::ec2(facts),
        machine::container(facts),
    ];
    // One thing keeps a request from the service; what would come behind it is not judged.
    let mut blocked = checks.iter().any(|check| check.outcome == Outcome::Failure);
    let works = matches!(facts.read, Some(Ok(())));
    let network: [(&'static str, Judgement); 4] = [
        ("route", network::route),
        ("connect", network::connect),
        ("token", token::token),
        ("read", token::read),
    ];
    for (id, check) in network {
        let check =
            if blocked { Check::skipped(id, "a request does not get this far") } else { check(facts) };
        let check = if works { as_warning(check) } else { check };
        blocked |= check.outcome == Outcome::Failure;
        checks.push(check);
    }
    checks.extend([
        content::tags(facts),
        content::role(facts),
        content::user_data(facts),
        local::clock(facts),
        local::store(facts),
        machine::systemd(facts),
        machine::allowance(facts),
        token::version1(facts),
    ]);
    Report { checks, failure: failure(facts) }
}

/// What is wrong though a plain read works: a stored token is still good where no new one is to be
/// had.
fn as_warning(check: Check) -> Check {
    match check.outcome {
        Outcome::Failure => Check { outcome: Outcome::Warning, ..check }
            .seen("a plain read still works, with the session token that is stored"),
        _ => check,
    }
}

/// Why a plain read does not work.
fn failure(facts: &Facts) -> Option<imds::Error> {
    match (&facts.endpoint, &facts.read) {
        (Err(error), _) | (_, Some(Err(error))) => Some(error.clone()),
        _ => None,
    }
}
