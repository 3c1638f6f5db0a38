//! Commands that are programs of their own, run as `git` and `cargo` run theirs: what links an AWS SDK stays out of
//! this executable, which therefore stays small.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::exit::Exit;
use crate::report::Failure;

/// Becomes `program`, which package `package` brings; returns only where that fails. It is looked for beside this
/// executable first, so that the two belong together, and then on PATH.
pub(crate) fn become_program(program: &str, package: &str, arguments: &[OsString]) -> Failure {
    let mut tries: Vec<PathBuf> = Vec::new();
    if let Some(beside) = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(program))) {
        tries.push(beside);
    }
    // A name without a slash is looked for on PATH.
    tries.push(program.into());
    for candidate in tries {
        let error = Command::new(&candidate).arg0(program).args(arguments).exec();
        if error.kind() != ErrorKind::NotFound {
            let message = format!("cannot run `{}`", candidate.display());
            return Failure::told(Exit::Unexpected, message).caused_by(error);
        }
    }
    Failure::told(Exit::Usage, format!("`{program}` is not installed"))
        .hint(format!("it comes with the package `{package}`; `cargo install {package}` installs it too"))
}
