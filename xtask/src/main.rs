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
mod model;
mod package;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK

  bench [--rounds N]                  whole processes of `imds get` against curl and a floor without libc
  bench-act [OPTION N]                `imds watch` beside the bash loop: connections, tokens, memory, CPU; hook latency
  bench-emulator [--alone] [OPTION N]  the emulator under load: errors, memory, requests/s beside nginx and moto
  certificates [--package FILE.tgz]   the Regions' certificates of crates/imds-identity
  check [--only CRATE]                the house rules that no other tool checks
  check --imports CRATE               which module of a crate imports which, as rows of xtask/layers.toml
  dist [PACKAGE]...                   stripped static binaries in dist/
  docs PROGRAMS [PAGE]...             runs the command blocks of the documentation, with the programs in a folder
  generate [--check]                  what follows from model/ast.json: catalogue, pages, conformance cases
  model [--check]                     validates model/*.smithy, writes its AST and all of `generate`; needs a JDK and Maven
  package [--target T]... [--quick]   archives, deb, rpm, checksums, dependencies and formulas in dist/packages/
  package --check-tag TAG             whether this checkout may be released as TAG";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let result = match arguments.first().map(String::as_str) {
        Some("bench") => bench::run(rest),
        Some("bench-act") => bench_act::run(rest),
        Some("bench-emulator") => bench_emulator::run(rest),
        Some("certificates") => certificates::run(rest),
        Some("check") => check::run(rest),
        Some("dist") => dist::run(rest),
        Some("docs") => docs::run(rest),
        Some("generate") => generate::run(rest),
        Some("model") => model::run(rest),
        Some("package") => package::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
