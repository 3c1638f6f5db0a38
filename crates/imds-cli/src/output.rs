//! Writing results to stdout: byte for byte on a pipe, friendlier on a terminal.

use std::io::{ErrorKind, IsTerminal as _};

use imds_model::printable;

use crate::exit::Exit;
use crate::report::Failure;
use crate::system;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// The value itself
    #[default]
    Text,
    /// JSON
    Json,
}

/// How values are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ValueFormat {
    /// The value itself
    #[default]
    Text,
    /// JSON
    Json,
    /// One line per value: NAME="value", for shells and systemd
    Env,
    /// YAML
    Yaml,
}

impl ValueFormat {
    /// Whether an absent value has a place in it, as `null`.
    pub(crate) fn has_null(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

/// Writes the bytes as they are. On a terminal a last line end is added, and binary is refused.
pub(crate) fn value(bytes: &[u8]) -> Result<(), Failure> {
    let terminal = std::io::stdout().is_terminal();
    if terminal && is_binary(bytes) {
        return Err(binary());
    }
    let add_line_end = terminal && !bytes.is_empty() && !bytes.ends_with(b"\n");
    write(&[bytes, if add_line_end { b"\n" } else { b"" }])
}

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Writes a text that ends its last line itself. On a terminal, what a terminal could act on is
/// escaped but line feeds; on a pipe, every byte stays.
pub(crate) fn text(text: &str) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return write(&[text.as_bytes()]);
    }
    write(&[printable::escape_lines(text).as_bytes()])
}

/// Writes a JSON or YAML document. On a terminal, what a terminal could act on is written as
/// `\uXXXX`, which means the same.
pub(crate) fn document(text: &str) -> Result<(), Failure> {
    let is_terminal = std::io::stdout().is_terminal();
    write(&[if is_terminal { printable::escape_json(text) } else { text.into() }.as_bytes()])
}

/// Writes several values, each with its end behind it. On a terminal, binary is refused.
pub(crate) fn values(bytes: &[u8]) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() && is_binary(bytes) {
        return Err(binary());
    }
    write(&[bytes])
}

/// Writes the parts one after the other. A reader that has gone is not an error.
pub(crate) fn write(parts: &[&[u8]]) -> Result<(), Failure> {
    imds_stdout::check().map_err(failed)?;
    // One write for all: a value that fits a pipe arrives whole, and a short one costs one system
    // call.
    let whole: Vec<u8>;
    let bytes = match parts {
        [one, b""] | [one] => *one,
        _ => {
            whole = parts.concat();
            &whole
        }
    };
    match system::write_stdout(bytes) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::BrokenPipe),
        Err(error) => Err(failed(error)),
        Ok(()) => Ok(()),
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::told(Exit::Unexpected, "cannot write to stdout").caused_by(error)
}

fn binary() -> Failure {
    Failure::told(Exit::Usage, "cannot print binary data on a terminal")
        .hint("write it to a file with `> FILE`, or into a pipe")
}

/// Whether a terminal would be upset: NUL, escape and other controls, or what is not UTF-8.
fn is_binary(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')),
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::is_binary;

    #[test]
    fn what_is_binary() {
        assert!(!is_binary("plain\ttext, größer\r\n".as_bytes()));
        for bytes in [&b"a\0b"[..], b"\x1b[31m", b"\x1f\x8b\x08", b"\xff"] {
            assert!(is_binary(bytes));
        }
    }
}
