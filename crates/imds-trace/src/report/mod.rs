//! What a trace consists of, with no I/O: records, and sums over them.

pub(crate) mod advice;
pub(crate) mod line;
pub(crate) mod record;
pub(crate) mod summary;
pub(crate) mod trace_file;
