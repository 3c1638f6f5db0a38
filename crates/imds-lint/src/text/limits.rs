//! Bounds on every input. What goes beyond one is reported as not read; it is never "clean".

/// Largest file that is parsed. User data is 16 KiB at most; the largest templates are a few
/// hundred KiB.
pub const FILE_BYTES: u64 = 4 << 20;

/// Largest text that compressed data may expand to: 64 times the most that user data may hold.
pub const EXPANDED_BYTES: usize = 1 << 20;

/// Deepest nesting of embedded texts: a script in cloud-config in MIME in base64 in a template is
/// 5.
pub const EMBEDDING: usize = 8;

/// Deepest nesting of brackets, indentation levels or syntax nodes.
pub const NESTING: usize = 400;

/// Most syntax nodes of one text.
pub const NODES: usize = 2_000_000;

/// Reports of progress (one for every 100 operations of the parser) that any text may take.
pub const PARSE_REPORTS: usize = 5_000;

/// Bytes for each further report. Valid text needs about one operation a byte; grammars that
/// backtrack over broken text need many more.
pub const BYTES_PER_REPORT: usize = 10;

/// Most heredocs of a text: the grammars of shell and Ruby read to its end for each.
pub const HEREDOCS: usize = 1_000;
