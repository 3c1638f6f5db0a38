//! What a trace consists of, with no I/O: records, and sums over them.

pub(crate) mod record;
