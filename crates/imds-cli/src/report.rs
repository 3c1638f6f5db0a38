//! The one reporter: the message of a failure, and its exit code.

use std::error::Error as _;
use std::io::Write as _;
use std::process::ExitCode;

use imds_model::printable;

use crate::exit::Exit;
use crate::hints;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service, the network or the configuration, with advice beyond that of [`hints`].
    Imds { error: imds::Error, hints: Vec<String> },
    /// The command line; `clap` words it. Help and version come this way too.
    Clap(clap::Error),
    /// Several errors of the service or the network, and the exit code for them together.
    Several { exit: Exit, errors: Vec<imds::Error> },
    /// Anything else, in our words.
    Told { exit: Exit, message: String, cause: Option<String>, hints: Vec<String> },
    /// The reader of the output has gone: not an error.
    BrokenPipe,
    /// A child's exit code, passed on.
    Child(u8),
    /// What the command printed says it all.
    Printed(Exit),
}

impl Failure {
    /// A failure with this message.
    pub(crate) fn told(exit: Exit, message: impl Into<String>) -> Self {
        Self::Told { exit, message: message.into(), cause: None, hints: Vec::new() }
    }

    /// A wrong use of the command.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::told(Exit::Usage, message)
    }

    /// Adds what brought it about.
    pub(crate) fn caused_by(mut self, error: impl std::fmt::Display) -> Self {
        if let Self::Told { cause, .. } = &mut self {
            *cause = Some(error.to_string());
        }
        self
    }

    /// Adds advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Told { hints, .. } | Self::Imds { hints, .. } = &mut self {
            hints.push(hint.into());
        }
        self
    }
}

impl From<imds::Error> for Failure {
    fn from(error: imds::Error) -> Self {
        Self::Imds { error, hints: Vec::new() }
    }
}

impl From<imds::PathError> for Failure {
    fn from(error: imds::PathError) -> Self {
        imds::Error::from(error).into()
    }
}

impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        Self::Clap(error)
    }
}

/// Most errors of a tree that are shown one by one.
const MOST_ERRORS: usize = 20;

/// Ends the process: tells the failure, if there is one.
pub(crate) fn end(result: Result<(), Failure>) -> ExitCode {
    let failure = match result {
        Ok(()) | Err(Failure::BrokenPipe) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let (exit, message, causes, hints) = match failure {
        Failure::Child(code) => return ExitCode::from(code),
        Failure::Printed(exit) => return ExitCode::from(exit as u8),
        Failure::Clap(error) => {
            print_usage_error(&error);
            return if error.use_stderr() { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS };
        }
        Failure::Imds { error, hints: mut advice } => {
            advice.extend(hints::of(&error));
            (Exit::from(error.kind()), error.to_string(), causes_of(&error), advice)
        }
        Failure::Several { exit, errors } => {
            for error in errors.iter().take(MOST_ERRORS) {
                tell(&error.to_string(), causes_of(error), Vec::new());
            }
            if let Some(more @ 1..) = errors.len().checked_sub(MOST_ERRORS) {
                note(&format_args!("{more} more errors of this kind are not shown"));
            }
            return ExitCode::from(exit as u8);
        }
        Failure::Told { exit, message, cause, hints } => (exit, message, cause.into_iter().collect(), hints),
        Failure::BrokenPipe => return ExitCode::SUCCESS,
    };
    tell(&message, causes, hints);
    ExitCode::from(exit as u8)
}

fn tell(message: &str, causes: Vec<String>, hints: Vec<String>) {
    // Names of the service and of files stand in all of them.
    let mut text = format!("error: {}\n", printable::escape(message));
    for cause in causes {
        text.push_str(&format!("caused by: {}\n", printable::escape(&cause)));
    }
    for hint in hints {
        text.push_str(&format!("hint: {}\n", printable::escape(&hint)));
    }
    // Where stderr is gone there is nobody left to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Prints help, the version, or an error of `clap`, which repeats words of the command line.
fn print_usage_error(error: &clap::Error) {
    let plain = error.render().to_string();
    if plain.split(char::is_whitespace).any(|word| word.len() > LONGEST_WORD) {
        // Somebody's file, pasted into an option: `clap` would repeat it whole.
        let short = shortened(&plain);
        let _ = std::io::stderr().write_all(printable::escape_lines(&short).as_bytes());
        return;
    }
    let is_safe = plain.chars().all(|character| character == '\n' || !printable::needs_escape(character));
    if is_safe {
        let _ = error.print();
    } else {
        let _ = std::io::stderr().write_all(printable::escape_lines(&plain).as_bytes());
    }
}

/// Longest word of a message of `clap`.
const LONGEST_WORD: usize = 1_000;

fn shortened(text: &str) -> String {
    let brief = |word: &str| {
        let body = word.trim_end();
        if body.len() <= LONGEST_WORD {
            return word.to_owned();
        }
        format!("{}{}", printable::brief(body), &word[body.len()..])
    };
    text.split_inclusive(char::is_whitespace).map(brief).collect()
}

/// What brought the error about, nearest first.
fn causes_of(error: &imds::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// Tells something in passing, on stderr.
pub(crate) fn note(message: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "note: {}", printable::escape(&message.to_string()));
}
