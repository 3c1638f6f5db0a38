//! One file per subcommand.

pub(crate) mod completions;
pub(crate) mod emulate;
pub(crate) mod get;
pub(crate) mod man;
pub(crate) mod serve;
pub(crate) mod token;
