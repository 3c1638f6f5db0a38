//! Why the program ends without success, and its exit codes.

use std::fmt;

/// How the process ends. The numbers are those of `imds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Anything unexpected; with `--fail-on-v1`, IMDSv1 was used.
    Failed = 1,
    /// Wrong usage, or a file that cannot be read.
    Usage = 2,
    /// This kernel cannot do it.
    Unsupported = 4,
    /// The kernel refuses: rights, or lockdown.
    Refused = 5,
    /// With `--fail-on-v1`: no IMDSv1 was seen, and not everything was seen.
    Incomplete = 6,
}

/// The table, as help shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  anything unexpected; with --fail-on-v1, a request by IMDSv1 was seen
  2  usage or configuration
  4  this kernel cannot trace (too old, or built without what is needed)
  5  the kernel refuses (missing capabilities, or lockdown)
  6  with --fail-on-v1: none was seen, but events were lost or requests could not be read";

/// A message, what caused it, and hints.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    cause: Option<String>,
    hints: Vec<String>,
    exit: Exit,
    reader_gone: bool,
}

impl Failure {
    /// The reader of the output has gone: the end of the trace, and no error.
    pub(crate) fn reader_gone() -> Self {
        Self { reader_gone: true, ..Self::new(Exit::Failed, "the reader of the output has gone") }
    }

    pub(crate) const fn is_reader_gone(&self) -> bool {
        self.reader_gone
    }

    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, hints: Vec::new(), exit, reader_gone: false }
    }

    pub(crate) fn caused_by(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The exit code.
    pub(crate) const fn code(&self) -> u8 {
        self.exit as u8
    }

    /// All of it, as it is printed.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("error: {}", self.message);
        if let Some(cause) = &self.cause {
            text.push_str(&format!(": {cause}"));
        }
        text.push('\n');
        for hint in &self.hints {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }
}
