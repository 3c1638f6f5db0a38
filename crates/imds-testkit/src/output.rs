//! What a command left behind.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// Standard output, standard error and exit status of a command that has ended.
///
/// Its `Display` shows the three together, with the port of a loopback address as `PORT` and the
/// test's temporary directory as `ROOT`, so that one comparison tells everything that the command
/// did.
#[derive(Clone, Debug)]
#[must_use = "look at what the command did, its exit status at least"]
pub struct CommandOutput {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    status: ExitStatus,
    elapsed: Duration,
    root: String,
}

impl CommandOutput {
    pub(crate) fn new(
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        status: ExitStatus,
        elapsed: Duration,
        root: String,
    ) -> Self {
        Self { stdout, stderr, status, elapsed, root }
    }

    /// Standard output as text.
    ///
    /// # Panics
    /// If it is not UTF-8; see [`CommandOutput::stdout_bytes`].
    #[must_use]
    pub fn stdout(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("stdout is no UTF-8:\n{self}"))
    }

    /// Standard output, byte for byte.
    #[must_use]
    pub fn stdout_bytes(&self) -> &[u8] {
        &self.stdout
    }

    /// Standard error as text.
    ///
    /// # Panics
    /// If it is not UTF-8.
    #[must_use]
    pub fn stderr(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap_or_else(|_| panic!("stderr is no UTF-8:\n{self}"))
    }

    /// Standard error, byte for byte.
    #[must_use]
    pub fn stderr_bytes(&self) -> &[u8] {
        &self.stderr
    }

    /// The exit code; nothing where a signal ended the command.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// How long the command took: for ratios between commands of one test, never for limits in
    /// seconds.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Fails the test unless the command ended with `code`; gives the output back for more.
    ///
    /// # Panics
    /// If it ended otherwise.
    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "not the exit code that was expected:\n{self}");
        self
    }

    /// Fails the test unless the command ended with 0 and printed exactly `stdout`.
    ///
    /// # Panics
    /// If it did otherwise.
    #[track_caller]
    pub fn prints(self, stdout: impl AsRef<[u8]>) -> Self {
        let output = self.exits_with(0);
        assert!(output.stdout == stdout.as_ref(), "not the value that was expected:\n{output}");
        output
    }

    /// Fails the test unless the command ended with `code` (not 0), printed nothing to stdout, and
    /// an error to stderr.
    ///
    /// # Panics
    /// If it did otherwise.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert_ne!(code, 0, "0 is no failure");
        let output = self.exits_with(code);
        assert!(output.stdout.is_empty(), "a command that fails prints no value:\n{output}");
        assert!(output.stderr().contains("error: "), "a command that fails says why:\n{output}");
        output
    }

    /// Fails the test unless stderr holds `text`.
    ///
    /// # Panics
    /// If it does not.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr does not say {text:?}:\n{self}");
        self
    }

    /// `text` as `Display` shows it: the same on every machine and in every run.
    fn normalised(&self, bytes: &[u8]) -> String {
        let text: String = bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
            text
        });
        let text = text.replace(&self.root, "ROOT");
        ["127.0.0.1:", "[::1]:", "localhost:"].iter().fold(text, |text, host| hide_port(&text, host))
    }
}

fn hide_port(text: &str, host: &str) -> String {
    let mut pieces = text.split(host);
    let mut hidden = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        hidden.push_str(host);
        hidden.push_str(if rest.len() < piece.len() { "PORT" } else { "" });
        hidden.push_str(rest);
    }
    hidden
}

impl fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if bytes.is_empty() {
                writeln!(f, "{name}: empty")?;
                continue;
            }
            writeln!(f, "{name}:")?;
            let text = self.normalised(bytes);
            for line in text.split_inclusive('\n') {
                match line.strip_suffix('\n') {
                    Some(line) => writeln!(f, "| {line}")?,
                    None => writeln!(f, "| {line} (no newline)")?,
                }
            }
        }
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => write!(f, "exit: {code}"),
            (None, Some(signal)) => write!(f, "ended by signal {signal}"),
            (None, None) => write!(f, "{}", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_all_three_without_what_changes_from_run_to_run() {
        let output = CommandOutput::new(
            b"i-1\nraw \xff".to_vec(),
            b"error: cannot reach `http://127.0.0.1:4711/x` with /tmp/t1/cache and [::1]: or [::1]:5\n"
                .to_vec(),
            ExitStatus::from_raw(4 << 8),
            Duration::ZERO,
            "/tmp/t1".into(),
        );
        assert_eq!(
            output.to_string(),
            "stdout:\n| i-1\n| raw \\xff (no newline)\nstderr:\n\
             | error: cannot reach `http://127.0.0.1:PORT/x` with ROOT/cache and [::1]: or [::1]:PORT\nexit: 4"
        );
    }

    #[test]
    fn names_the_signal() {
        let output =
            CommandOutput::new(vec![], vec![], ExitStatus::from_raw(9), Duration::ZERO, "/tmp/t".into());
        assert_eq!(output.to_string(), "stdout: empty\nstderr: empty\nended by signal 9");
    }
}
