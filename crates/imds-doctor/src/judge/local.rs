//! Checks of this machine's own clock and files.

use std::time::Duration;

use super::CLOCK_TOLERANCE;
use crate::facts::Facts;
use crate::report::Check;

pub(super) fn clock(facts: &Facts) -> Check {
    const ID: &str = "clock";
    let Some((theirs, ours)) = facts.clocks else {
        return Check::skipped(ID, "no `Date` header to compare with");
    };
    let (difference, word) = match ours.duration_since(theirs) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    // The header has whole seconds.
    let seconds = Duration::from_secs(difference.as_secs());
    if seconds < CLOCK_TOLERANCE {
        return Check::ok(ID, "this machine's clock agrees with the service's `Date` header");
    }
    let shown = imds_model::duration::format(seconds);
    Check::warning(ID, "clock", format!("this machine's clock is {shown} {word} the service's"))
        .seen("AWS refuses signed requests whose time is off by five minutes or more")
        .fix("set the clock: `chronyc makestep`, with the time service at 169.254.169.123 (Amazon Time Sync)")
}

pub(super) fn store(facts: &Facts) -> Check {
    const ID: &str = "store";
    match (&facts.store_fault, &facts.read) {
        (Some(fault), _) => Check::warning(
            ID,
            "store",
            "session tokens cannot be kept: each process fetches its own",
        )
        .seen(fault.clone())
        .fix("let IMDS_CACHE_DIR name a directory of your own with mode 0700, or remove what is in the way"),
        (None, Some(Ok(()))) => Check::ok(ID, "session tokens are kept for other processes of this user"),
        (None, _) => Check::skipped(ID, "no token to keep"),
    }
}
