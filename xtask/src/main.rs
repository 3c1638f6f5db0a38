//! The project's own tasks, run as `cargo xtask TASK`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task tells its result on the terminal")]

mod certificates;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.first().map(String::as_str) {
        Some("certificates") => certificates::run(&arguments[1..]),
        _ => Err("usage: cargo xtask certificates [--package FILE.tgz]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
