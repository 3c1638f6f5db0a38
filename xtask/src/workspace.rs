//! Where the workspace is, and how its tools are run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the checkout in which `cargo xtask` was typed.
///
/// Cargo names it at run time; where it was built may be another checkout with the same target
/// directory.
#[allow(clippy::disallowed_methods, reason = "a task is a program of its own, run by cargo")]
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map(Path::to_path_buf).unwrap_or(here)
}

/// Runs a command to its end; its output goes to the terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot run `{}`: {error}", describe(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed: {status}", describe(command))) }
}

/// Runs a command to its end and gives what it printed; its stderr goes to the terminal.
pub(crate) fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run `{}`: {error}", describe(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", describe(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("`{}`: {error}", describe(command)))
}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// The cargo that runs this program, in the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env!("CARGO"));
    command.current_dir(root());
    command
}

fn describe(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
