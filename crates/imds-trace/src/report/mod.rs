//! What is told of a trace, with no I/O: records, and sums over them.

pub(crate) mod record;
