//! `--credentials COMMAND`: real role credentials from a command of the `credential_process`
//! contract.
//!
//! A shell runs the command anew whenever credentials are needed. The shell is started first of
//! all, so that the command has the network that the user has, whatever the emulated command is
//! given.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use imds::Environment;
use imds_emulator::instance::{Credentials, RoleCredentials};
use imds_emulator::{Service, Timestamp};
use serde_json::Value;

use crate::exit::Exit;
use crate::report::{self, Failure};

/// Runs the command for each line of its input; answers with its exit code, its output and an end.
const LOOP: &str = r#"
while read -r _; do
    output=$(eval "$1" </dev/null)
    printf '%s\n%s\n\036\n' "$?" "$output"
done"#;
/// Ends an answer: a record separator, which is in no JSON text.
const END: u8 = 0o36;
/// Longest answer that is read.
const LONGEST: u64 = 64 * 1024;
/// How long the first credentials are waited for before the command starts without.
const FIRST: Duration = Duration::from_secs(10);
/// How long before they expire new credentials are fetched, as the service does (EC2 User Guide,
/// "Retrieve security credentials from instance metadata").
const EARLY: Duration = Duration::from_secs(300);
/// The pause after a failure, and between two fetches at least.
const PAUSE: Duration = Duration::from_secs(10);
/// How long credentials without an expiration are served before the command is asked again.
const UNLIMITED: Duration = Duration::from_secs(3600);

/// A shell that can be asked for credentials.
pub(crate) struct CredentialSource {
    shell: Child,
    requests: ChildStdin,
    /// Read by a thread once an answer is wanted: a process with threads cannot enter a namespace.
    output: Option<(ChildStdout, mpsc::Sender<Vec<u8>>)>,
    answers: Receiver<Vec<u8>>,
    /// An answer is on its way that was not waited for.
    late: bool,
    /// The Region that the last answer named.
    region: Option<String>,
}

impl CredentialSource {
    /// Starts the shell.
    pub(super) fn start(command: &str) -> Result<Self, Failure> {
        let failed = |error| Failure::told(Exit::Unexpected, "cannot run `sh`").caused_by(error);
        let mut shell = Command::new("sh")
            .args(["-c", LOOP, "imds-credentials", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (Some(requests), Some(output)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(Failure::told(Exit::Unexpected, "cannot talk to `sh`"));
        };
        let (send, answers) = mpsc::channel();
        Ok(Self { shell, requests, output: Some((output, send)), answers, late: false, region: None })
    }

    /// The credentials that the service starts with.
    pub(super) fn first(&mut self) -> RoleCredentials {
        self.fetch(FIRST).unwrap_or_else(|cause| {
            report::note(&format!("`--credentials` gives no credentials: {cause}"));
            RoleCredentials::Unavailable { updated: now() }
        })
    }

    /// Keeps the service's credentials fresh for as long as this process lives.
    pub(super) fn refresh(mut self, service: Service, first: RoleCredentials) -> Result<(), Failure> {
        let mut wait = until_next(&first);
        let run = move || {
            loop {
                std::thread::sleep(wait);
                match self.fetch(UNLIMITED) {
                    Ok(credentials) => {
                        wait = until_next(&credentials);
                        service.set_role_credentials(credentials);
                    }
                    // The last ones stay, as the service's do while its own source fails.
                    Err(cause) => {
                        report::note(&format!("`--credentials` gives no new credentials: {cause}"));
                        wait = PAUSE;
                    }
                }
            }
        };
        std::thread::Builder::new()
            .name("imds-refresh".into())
            .spawn(run)
            .map(drop)
            .map_err(|error| Failure::told(Exit::Unexpected, "cannot start a thread").caused_by(error))
    }

    /// Asks for credentials. An error says nothing of what the command printed.
    fn fetch(&mut self, at_most: Duration) -> Result<RoleCredentials, String> {
        if let Some((output, send)) = self.output.take() {
            std::thread::Builder::new()
                .name("imds-credentials".into())
                .spawn(move || read_answers(output, &send))
                .map_err(|error| format!("a thread cannot be started: {error}"))?;
        }
        if !self.late {
            self.requests.write_all(b"\n").map_err(|_| "its shell has ended".to_owned())?;
        }
        self.late = true;
        let answer = self.answers.recv_timeout(at_most).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("no answer in {} s", at_most.as_secs()),
            RecvTimeoutError::Disconnected => "its shell has ended".to_owned(),
        })?;
        self.late = false;
        let parsed = parse(&String::from_utf8_lossy(&answer), now())?;
        self.region = parsed.region;
        Ok(parsed.credentials)
    }

    /// The Region of the credentials: the one that the command printed, else that of the profile
    /// that it names, else the environment's.
    pub(super) fn region(&self, command: &str, environment: &dyn Environment) -> Option<String> {
        let profile = profile_of(command);
        let of_profile = || match imds::profile_region(environment, profile.as_deref()) {
            Ok(region) => region,
            Err(error) => {
                report::note(&format!("the Region of `--credentials` is not known: {error}"));
                None
            }
        };
        let named = |name| environment.variable(name);
        self.region
            .clone()
            .or_else(of_profile)
            .or_else(|| named("AWS_REGION"))
            .or_else(|| named("AWS_DEFAULT_REGION"))
    }
}

impl Drop for CredentialSource {
    fn drop(&mut self) {
        // Fails if it has ended, which is as good.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn read_answers(output: ChildStdout, send: &mpsc::Sender<Vec<u8>>) {
    let mut output = BufReader::new(output);
    loop {
        let mut answer = Vec::new();
        let read = output.by_ref().take(LONGEST).read_until(END, &mut answer);
        // Without its end, an answer is cut: too long, or of a shell that ended.
        if !read.is_ok_and(|length| length > 0) || answer.pop() != Some(END) || send.send(answer).is_err() {
            return;
        }
    }
}

/// What an answer holds.
struct Parsed {
    credentials: RoleCredentials,
    /// Which the contract does not know; some programs print it.
    region: Option<String>,
}

/// The profile that a command names: `--profile NAME`, `--profile=NAME`, `-p NAME`.
fn profile_of(command: &str) -> Option<String> {
    let mut words = command.split_whitespace();
    let plain = |word: &str| word.trim_matches(['"', '\'']).to_owned();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("--profile", name)) => return Some(plain(name)),
            _ if matches!(word, "--profile" | "-p") => return words.next().map(plain),
            _ => {}
        }
    }
    None
}

/// An answer: the exit code on the first line, then what the command printed.
fn parse(answer: &str, now: Timestamp) -> Result<Parsed, String> {
    let (code, output) = answer.trim_start().split_once('\n').unwrap_or((answer.trim(), ""));
    if code != "0" {
        return Err(format!("it ended with exit code {code}"));
    }
    let json: Value = serde_json::from_str(output).map_err(|_| "it printed no JSON".to_owned())?;
    if json["Version"] != 1 {
        return Err("its `Version` is not 1".to_owned());
    }
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    let needed = |name: &str| text(name).ok_or_else(|| format!("it gave no `{name}`"));
    let expiration = match text("Expiration") {
        None => now.after(UNLIMITED),
        Some(text) => imds_model::calendar::DateTime::parse_rfc3339(&text)
            .map(|time| Timestamp::from_millis(time.unix_millis()))
            .map_err(|_| "its `Expiration` is not a time".to_owned())?,
    };
    let credentials = RoleCredentials::Ready {
        credentials: Credentials {
            access_key_id: needed("AccessKeyId")?,
            secret_access_key: needed("SecretAccessKey")?,
            token: text("SessionToken").unwrap_or_default(),
        },
        updated: now,
        expiration,
        account_id: text("AccountId"),
    };
    Ok(Parsed { credentials, region: text("Region").filter(|region| !region.is_empty()) })
}

/// When new credentials are fetched.
fn until_next(credentials: &RoleCredentials) -> Duration {
    match credentials {
        RoleCredentials::Ready { updated, expiration, .. } => {
            expiration.since(updated.after(EARLY)).max(PAUSE)
        }
        _ => PAUSE,
    }
}

/// The wall clock's time: real credentials expire by it, whatever clock the emulator goes by.
#[allow(clippy::disallowed_methods, reason = "real credentials expire by the real clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::default().after(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn the_contract_of_credential_process() {
        let answer = concat!(
            "0\n{\"Version\": 1, \"AccessKeyId\": \"ASIAIOSFODNN7EXAMPLE\", \"SecretAccessKey\": \"secret\", ",
            "\"SessionToken\": \"token\", \"Expiration\": \"2027-01-15T09:00:00+00:00\", \"AccountId\": ",
            "\"210987654321\"}\n"
        );
        let Parsed { credentials, region } = parse(answer, NOW).unwrap();
        assert_eq!(region, None);
        let RoleCredentials::Ready { expiration, account_id, .. } = &credentials else { panic!() };
        assert_eq!(expiration.to_string(), "2027-01-15T09:00:00Z");
        assert_eq!(account_id.as_deref(), Some("210987654321"));
        // An hour, five minutes early.
        assert_eq!(until_next(&credentials), Duration::from_secs(3600 - 300));
        assert_eq!(format!("{credentials:?}"), "RoleCredentials::Ready");
    }

    #[test]
    fn errors_show_nothing_that_the_command_printed() {
        for (answer, error) in [
            ("7\nsecret", "it ended with exit code 7"),
            ("0\nsecret", "it printed no JSON"),
            ("0\n{\"Version\": 2, \"SecretAccessKey\": \"secret\"}", "its `Version` is not 1"),
            ("0\n{\"Version\": 1, \"AccessKeyId\": \"secret\"}", "it gave no `SecretAccessKey`"),
            ("0\n{\"Version\": 1, \"Expiration\": \"secret\"}", "its `Expiration` is not a time"),
        ] {
            assert_eq!(parse(answer, NOW).err().as_deref(), Some(error));
        }
    }

    #[test]
    fn the_profile_that_a_command_names() {
        for (command, profile) in [
            ("aws configure export-credentials --profile dev --format process", Some("dev")),
            ("aws --profile='my dev' x", Some("my")),
            ("aws-vault export --format=json", None),
            ("saml -p \"dev\"", Some("dev")),
            ("x --profile", None),
        ] {
            assert_eq!(profile_of(command).as_deref(), profile, "{command}");
        }
    }

    /// A stalled command is not run a second time; its answer counts when it comes.
    #[test]
    fn a_stalled_command_is_told_and_its_late_answer_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (gate, runs) = (folder.path().join("gate"), folder.path().join("runs"));
        let command = format!(
            "echo >>'{}'; until [ -e '{}' ]; do :; done; \
             echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"test\",\"Region\":\"eu-west-1\"}}'",
            runs.display(),
            gate.display()
        );
        let mut source = CredentialSource::start(&command).unwrap();
        for _ in 0..2 {
            assert_eq!(source.fetch(Duration::from_millis(20)).unwrap_err(), "no answer in 0 s");
        }
        std::fs::write(&gate, "").unwrap();
        let RoleCredentials::Ready { credentials, .. } = source.fetch(UNLIMITED).unwrap() else { panic!() };
        assert_eq!(credentials.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(source.region("", &imds::EmptyEnvironment).as_deref(), Some("eu-west-1"));
        assert_eq!(std::fs::read_to_string(&runs).unwrap().lines().count(), 1);
    }

    #[test]
    fn expired_credentials_are_given_and_asked_for_again_soon() {
        let answer = "0\n{\"Version\":1,\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"2020-01-01T00:00:00Z\"}";
        let Parsed { credentials, .. } = parse(answer, NOW).unwrap();
        let RoleCredentials::Ready { expiration, .. } = &credentials else { panic!() };
        assert_eq!(expiration.to_string(), "2020-01-01T00:00:00Z");
        assert_eq!(until_next(&credentials), PAUSE);
    }
}
