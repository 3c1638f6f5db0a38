//! Applies the rules to what was found.

use imds_model::options::Switch;
use jiff::civil::Date;
use serde::Serialize;

use super::catalogue::{self as rules, Rule, Severity};
use super::policy::{Exception, Policy};
use crate::inventory::effective::Effective;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Instance, Resource};

/// Something that a rule objects to.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The rule.
    #[serde(serialize_with = "rule_id")]
    pub rule: Rule,
    /// How bad it is under the policy.
    pub severity: Severity,
    /// Where.
    #[serde(flatten)]
    pub place: AccountRegion,
    /// What kind of resource.
    #[serde(rename = "kind")]
    pub kind: &'static str,
    /// Which.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// What is the case, in a sentence.
    pub message: String,
    /// What to do.
    pub fix: &'static str,
    /// A command that does it, or plans it.
    pub command: Option<String>,
    /// The AWS Config managed rule that looks at the same thing.
    pub config_rule: Option<&'static str>,
    /// The Security Hub control that looks at the same thing.
    pub security_hub: Option<&'static str>,
    /// The exception that holds for it, or held.
    pub exception: Option<Exception>,
    /// Whether that exception is in force.
    pub excepted: bool,
}

impl Finding {
    /// What to do, with the command.
    #[must_use]
    pub fn advice(&self) -> String {
        match &self.command {
            Some(command) => format!("{}: `{command}`", self.fix),
            None => self.fix.to_owned(),
        }
    }
}

fn rule_id<S: serde::Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

/// Judges one resource.
#[must_use]
pub fn judge(resource: &Resource, policy: &Policy, today: Date) -> Vec<Finding> {
    let mut found = Vec::new();
    match resource {
        Resource::Instance(it) => instance(it, policy, &mut found),
        Resource::LaunchTemplate(it) => {
            if it.effective.allows_v1() {
                let names: Vec<&str> = it.users().collect();
                let mut users =
                    if names.is_empty() { String::new() } else { format!(", used by {}", names.join(" ")) };
                if it.launched > 0 {
                    users.push_str(&format!(", in the tags of {} instances", it.launched));
                }
                let default = if it.is_default { " (the default)" } else { "" };
                let what = format!("version {}{default}{users}", it.version);
                found.push(launch(&what, &it.effective, it.enforced, rules::TEMPLATE_V1));
            }
            for data in it.user_data.iter().flat_map(|it| &it.findings).filter(|it| it.v1) {
                let within = data.within.as_deref().map(|part| format!(" of {part}")).unwrap_or_default();
                let what = format!(
                    "version {}, user data line {}{within}: {} [{}]",
                    it.version, data.line, data.message, data.rule
                );
                found.push((rules::USER_DATA_V1, what));
            }
        }
        Resource::LaunchConfiguration(it) => {
            if it.effective.allows_v1() {
                let what = if it.used_by.is_empty() {
                    String::new()
                } else {
                    format!("used by {}", it.used_by.join(" "))
                };
                found.push(launch(&what, &it.effective, it.enforced, rules::CONFIGURATION_V1));
            }
        }
        Resource::AccountDefaults(it) => {
            if it.effective.allows_v1() {
                let said = it.options.http_tokens.map_or("no preference", |tokens| tokens.as_str());
                found.push((rules::DEFAULT_V1, format!("the default of `HttpTokens` is `{said}`")));
            }
            if it.http_tokens_enforced {
                found.push((rules::ROLLBACK_IMPOSSIBLE, "`HttpTokensEnforced` is `enabled`".to_owned()));
            } else {
                found.push((rules::DEFAULT_NOT_ENFORCED, "`HttpTokensEnforced` is `disabled`".to_owned()));
            }
        }
        Resource::FleetRequest(it) => {
            // A template version that stands for itself is judged with the templates.
            for source in it.sources.iter().filter(|source| source.is_own()) {
                let Some(effective) = source.effective.filter(Effective::allows_v1) else { continue };
                let what = format!("{} request: {}", it.service.name(), source.label());
                let (rule, message) = launch(&what, &effective, it.enforced, rules::FLEET_V1);
                found.push((rule, with_assumed(message, &source.assumed)));
            }
        }
        Resource::WarmPool(it) => {
            let v1: Vec<&str> = it
                .instances
                .iter()
                .filter(|it| it.posture == Posture::V1Allowed)
                .map(|it| it.id.as_str())
                .collect();
            if !v1.is_empty() {
                let (count, of) = (v1.len(), it.instances.len());
                let first = v1.iter().take(5).copied().collect::<Vec<_>>().join(" ");
                let more = if count > 5 { " ..." } else { "" };
                found.push((rules::WARM_POOL_V1, format!("{count} of {of} instances: {first}{more}")));
            }
        }
        // An image that says nothing is no fault of its own: what launches from it is judged with
        // it.
        Resource::Image(_) => {}
    }
    found
        .into_iter()
        .filter_map(|(rule, message)| {
            let mut severity = policy.severity(&rule)?;
            if !policy.names(&rule) {
                // What rests on an assumption may be otherwise; what nothing launches from harms
                // nobody yet.
                if !resource.assumed().is_empty() || rule == rules::FLEET_V1 && assumes(resource) {
                    severity = severity.lowered();
                }
                if is_unused(resource) {
                    severity = severity.min(Severity::Medium);
                }
            }
            let message = with_assumed(message, resource.assumed());
            let exception = policy.exception(rule.id, resource, today).cloned();
            let excepted = exception.as_ref().is_some_and(|exception| today <= exception.expires);
            let message = match &exception {
                Some(exception) if !excepted => {
                    format!(
                        "{message}; the exception of {} expired on {}",
                        exception.owner, exception.expires
                    )
                }
                _ => message,
            };
            Some(Finding {
                rule,
                severity,
                place: resource.place().clone(),
                kind: resource.kind(),
                id: resource.id().to_owned(),
                name: name(resource),
                message,
                fix: rule.fix,
                command: rule.command.map(|command| within(command, resource.place())),
                config_rule: rule.config_rule,
                security_hub: rule.security_hub,
                exception,
                excepted,
            })
        })
        .collect()
}

fn with_assumed(message: String, assumed: &[String]) -> String {
    match assumed {
        [] => message,
        assumed => format!("{message}; assumed: {}", assumed.join(", ")),
    }
}

/// A finding about what would be launched.
fn launch(what: &str, effective: &Effective, enforced: bool, rule: Rule) -> (Rule, String) {
    let from = effective.http_tokens.from.as_str();
    let what = if what.is_empty() { String::new() } else { format!("{what} ") };
    if enforced {
        let text =
            format!("{what}asks for `HttpTokens` `optional` (from the {from}), which the account refuses");
        return (rules::LAUNCH_REFUSED, text);
    }
    (rule, format!("{what}launches with `HttpTokens` `optional` from the {from}"))
}

/// Whether all that a fleet request has of its own rests on an assumption.
fn assumes(resource: &Resource) -> bool {
    match resource {
        Resource::FleetRequest(it) => {
            let mut own = it.sources.iter().filter(|source| source.is_own());
            own.all(|source| !source.assumed.is_empty())
        }
        _ => false,
    }
}

/// Whether nothing launches from it.
fn is_unused(resource: &Resource) -> bool {
    match resource {
        Resource::LaunchTemplate(it) => {
            // Instances that carry it are no sign of more to come, unless a service made them.
            let launches = it.launched > 0 && it.owner.is_some();
            it.used_by.is_empty() && it.fleets.is_empty() && !launches && !it.users_unknown
        }
        Resource::LaunchConfiguration(it) => it.used_by.is_empty() && !it.users_unknown,
        _ => false,
    }
}

/// The command, for the Region of a finding.
fn within(command: &str, place: &AccountRegion) -> String {
    let known = place.region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !known || place.region == "unknown" {
        return command.to_owned();
    }
    match command.split_once(" --out ") {
        Some((head, out)) => format!("{head} --regions {} --out {out}", place.region),
        None => format!("{command} --regions {}", place.region),
    }
}

fn name(resource: &Resource) -> Option<String> {
    match resource {
        Resource::Instance(it) => it.name.clone(),
        Resource::LaunchTemplate(it) => it.name.clone(),
        _ => None,
    }
}

fn instance(it: &Instance, policy: &Policy, found: &mut Vec<(Rule, String)>) {
    match it.posture {
        // Nobody is answered: nothing else about the service matters.
        Posture::EndpointDisabled => return,
        Posture::V1Allowed => found.push((rules::V1_ALLOWED, "`HttpTokens` is `optional`".to_owned())),
        Posture::Unknown => found.push((rules::STATE_UNKNOWN, "`HttpTokens` is not reported".to_owned())),
        Posture::V2Pending => {
            found.push((rules::PENDING, "`HttpTokens` is `required`, `State` is `pending`".to_owned()));
        }
        Posture::V2Required => {}
    }
    if let Some(hops) = it.options.http_put_response_hop_limit {
        if hops > policy.max_hop_limit {
            let text =
                format!("`HttpPutResponseHopLimit` is {hops}, the policy allows {}", policy.max_hop_limit);
            found.push((rules::HOP_LIMIT_HIGH, text));
        }
        let containers = &policy.containers;
        let marks = |key: &&String| {
            containers.tags.iter().any(|tag| match tag.strip_suffix('*') {
                Some(start) => key.starts_with(start),
                None => *key == tag,
            })
        };
        if let Some(key) = it.tags.keys().find(marks).filter(|_| hops < containers.min_hop_limit) {
            let text = format!(
                "`HttpPutResponseHopLimit` is {hops}, and tag `{key}` says that containers need {}",
                containers.min_hop_limit
            );
            found.push((rules::HOP_LIMIT_LOW, text));
        }
    }
    if it.options.http_protocol_ipv6 == Some(Switch::Enabled) {
        found.push((rules::IPV6_ENDPOINT, "`HttpProtocolIpv6` is `enabled`".to_owned()));
    }
    if it.options.instance_metadata_tags == Some(Switch::Enabled) {
        found.push((rules::TAGS_EXPOSED, "`InstanceMetadataTags` is `enabled`".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use imds_model::options::{HopLimit, HttpTokens, State};

    use super::*;
    use crate::inventory::options::Options;

    fn sound() -> Instance {
        let options = Options {
            http_tokens: Some(HttpTokens::Required),
            http_endpoint: Some(Switch::Enabled),
            http_put_response_hop_limit: HopLimit::new(2),
            http_protocol_ipv6: Some(Switch::Disabled),
            instance_metadata_tags: Some(Switch::Disabled),
        };
        Instance {
            place: AccountRegion { account: "111122223333".to_owned(), region: "us-east-1".to_owned() },
            id: "i-1".to_owned(),
            name: None,
            run_state: "running".to_owned(),
            posture: Posture::of(&options, Some(State::Applied)),
            options,
            options_state: Some(State::Applied),
            instance_type: None,
            image_id: None,
            launched_at: None,
            lifecycle: None,
            auto_scaling_group: None,
            operator: None,
            hidden: false,
            tags: Default::default(),
            exposure: None,
            risk: None,
        }
    }

    fn ids(instance: Instance, policy: &str) -> Vec<&'static str> {
        findings(instance, policy).into_iter().map(|finding| finding.rule.id).collect()
    }

    fn findings(mut instance: Instance, policy: &str) -> Vec<Finding> {
        instance.posture = Posture::of(&instance.options, instance.options_state);
        let policy = Policy::parse(policy).unwrap();
        judge(&Resource::Instance(Box::new(instance)), &policy, jiff::civil::date(2026, 11, 21))
    }

    #[test]
    fn a_sound_instance_with_two_hops_has_no_finding() {
        assert!(ids(sound(), "").is_empty());
    }

    #[test]
    fn each_rule_by_itself() {
        type Change = fn(&mut Instance);
        let cases: [(Change, &str); 7] = [
            (|it| it.options.http_tokens = Some(HttpTokens::Optional), "v1-allowed"),
            (|it| it.options.http_tokens = None, "state-unknown"),
            (|it| it.options_state = Some(State::Pending), "v2-pending"),
            (|it| it.options.http_put_response_hop_limit = HopLimit::new(4), "hop-limit-high"),
            (
                |it| {
                    it.options.http_put_response_hop_limit = HopLimit::new(1);
                    it.tags.insert("kubernetes.io/cluster/main".to_owned(), "owned".to_owned());
                },
                "hop-limit-low",
            ),
            (|it| it.options.http_protocol_ipv6 = Some(Switch::Enabled), "ipv6-endpoint"),
            (|it| it.options.instance_metadata_tags = Some(Switch::Enabled), "tags-exposed"),
        ];
        for (change, rule) in cases {
            let mut instance = sound();
            change(&mut instance);
            assert_eq!(ids(instance, ""), [rule]);
        }
    }

    #[test]
    fn a_disabled_endpoint_has_no_finding_whatever_else_is_set() {
        let mut instance = sound();
        instance.options.http_endpoint = Some(Switch::Disabled);
        instance.options.http_tokens = Some(HttpTokens::Optional);
        instance.options.http_protocol_ipv6 = Some(Switch::Enabled);
        assert!(ids(instance, "").is_empty());
    }

    #[test]
    fn a_policy_turns_rules_off_and_up() {
        let mut instance = sound();
        instance.options.instance_metadata_tags = Some(Switch::Enabled);
        assert!(ids(instance.clone(), "[rules]\ntags-exposed = \"off\"").is_empty());
        let found = findings(instance, "[rules]\ntags-exposed = \"high\"");
        assert_eq!(found[0].severity, Severity::High);
        assert_eq!(ids(sound(), "max_hop_limit = 1"), ["hop-limit-high"]);
    }

    #[test]
    fn an_exception_holds_until_its_last_day() {
        let mut instance = sound();
        instance.options.http_tokens = Some(HttpTokens::Optional);
        instance.tags.insert("app".to_owned(), "old".to_owned());
        let exception = |expires: &str, more: &str| {
            format!(
                "[[exception]]\nrule = \"v1-allowed\"\nowner = \"ops\"\nreason = \"agent\"\nexpires = \"{expires}\"\n{more}"
            )
        };
        let cases =
            [("2026-11-21", "", true), ("2026-11-20", "", false), ("2026-12-31", "tag = \"app=old\"", true)];
        for (expires, more, excepted) in cases {
            let found = findings(instance.clone(), &exception(expires, more));
            assert_eq!(found[0].excepted, excepted, "{expires} {more}");
        }
        let expired = findings(instance.clone(), &exception("2026-11-20", ""));
        assert_eq!(
            expired[0].message,
            "`HttpTokens` is `optional`; the exception of ops expired on 2026-11-20"
        );
        for elsewhere in
            ["id = \"i-2\"", "account = \"444455556666\"", "region = \"eu-west-1\"", "tag = \"app=new\""]
        {
            let found = findings(instance.clone(), &exception("2026-12-31", elsewhere));
            assert!(found[0].exception.is_none(), "{elsewhere}");
        }
    }
}
