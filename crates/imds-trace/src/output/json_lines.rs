//! One JSON object per line.

use std::io::{self, BufWriter, Write as _};

use imds_model::printable;
use imds_stdout::Stdout;

use crate::failure::{Exit, Failure};
use crate::report::line::Line;

pub(crate) struct JsonLines(BufWriter<Stdout>);

impl JsonLines {
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1_024, imds_stdout::stdout()))
    }

    pub(crate) fn line(&mut self, line: &Line) -> Result<(), Failure> {
        let text = serde_json::to_string(line)
            .map_err(|error| Failure::new(Exit::Failed, "cannot write a record as JSON").caused_by(error))?;
        writeln!(self.0, "{}", printable::escape_json(&text)).map_err(unwritten)
    }

    /// Writes what is held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(unwritten)
    }
}

fn unwritten(error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::reader_gone();
    }
    Failure::new(Exit::Failed, "cannot write the trace to stdout").caused_by(error)
}
