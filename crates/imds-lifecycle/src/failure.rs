//! Why the program ends without success.

use std::fmt;

/// A message, what brought it about, and advice.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    cause: Option<String>,
    hint: Option<&'static str>,
    code: u8,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, hint: None, code: 1 }
    }

    pub(crate) fn caused_by(mut self, cause: &dyn fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// A wrong command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// The exit code: 2 for a wrong command line, as clap has it, else 1.
    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    /// All of it, as it is printed.
    pub(crate) fn report(&self) -> String {
        let mut text = format!("error: {}\n", self.message);
        if let Some(cause) = &self.cause {
            text.push_str(&format!("caused by: {cause}\n"));
        }
        if let Some(hint) = self.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
