//! What to do about a caller, by the data file `data/advice.toml`.

use serde::{Deserialize, Serialize};

use super::summary::{CallerCounts, program_of};

static DATA: &str = include_str!("../../data/advice.toml");

/// The callers that make requests of their own, without an AWS SDK: the script is to be changed.
const SHELL_TOOLS: &[&str] = &["curl", "wget", "powershell"];
const LIBRARIES: &[&str] = &[
    "python-requests",
    "python-urllib3",
    "python-urllib",
    "go-http-client",
    "java",
    "apache-httpclient",
    "okhttp",
    "axios",
    "got",
    "node-fetch",
    "undici",
    "node",
    "ruby",
];

/// What is known of a program or SDK.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Known {
    pub(crate) name: String,
    #[serde(default)]
    sdks: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    units: Vec<String>,
    since: Option<String>,
    #[serde(default)]
    never: bool,
    #[serde(default)]
    falls_back: bool,
    stop: Option<String>,
    fix: Option<String>,
    source: String,
}

/// All of the data file.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalogue {
    entry: Vec<Known>,
}

/// What is wrong with a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Problem {
    /// Its version asks for no token.
    TooOld,
    /// No version asks for one.
    NeverSpeaksV2,
    /// It could, and its token requests fail.
    TokenFails,
    /// It could, and falls back, or the call asks for no token.
    FallsBack,
    /// A script or a program that makes its own requests.
    OwnRequests,
    /// It looks for another cloud.
    OtherCloud,
    /// Nothing is known of it.
    Unknown,
}

/// What to do about a caller.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Advice {
    pub(crate) problem: Problem,
    /// What is known by this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known_as: Option<String>,
    pub(crate) fixes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
}

impl Catalogue {
    /// Reads the data file that is built in.
    pub(crate) fn built_in() -> Result<Self, String> {
        toml::from_str(DATA).map_err(|error| error.to_string())
    }

    /// What to do about a caller; nothing where it does no harm.
    pub(crate) fn advise(&self, counts: &CallerCounts) -> Option<Advice> {
        if counts.kinds.v1 == 0 {
            return (counts.kinds.other > 0).then(|| other_cloud(counts));
        }
        let sdk = counts.sdk.as_ref().map(|sdk| sdk.name.as_str()).unwrap_or_default();
        let program = self.program(counts);
        let known =
            program.or_else(|| self.entry.iter().find(|known| known.sdks.iter().any(|name| name == sdk)));
        Some(match known {
            Some(known) => known.advise(counts),
            None => own_requests(counts, sdk),
        })
    }

    /// The entry whose program, script or unit the caller or one of its parents is.
    fn program(&self, counts: &CallerCounts) -> Option<&Known> {
        let unit = counts.caller.place.unit.as_deref().map(|unit| unit.trim_end_matches(".service"));
        let executable = program_of(&counts.caller);
        let details = counts.caller.details.as_ref();
        let parents = details.into_iter().flat_map(|details| &details.parents);
        let commands = details
            .into_iter()
            .filter_map(|details| details.command.as_ref())
            .chain(parents.filter_map(|parent| parent.command.as_ref()));
        // A script stands behind its interpreter: the first two words name the program.
        let words: Vec<&str> = commands
            .flat_map(|words| words.iter().take(2))
            .map(String::as_str)
            .chain([executable.as_str()])
            .map(base_name)
            .collect();
        self.entry.iter().find(|known| {
            known.programs.iter().any(|program| words.contains(&program.as_str()))
                || unit.is_some_and(|unit| known.units.iter().any(|known| known == unit))
        })
    }
}

impl Known {
    fn advise(&self, counts: &CallerCounts) -> Advice {
        let by_sdk = counts
            .sdk
            .as_ref()
            .filter(|sdk| self.sdks.contains(&sdk.name))
            .and_then(|sdk| sdk.version.as_deref());
        let too_old = match (by_sdk, &self.since) {
            (Some(version), Some(since)) => Some(is_older(version, since)),
            _ => None,
        };
        let problem = match too_old {
            _ if self.never => Problem::NeverSpeaksV2,
            Some(true) => Problem::TooOld,
            _ if counts.kinds.token_failed > 0 => Problem::TokenFails,
            Some(false) => Problem::FallsBack,
            None if self.falls_back && counts.kinds.token > 0 => Problem::FallsBack,
            None => Problem::TooOld,
        };
        let mut fixes = Vec::new();
        match problem {
            Problem::TooOld | Problem::NeverSpeaksV2 => fixes.push(match (&self.fix, &self.since) {
                (Some(fix), _) => fix.clone(),
                (None, Some(since)) => format!("upgrade {} to {since} or later", self.name),
                (None, None) => format!("upgrade {}", self.name),
            }),
            Problem::TokenFails => fixes.push(token_fails(counts)),
            _ => {
                fixes.extend(self.fix.clone());
                fixes.push(
                    "its version speaks IMDSv2: a token request failed, or the call asks for none".to_owned(),
                );
            }
        }
        if let Some(stop) = self.stop.as_ref().filter(|_| self.falls_back) {
            fixes.push(format!("then stop the fallback to IMDSv1: {stop}"));
        }
        Advice { problem, known_as: Some(self.name.clone()), fixes, source: Some(self.source.clone()) }
    }
}

fn token_fails(counts: &CallerCounts) -> String {
    format!(
        "{} of its {} token requests failed: look at the hop limit (2 for containers), at a firewall, \
         and run `imds doctor` where it runs",
        counts.kinds.token_failed, counts.kinds.token
    )
}

fn own_requests(counts: &CallerCounts, sdk: &str) -> Advice {
    let program = program_of(&counts.caller);
    let name = base_name(&program);
    let mut fixes = Vec::new();
    let problem = if SHELL_TOOLS.contains(&sdk) || SHELL_TOOLS.contains(&name) {
        let mut paths: Vec<(&String, &u64)> = counts.v1_paths.iter().collect();
        paths.sort_by_key(|(path, count)| (std::cmp::Reverse(**count), path.as_str()));
        for (path, _) in paths.iter().take(5) {
            fixes.push(format!("imds get {}", short(path)));
        }
        Problem::OwnRequests
    } else if LIBRARIES.contains(&sdk) {
        fixes.push(
            "change the program: ask for a token first (PUT /latest/api/token with \
             X-aws-ec2-metadata-token-ttl-seconds) and send it with each request, or use an AWS SDK"
                .to_owned(),
        );
        Problem::OwnRequests
    } else {
        fixes.push("nothing is known of this program: look for a newer version, or ask its maker".to_owned());
        Problem::Unknown
    };
    if counts.kinds.token_failed > 0 {
        fixes.push(token_fails(counts));
    }
    Advice { problem, known_as: None, fixes, source: None }
}

fn other_cloud(counts: &CallerCounts) -> Advice {
    let cloud = counts.cloud.as_deref().unwrap_or("another cloud");
    Advice {
        problem: Problem::OtherCloud,
        known_as: None,
        fixes: vec![format!(
            "it looks for {cloud}: set its cloud detection to AWS, or turn it off. CloudWatch counts these \
             requests as MetadataNoToken"
        )],
        source: Some("https://github.com/aws/aws-imds-packet-analyzer/issues/18".to_owned()),
    }
}

/// The path as `imds get` takes it; quoted where a shell would read it differently.
fn short(path: &str) -> String {
    let short = path
        .strip_prefix("/latest/meta-data/")
        .or_else(|| path.strip_prefix("/latest/").filter(|rest| rest.contains('-')))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(path);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | ':');
    if short.chars().all(plain) { short.to_owned() } else { format!("'{}'", short.replace('\'', "'\\''")) }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a version is older than another, number by number; what is no number counts as 0.
fn is_older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split('.')
            .map(|part| {
                part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
            })
            .collect()
    };
    let (mut left, mut right) = (numbers(version), numbers(than));
    let length = left.len().max(right.len());
    left.resize(length, 0);
    right.resize(length, 0);
    left < right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::Kinds;
    use crate::who::caller::{Caller, Details, Parent};
    use crate::who::cgroup::Place;
    use crate::who::user_agent::sdk_of;

    fn counts(user_agent: &str, executable: &str, kinds: Kinds) -> CallerCounts {
        CallerCounts {
            kinds,
            sdk: sdk_of(user_agent),
            v1_paths: [("/latest/meta-data/placement/region".to_owned(), 3)].into(),
            caller: Caller {
                details: Some(Details {
                    executable: Some(executable.to_owned()),
                    command: Some(vec![executable.to_owned()]),
                    ..Details::default()
                }),
                ..Caller::default()
            },
            ..CallerCounts::default()
        }
    }

    fn advise(counts: &CallerCounts) -> (Problem, String) {
        let advice = Catalogue::built_in().unwrap().advise(counts).unwrap();
        (advice.problem, advice.fixes.join(" / "))
    }

    const V1: Kinds = Kinds { v1: 3, v2: 0, token: 0, other: 0, unreadable: 0, refused: 0, token_failed: 0 };

    #[test]
    fn the_data_is_sound() {
        let catalogue = Catalogue::built_in().unwrap();
        for known in &catalogue.entry {
            let name = &known.name;
            assert!(known.source.starts_with("https://"), "{name}");
            assert!(
                known.never || known.since.is_some() || known.fix.is_some() || known.falls_back,
                "{name}"
            );
            assert!(!(known.sdks.is_empty() && known.programs.is_empty()), "{name}");
            assert!(
                !known.falls_back || known.stop.is_some() || known.fix.is_some() || known.since.is_some()
            );
        }
        assert!(catalogue.entry.len() >= 40, "{}", catalogue.entry.len());
    }

    #[test]
    fn an_old_sdk_is_upgraded_and_a_new_one_looked_at() {
        let old = counts("aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)", "/usr/bin/app", V1);
        let (problem, fix) = advise(&old);
        assert_eq!(problem, Problem::TooOld);
        assert!(
            fix.starts_with("upgrade AWS SDK for Go, version 1 to 1.25.38 or later / then stop"),
            "{fix}"
        );

        let new = counts("Boto3/1.34.0 Botocore/1.34.0", "/usr/bin/python3.11", V1);
        let (problem, fix) = advise(&new);
        assert_eq!(problem, Problem::FallsBack);
        assert!(fix.contains("AWS_EC2_METADATA_V1_DISABLED=true"), "{fix}");

        let failing = Kinds { token: 3, token_failed: 3, ..V1 };
        let (problem, fix) = advise(&counts("Botocore/1.34.0", "/usr/bin/python3.11", failing));
        assert_eq!(problem, Problem::TokenFails);
        assert!(fix.starts_with("3 of its 3 token requests failed: look at the hop limit"), "{fix}");
    }

    #[test]
    fn a_script_is_given_the_line_to_write() {
        let curl = counts("curl/7.61.1", "/usr/bin/curl", V1);
        assert_eq!(advise(&curl), (Problem::OwnRequests, "imds get placement/region".to_owned()));
        let library = counts("python-requests/2.1", "/usr/bin/python3", V1);
        assert!(advise(&library).1.starts_with("change the program: ask for a token first"));
        let unknown = counts("", "/opt/thing", V1);
        assert_eq!(advise(&unknown).0, Problem::Unknown);
    }

    #[test]
    fn agents_by_executable_script_and_unit() {
        let agent = counts("aws-sdk-go/1.44.0", "/usr/bin/ssm-agent-worker", V1);
        assert!(advise(&agent).1.starts_with("upgrade SSM Agent to 3.2.1041.0"));
        // `ec2-metadata` is a script that calls curl.
        let mut script = counts("curl/7.61.1", "/usr/bin/curl", V1);
        let details = script.caller.details.as_mut().unwrap();
        details.parents = vec![Parent {
            pid: 1,
            name: "ec2-metadata".to_owned(),
            command: Some(vec![
                "/bin/bash".to_owned(),
                "/opt/aws/bin/ec2-metadata".to_owned(),
                "-z".to_owned(),
            ]),
        }];
        assert!(advise(&script).1.starts_with("install amazon-ec2-utils 1.3 or later"));
        let mut unit = counts("Go-http-client/1.1", "/opt/bin/agent", V1);
        unit.caller.place = Place { unit: Some("datadog-agent.service".to_owned()), ..Place::default() };
        assert!(advise(&unit).1.contains("ec2_prefer_imdsv2"));
    }

    #[test]
    fn other_clouds_and_callers_that_do_no_harm() {
        let mut probe = counts("", "/opt/agent", Kinds { other: 1, ..Kinds::default() });
        probe.cloud = Some("Azure".to_owned());
        assert_eq!(advise(&probe).0, Problem::OtherCloud);
        let catalogue = Catalogue::built_in().unwrap();
        let good = counts("curl/8", "/usr/bin/curl", Kinds { v2: 9, ..Kinds::default() });
        assert_eq!(catalogue.advise(&good), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_older("1.9.9", "1.25.38") && is_older("1.25", "1.25.38") && is_older("19.3", "19.4"));
        assert!(
            !is_older("1.25.38", "1.25.38") && !is_older("2.0", "1.25.38") && !is_older("19.4-1", "19.4")
        );
    }

    #[test]
    fn paths_as_the_command_takes_them() {
        for (path, expected) in [
            ("/latest/meta-data/instance-id", "instance-id"),
            ("/latest/meta-data/", "/latest/meta-data/"),
            ("/latest/user-data", "user-data"),
            ("/latest/dynamic/instance-identity/document", "dynamic/instance-identity/document"),
            ("/2021-01-03/meta-data/x", "/2021-01-03/meta-data/x"),
            ("/latest/meta-data/tags/instance/a b", "'tags/instance/a b'"),
        ] {
            assert_eq!(short(path), expected, "{path}");
        }
    }
}
