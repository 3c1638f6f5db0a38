//! The command `imds`: one file per subcommand, one reporter for errors, one place for output.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command prints")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod cli;
mod commands;
mod connection;
mod decode;
mod examples;
mod exit;
mod hints;
mod mime;
mod missing;
mod output;
mod progress;
mod query;
mod render;
mod report;
mod shortcuts;
mod style;
mod suggest;
mod system;
mod tree_read;
mod value;
mod variables;
mod watch;

use std::process::ExitCode;

/// musl's own allocator gives every few kilobytes back to the system, which costs `imds get` a
/// third of its run.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    report::end(cli::run(std::env::args_os()))
}
