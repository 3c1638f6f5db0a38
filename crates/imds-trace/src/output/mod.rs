//! How a trace is shown: as JSON lines, as a table, as metrics.

pub(crate) mod json_lines;
pub(crate) mod metrics;
pub(crate) mod shown;
pub(crate) mod table;
pub(crate) mod terminal;
