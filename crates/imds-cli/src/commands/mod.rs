//! One file per subcommand.

#[cfg(unix)]
pub(crate) mod aws_cli;
#[cfg(windows)]
#[path = "aws_cli_windows.rs"]
pub(crate) mod aws_cli;
pub(crate) mod categories;
pub(crate) mod completions;
mod credential_source;
pub(crate) mod credentials;
pub(crate) mod doctor;
pub(crate) mod dump;
pub(crate) mod emulate;
pub(crate) mod emulator;
pub(crate) mod emulator_args;
pub(crate) mod env;
pub(crate) mod exec;
pub(crate) mod external;
pub(crate) mod get;
pub(crate) mod identity;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod serve;
mod stop_signals;
pub(crate) mod token;
pub(crate) mod tree;
pub(crate) mod user_data;
pub(crate) mod wait;
pub(crate) mod watch;
