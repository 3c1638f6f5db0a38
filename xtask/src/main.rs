//! The project's own tasks, run as `cargo xtask TASK`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task tells its result on the terminal")]

mod bench;
mod bench_act;
mod bench_emulator;
mod certificates;
mod check;
mod dist;
mod docs;
mod generate;
mod hot_functions;
mod kill;
mod link;
mod model;
mod package;
mod service;
mod soak;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = include_str!("usage.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    if let Some(linker) = link::real_linker() {
        return end(link::run(&linker, &arguments));
    }
    end(match arguments.first().map(String::as_str) {
        Some("bench") => bench::run(rest),
        Some("bench-act") => bench_act::run(rest),
        Some("bench-emulator") => bench_emulator::run(rest),
        Some("certificates") => certificates::run(rest),
        Some("check") => check::run(rest),
        Some("dist") => dist::run(rest),
        Some("docs") => docs::run(rest),
        Some("generate") => generate::run(rest),
        Some("hot-functions") => hot_functions::run(rest),
        Some("kill") => kill::run(rest),
        Some("model") => model::run(rest),
        Some("package") => package::run(rest),
        Some("soak") => soak::run(rest),
        _ => Err(USAGE.to_owned()),
    })
}

fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
