//! One file per subcommand.

pub(crate) mod aws_cli;
pub(crate) mod completions;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod emulate;
pub(crate) mod get;
pub(crate) mod identity;
pub(crate) mod man;
pub(crate) mod serve;
pub(crate) mod token;
