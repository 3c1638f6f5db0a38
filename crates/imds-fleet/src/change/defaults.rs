//! What a plan does about the defaults of an account, enforcement included.

use imds_model::options::{HopLimit, HttpTokens, Switch};

use super::launches::Launches;
use super::plan::{Change, Enforcement, Planned, Rules, Target, left_out};
use super::readiness::UsageStatuses;
use crate::inventory::options::Options;
use crate::inventory::resource::AccountDefaults;

/// What a scan saw of an account and Region, for the change of its defaults.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What is known of the use of IMDSv1.
    pub statuses: &'a UsageStatuses,
    /// What instances are launched from.
    pub launches: &'a Launches,
    /// What the plan changes so far.
    pub changes: &'a [Change],
    /// How many instances allow IMDSv1.
    pub v1: u64,
    /// Whether all of it could be read.
    pub complete: bool,
}

impl Rules {
    /// The change of an account's defaults: of the options if `options`, and of enforcement if that
    /// is wanted.
    #[must_use]
    pub fn defaults(&self, it: &AccountDefaults, options: bool, seen: &Seen<'_>) -> Vec<Planned> {
        let left_out = |reason: String| left_out(&it.place, "account-defaults", reason);
        let mut planned = Vec::new();
        // There is no account default for the IPv6 endpoint.
        let mut wanted =
            Options { http_protocol_ipv6: None, ..self.wanted_above(it.options.http_put_response_hop_limit) };
        // Without a default an image may give 2 hops: a default of 1 would lower that.
        let lowers = |hops: HopLimit| !self.hop_limit_exact && hops == HopLimit::MIN;
        if it.options.http_put_response_hop_limit.is_none()
            && wanted.http_put_response_hop_limit.is_some_and(lowers)
        {
            wanted.http_put_response_hop_limit = None;
        }
        let mut new = if options { wanted.differing_from(&it.options) } else { Options::NONE };
        let current = if it.http_tokens_enforced { Switch::Enabled } else { Switch::Disabled };
        let mut enforcement = self
            .enforced
            .filter(|wanted| *wanted != current)
            .map(|new| Enforcement { prior: it.http_tokens_enforced_set.then_some(current), new });
        if new.is_empty() && enforcement.is_none() {
            return planned;
        }
        if it.managed_by.as_deref().is_some_and(|by| by != "account") {
            let said = it.managed_exception_message.as_deref().unwrap_or("no message");
            planned.push(left_out(format!("managed by a declarative policy of the organization ({said})")));
            return planned;
        }
        let mut usage = None;
        if new.http_tokens == Some(HttpTokens::Required) {
            let readiness = seen.statuses.of_place(&it.place);
            if let Some(reason) = self.include.objection(&readiness) {
                new.http_tokens = None;
                let mut left = left_out(reason);
                if let Err(left) = &mut left {
                    left.usage = Some(readiness);
                }
                planned.push(left);
            } else {
                usage = Some(readiness);
            }
        }
        if enforcement.is_some_and(|it| it.new == Switch::Enabled) {
            let reasons = self.enforcement_objections(it, new.http_tokens, seen);
            if !reasons.is_empty() {
                enforcement = None;
                planned.extend(reasons.into_iter().map(left_out));
            }
        }
        if !new.is_empty() || enforcement.is_some() {
            planned.push(Ok(Change {
                place: it.place.clone(),
                target: Target::AccountDefaults,
                name: None,
                prior: it.options,
                new,
                http_tokens_enforced: enforcement,
                usage,
                used_by: Vec::new(),
            }));
        }
        planned
    }

    /// Why enforcement is left out.
    fn enforcement_objections(
        &self,
        it: &AccountDefaults,
        new: Option<HttpTokens>,
        seen: &Seen<'_>,
    ) -> Vec<String> {
        let mut reasons = Vec::new();
        if !self.allow_irreversible {
            reasons.push(format!(
                "`HttpTokensEnforced` makes rollback impossible: EC2 then refuses to set any instance back to IMDSv1, \
                 and to launch one that allows it ({} instances of the account allow it here); \
                 `--allow-irreversible` plans it all the same",
                seen.v1
            ));
        }
        if self.allow_launch_failures {
            return reasons;
        }
        if !seen.complete {
            let text = "not all that `HttpTokensEnforced` would refuse to launch could be read; \
                        `--allow-launch-failures` plans it all the same";
            reasons.push(text.to_owned());
        }
        let sets = new == Some(HttpTokens::Required);
        let refused = seen.launches.refused_launches(&it.place, seen.changes);
        // What leaves it to the account default is fixed by the change of that default.
        reasons.extend(refused.into_iter().filter(|(by_default, _)| !(sets && *by_default)).map(|(_, named)| {
            format!(
                "`HttpTokensEnforced` would make the next launch fail from {named}; change that first, or plan it all \
                 the same with `--allow-launch-failures`"
            )
        }));
        reasons
    }
}
