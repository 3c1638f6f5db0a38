//! Runs the command with nothing of the surrounding environment.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use imds_fake_aws::Fake;

/// What the credentials of the tests hold; must show up in no output.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "session-token-of-the-fake";

/// What a run brought.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The lines of the standard output as JSON.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The command, hermetic: no credentials, an empty home, a dead proxy, and never the real IMDS.
pub(crate) fn bare(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imds-fleet"));
    command
        .env_clear()
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("http_proxy", "http://127.0.0.1:1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::null());
    command
}

/// The command with credentials, sent to the fake.
pub(crate) fn fleet(fake: &Fake, args: &[&str]) -> Command {
    let mut command = bare(Path::new("/nonexistent"));
    command
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_ENDPOINT_URL", fake.url())
        .env("AWS_REGION", "us-east-1")
        .args(args);
    if !args.contains(&"rules") && !args.contains(&"policy") {
        command.args(["--backoff", "1ms"]);
    }
    command
}

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let ran = Ran {
        status: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    };
    for secret in [SECRET, SESSION_TOKEN] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "a secret shows: {ran:?}");
    }
    ran
}

/// Runs the command with these arguments against the fake.
pub(crate) fn ran(fake: &Fake, args: &[&str]) -> Ran {
    run(fleet(fake, args))
}

/// Now, as the command sees it.
#[allow(clippy::disallowed_methods, reason = "metrics of the fake are dated relative to now")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap()
}
