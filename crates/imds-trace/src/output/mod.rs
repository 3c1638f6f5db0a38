//! How a trace is shown.

pub(crate) mod json_lines;

use crate::failure::Failure;
use crate::report::record::Line;

/// Something that shows a trace.
pub(crate) trait Sink {
    /// Takes a line of the trace.
    fn line(&mut self, line: &Line) -> Result<(), Failure>;

    /// Shows what there is: nothing more comes for a while.
    fn flush(&mut self) -> Result<(), Failure>;
}
