//! The rules as they are explained: `imds-lint rules`.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Works, and could be better
    Note,
    /// Fails in situations that do occur
    Warning,
    /// Uses IMDSv1, which stops working when it is turned off
    Error,
}

impl Severity {
    /// Its name, which is also SARIF's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule.
#[derive(Debug, serde::Serialize)]
pub struct Rule {
    /// The id, for suppressions and `--rule`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// A line that it finds.
    pub bad: &'static str,
    /// The same, right.
    pub good: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident { id: $id:literal, severity: $severity:ident, title: $title:literal, why: $why:literal, fix: $fix:literal, bad: $bad:literal, good: $good:literal })+) => {
        /// The id of a rule.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId { $($(#[$doc])* $variant),+ }

        /// Every rule.
        pub static RULES: &[Rule] = &[$(Rule {
            id: $id, severity: Severity::$severity, title: $title, why: $why, fix: $fix, bad: $bad, good: $good,
        }),+];

        impl RuleId {
            /// Every rule's id, in the order of [`RULES`].
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

rules! {
    /// A request without a session token.
    ImdsV1Request {
        id: "imdsv1-request", severity: Error,
        title: "request without a session token (IMDSv1)",
        why: "The request fails with 401 on every instance whose HttpTokens option is `required`, the default of new \
              accounts and of Amazon Linux 2023 images. IMDSv1 also answers requests that an attacker makes an \
              application send (SSRF).",
        fix: "Read the value with `imds get PATH`, or fetch a session token first and send it with the request.",
        bad: "curl http://169.254.169.254/latest/meta-data/instance-id",
        good: "imds get instance-id"
    }
    /// A session token that no request sends.
    UnusedToken {
        id: "unused-token", severity: Warning,
        title: "session token is fetched but no request sends it",
        why: "The requests that follow are IMDSv1, or the token request is left over; it costs a round trip and a \
              secret in a variable.",
        fix: "Send the token in the `X-aws-ec2-metadata-token` header, or remove the token request.",
        bad: "TOKEN=$(curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)\n\
              curl http://169.254.169.254/latest/meta-data/instance-id",
        good: "imds get instance-id"
    }
    /// A session token in the arguments of a process.
    TokenInProcessList {
        id: "token-in-process-list", severity: Note,
        title: "session token is visible in the process list",
        why: "Every user of the machine can read the arguments of a running process (`ps`, /proc/PID/cmdline) and use \
              the token for as long as its TTL.",
        fix: "Use `imds get`, or give curl the header on standard input: `printf ... | curl -H @- URL` (curl 7.55).",
        bad: "curl -H X-aws-ec2-metadata-token:$TOKEN http://169.254.169.254/latest/meta-data/instance-id",
        good: "imds get instance-id"
    }
    /// An error page that becomes the value.
    NoFailFlag {
        id: "no-fail-flag", severity: Warning,
        title: "curl without `--fail`: an error page becomes the value",
        why: "curl exits with 0 and prints the HTML page of a 404, 401 or 503; the script goes on with that page as \
              the instance id or the token.",
        fix: "Add `-f` (`--fail`), or use `imds get`, which exits with a code for each kind of failure.",
        bad: "ID=$(curl -s -H X-aws-ec2-metadata-token:$TOKEN http://169.254.169.254/latest/meta-data/instance-id)",
        good: "ID=$(imds get instance-id)"
    }
    /// A request that may wait forever.
    NoTimeout {
        id: "no-timeout", severity: Warning,
        title: "request without a timeout",
        why: "Off EC2 and in a container whose hop limit is too low nothing answers: curl waits minutes for the \
              connection, and without end for the answer.",
        fix: "Add `-m 5` (curl), `-T 5` (wget), `-TimeoutSec 5` (PowerShell), `timeout=5` (Python), or use \
              `imds get`, which has a deadline.",
        bad: "curl -f http://169.254.169.254/latest/meta-data/instance-id",
        good: "imds get instance-id"
    }
    /// A token TTL that the service refuses.
    TokenTtlRange {
        id: "token-ttl-range", severity: Error,
        title: "token TTL outside 1 to 21600 seconds",
        why: "The service refuses the token request with 400 (EC2 User Guide: at most 21,600 seconds, six hours).",
        fix: "Ask for 1 to 21600 seconds.",
        bad: "curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 86400' http://169.254.169.254/latest/api/token",
        good: "curl -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 21600' http://169.254.169.254/latest/api/token"
    }
    /// A token request that is tried once.
    TokenPutNoRetry {
        id: "token-put-no-retry", severity: Note,
        title: "token request is not retried",
        why: "Early in boot the service refuses connections or answers 401 or 503 for a moment (about 0.5 % of \
              launches); one failed token request then fails everything after it.",
        fix: "Add `--retry 3`, a loop, or use `imds get`, which retries within a deadline.",
        bad: "TOKEN=$(curl -f -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)",
        good: "ID=$(imds get instance-id)"
    }
    /// A Region made from an Availability Zone.
    AzCut {
        id: "az-cut", severity: Warning,
        title: "Region is cut out of the Availability Zone name",
        why: "Local Zones and Wavelength Zones have longer names (`us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1`): \
              the result is not a Region there.",
        fix: "Read `placement/region`.",
        bad: "REGION=$(imds get placement/availability-zone | sed 's/.$//')",
        good: "REGION=$(imds get placement/region)"
    }
    /// A session token in a log.
    TokenLogged {
        id: "token-logged", severity: Warning,
        title: "session token is written to a log",
        why: "User data output ends up in /var/log/cloud-init-output.log and the console log; a reader can \
              use the token on the instance until it expires.",
        fix: "Do not print the token; turn tracing off (`set +x`) around the requests, and leave out `curl -v`.",
        bad: "curl -v -H X-aws-ec2-metadata-token:$TOKEN http://169.254.169.254/latest/meta-data/instance-id",
        good: "imds get instance-id"
    }
    /// Infrastructure code that leaves IMDSv1 on.
    HttpTokens {
        id: "http-tokens", severity: Warning,
        title: "instances are launched with IMDSv1 allowed",
        why: "Without `http_tokens = \"required\"` the image's or the account's default decides, and that may allow \
              IMDSv1; `optional` does allow it.",
        fix: "Set `http_tokens = \"required\"` (`HttpTokens: required`) in the metadata options.",
        bad: "metadata_options { http_tokens = \"optional\" }",
        good: "metadata_options { http_tokens = \"required\" }"
    }
    /// A hop limit that containers cannot use.
    HopLimit {
        id: "hop-limit", severity: Warning,
        title: "hop limit 1 on instances that run containers",
        why: "The answer to a token request has this IP time to live. A container behind a bridge is one hop away: \
              its token request gets no answer and hangs.",
        fix: "Set the hop limit to 2, or keep it at 1 on purpose and say so in a suppression comment.",
        bad: "module \"eks\" {\n  metadata_options = { http_put_response_hop_limit = 1 }\n}",
        good: "module \"eks\" {\n  metadata_options = { http_put_response_hop_limit = 2 }\n}"
    }
    /// An SDK that knows IMDSv1 only.
    OldSdk {
        id: "old-sdk", severity: Error,
        title: "SDK version that speaks IMDSv1 only",
        why: "Releases before the first one with session tokens cannot get credentials or the Region once IMDSv1 is \
              off (EC2 User Guide, \"Use a supported AWS SDK\").",
        fix: "Raise the version to the first one that speaks IMDSv2, or later.",
        bad: "boto3==1.9.253",
        good: "boto3>=1.12.6"
    }
    /// A tool or a call that knows IMDSv1 only.
    V1OnlyTool {
        id: "v1-only-tool", severity: Error,
        title: "tool or call that never sends a session token",
        why: "The program cannot work once IMDSv1 is off.",
        fix: "Replace it: `imds get`, or the current `ec2-metadata` of amazon-ec2-utils.",
        bad: "wget http://s3.amazonaws.com/ec2metadata/ec2-metadata",
        good: "imds get instance-id"
    }
    /// A suppression comment that says no reason, or names no rule.
    Suppression {
        id: "suppression", severity: Warning,
        title: "suppression comment without a rule or a reason",
        why: "The next reader cannot tell whether the suppression still holds. It suppresses nothing.",
        fix: "Write `imds-lint: allow RULE -- REASON`.",
        bad: "# imds-lint: allow imdsv1-request",
        good: "# imds-lint: allow imdsv1-request -- this image runs on a Snowball Edge, which has IMDSv1 only"
    }
}

impl RuleId {
    /// What the catalogue says of it.
    #[must_use]
    pub fn rule(self) -> &'static Rule {
        &RULES[self as usize]
    }

    /// The rule of this id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.rule().id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_rules_are_in_the_same_order() {
        assert_eq!(RuleId::ALL.len(), RULES.len());
        for (index, id) in RuleId::ALL.iter().enumerate() {
            assert_eq!(*id as usize, index);
            assert_eq!(RuleId::named(id.rule().id), Some(*id));
        }
    }
}
