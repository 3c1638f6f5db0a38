//! The built-in rules: id, severity, why it matters, what to do, and what AWS calls the same thing.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Informational.
    Informational,
    /// Fix eventually.
    Low,
    /// Fix soon.
    Medium,
    /// Fix now.
    High,
}

impl Severity {
    /// The next one below.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Informational => Self::Informational,
        }
    }

    /// The word that stands for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Rule {
    /// What to do, with the command.
    #[must_use]
    pub fn advice(&self) -> String {
        match self.command {
            Some(command) => format!("{}: `{command}`", self.fix),
            None => self.fix.to_owned(),
        }
    }
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its name in policies and outputs.
    pub id: &'static str,
    /// How bad it is, unless the policy says otherwise.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub explanation: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// A command that does it, or plans it, as it is typed; nothing where it is done elsewhere.
    pub command: Option<&'static str>,
    /// The AWS Config managed rule that looks at the same thing.
    pub config_rule: Option<&'static str>,
    /// The Security Hub control that looks at the same thing.
    pub security_hub: Option<&'static str>,
}

/// IMDSv1 is answered.
pub const V1_ALLOWED: Rule = Rule {
    id: "v1-allowed",
    severity: Severity::High,
    title: "IMDSv1 is allowed",
    explanation: "A request without a session token is answered. A server-side request forgery, an open proxy or a \
                  misconfigured firewall on the instance can read the role's credentials with one plain GET.",
    fix: "plan it for the instances that no longer use IMDSv1, review the plan, apply it",
    command: Some("imds-fleet plan --http-tokens required --usage --out plan.json"),
    config_rule: Some("ec2-imdsv2-check"),
    security_hub: Some("EC2.8"),
};

/// The source did not say.
pub const STATE_UNKNOWN: Rule = Rule {
    id: "state-unknown",
    severity: Severity::Medium,
    title: "whether IMDSv1 is allowed is unknown",
    explanation: "The source did not report `HttpTokens`. What is not known is not clean.",
    fix: "read the instance itself",
    command: Some("imds-fleet state"),
    config_rule: None,
    security_hub: None,
};

/// Required, and not yet in force.
pub const PENDING: Rule = Rule {
    id: "v2-pending",
    severity: Severity::Low,
    title: "IMDSv2 is required, but not yet in force",
    explanation: "The options are `pending`: the instance is not ready to serve metadata with the new selection. One \
                  that stays so was never changed as far as its workload can tell.",
    fix: "look again; when it stays pending, stop and start the instance",
    command: Some("imds-fleet state"),
    config_rule: None,
    security_hub: None,
};

/// The hop limit is above the policy.
pub const HOP_LIMIT_HIGH: Rule = Rule {
    id: "hop-limit-high",
    severity: Severity::Medium,
    title: "hop limit above the policy",
    explanation: "Session tokens travel further than the policy wants: more hops let workloads behind bridges and \
                  overlays, meant or not, reach the instance's credentials. 2 is AWS's own default with IMDSv2 for \
                  containers, and some overlay networks need 3.",
    fix: "lower it, in another step than requiring IMDSv2",
    command: Some("imds-fleet plan --hop-limit-exact 2 --out plan.json"),
    config_rule: Some("ec2-token-hop-limit-check"),
    security_hub: None,
};

/// The hop limit is too low for containers.
pub const HOP_LIMIT_LOW: Rule = Rule {
    id: "hop-limit-low",
    severity: Severity::Low,
    title: "hop limit too low for containers",
    explanation: "The instance carries a tag of a container platform, and with this hop limit the answer to the \
                  token request does not reach a container behind a bridge: its SDK hangs, then says that there are \
                  no credentials.",
    fix: "raise it, or give the containers credentials of their own",
    command: Some("imds-fleet plan --hop-limit 2 --out plan.json"),
    config_rule: None,
    security_hub: None,
};

/// The IPv6 endpoint is on.
pub const IPV6_ENDPOINT: Rule = Rule {
    id: "ipv6-endpoint",
    severity: Severity::Low,
    title: "IPv6 endpoint is on",
    explanation: "Metadata is served on fd00:ec2::254 too. Firewall rules and proxies that guard 169.254.169.254 \
                  often do not know it.",
    fix: "turn it off, unless something on the instance needs it",
    command: Some("imds-fleet plan --ipv6 disabled --out plan.json"),
    config_rule: None,
    security_hub: None,
};

/// Tags are exposed.
pub const TAGS_EXPOSED: Rule = Rule {
    id: "tags-exposed",
    severity: Severity::Low,
    title: "instance tags are exposed",
    explanation: "Every process on the instance can read its tags, and tags tell of owners, projects and tools.",
    fix: "turn them off, unless something on the instance needs them",
    command: Some("imds-fleet plan --tags disabled --out plan.json"),
    config_rule: None,
    security_hub: None,
};

/// The next launch would allow IMDSv1: a template.
pub const TEMPLATE_V1: Rule = Rule {
    id: "template-v1",
    severity: Severity::High,
    title: "the launch template launches instances that allow IMDSv1",
    explanation: "What the template version sets, what the account defaults to and what the image asks for, taken \
                  together, launch an instance that answers IMDSv1. Instances changed by hand come back so when \
                  their group replaces them.",
    fix: "make a new version, and move the default and the groups that pin this one to it",
    command: Some(
        "imds-fleet plan --http-tokens required --usage --no-instances --launch-templates --pinned-groups --out plan.json",
    ),
    config_rule: Some("ec2-launch-template-imdsv2-check"),
    security_hub: Some("EC2.170"),
};

/// The next launch would allow IMDSv1: a launch configuration.
pub const CONFIGURATION_V1: Rule = Rule {
    id: "launch-configuration-v1",
    severity: Severity::High,
    title: "the launch configuration launches instances that allow IMDSv1",
    explanation: "A launch configuration cannot be changed; its group launches instances that answer IMDSv1 until it \
                  uses another.",
    fix: "move the group to a launch template that requires IMDSv2",
    command: None,
    config_rule: Some("autoscaling-launchconfig-requires-imdsv2"),
    security_hub: Some("AutoScaling.3"),
};

/// The next launch would allow IMDSv1: an EC2 Fleet or Spot Fleet request.
pub const FLEET_V1: Rule = Rule {
    id: "fleet-request-v1",
    severity: Severity::High,
    title: "the fleet request launches instances that allow IMDSv1",
    explanation: "An EC2 Fleet or Spot Fleet request launches from a specification or an image of its own, and what \
                  the account defaults to and what the image asks for launch an instance that answers IMDSv1. A \
                  launch specification of Spot Fleet has no metadata options.",
    fix: "make the request anew from a launch template that requires IMDSv2, or set the account default",
    command: Some(
        "imds-fleet plan --http-tokens required --usage --no-instances --account-defaults --out plan.json",
    ),
    config_rule: None,
    security_hub: None,
};

/// Instances that wait in a warm pool allow IMDSv1.
pub const WARM_POOL_V1: Rule = Rule {
    id: "warm-pool-v1",
    severity: Severity::Medium,
    title: "the warm pool holds instances that allow IMDSv1",
    explanation: "Instances of a warm pool enter service with the options that they were launched with, whatever the \
                  launch template of their group says by then.",
    fix: "plan it for these instances too, or delete the warm pool, which its group fills anew",
    command: Some("imds-fleet plan --http-tokens required --usage --out plan.json"),
    config_rule: None,
    security_hub: None,
};

/// The user data of a template uses IMDSv1.
pub const USER_DATA_V1: Rule = Rule {
    id: "user-data-v1",
    severity: Severity::Medium,
    title: "the user data of the launch template uses IMDSv1",
    explanation: "`imds-lint` found requests without a session token in the user data (`--user-data`). They fail on \
                  instances that require IMDSv2, mostly at boot.",
    fix: "get the user data, let `imds-lint --fix` rewrite it, and make a new version",
    command: None,
    config_rule: None,
    security_hub: None,
};

/// The next launch would be refused.
pub const LAUNCH_REFUSED: Rule = Rule {
    id: "launch-refused",
    severity: Severity::Medium,
    title: "the next launch is refused",
    explanation: "The launch source allows IMDSv1, and `HttpTokensEnforced` is on: EC2 refuses to launch from it, so \
                  that its group cannot replace an instance.",
    fix: "make a new version that requires IMDSv2, and move the default and the groups that pin this one to it",
    command: Some(
        "imds-fleet plan --http-tokens required --usage --no-instances --launch-templates --pinned-groups --out plan.json",
    ),
    config_rule: None,
    security_hub: None,
};

/// The account default does not require IMDSv2.
pub const DEFAULT_V1: Rule = Rule {
    id: "default-not-required",
    severity: Severity::Medium,
    title: "the account default does not require IMDSv2",
    explanation: "A launch that says nothing, from an image that says nothing, allows IMDSv1.",
    fix: "set the account default",
    command: Some(
        "imds-fleet plan --http-tokens required --usage --no-instances --account-defaults --out plan.json",
    ),
    config_rule: None,
    security_hub: None,
};

/// The account default is not enforced.
pub const DEFAULT_NOT_ENFORCED: Rule = Rule {
    id: "default-not-enforced",
    severity: Severity::Low,
    title: "IMDSv2 is not enforced in the account",
    explanation: "The default is only that: a launch may still ask for IMDSv1, and an instance may be set back to it. \
                  `HttpTokensEnforced` refuses both.",
    fix: "enforce it when no instance of the account in this Region needs IMDSv1 any more",
    command: Some("imds-fleet plan --http-tokens-enforced enabled --allow-irreversible --out plan.json"),
    config_rule: None,
    security_hub: None,
};

/// There is no rollback.
pub const ROLLBACK_IMPOSSIBLE: Rule = Rule {
    id: "rollback-impossible",
    severity: Severity::Informational,
    title: "a change to IMDSv2 cannot be undone here",
    explanation: "`HttpTokensEnforced` is on: once an instance requires IMDSv2, EC2 refuses to set it back. Instances \
                  that still allow IMDSv1 must be known to be ready before they are changed.",
    fix: "nothing; `imds-fleet plan` refuses such changes unless `--allow-irreversible` is given",
    command: None,
    config_rule: None,
    security_hub: None,
};

/// Every rule, in the order of the outputs.
pub const RULES: [Rule; 16] = [
    V1_ALLOWED,
    STATE_UNKNOWN,
    PENDING,
    HOP_LIMIT_HIGH,
    HOP_LIMIT_LOW,
    IPV6_ENDPOINT,
    TAGS_EXPOSED,
    TEMPLATE_V1,
    CONFIGURATION_V1,
    FLEET_V1,
    WARM_POOL_V1,
    USER_DATA_V1,
    LAUNCH_REFUSED,
    DEFAULT_V1,
    DEFAULT_NOT_ENFORCED,
    ROLLBACK_IMPOSSIBLE,
];
