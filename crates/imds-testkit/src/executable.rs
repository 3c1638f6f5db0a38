//! Programs that a test puts somewhere and runs.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes `content` to `path` as a program that everybody may run.
///
/// Another process does the writing: a file that this one holds open for writing, be it only in the
/// copy of a child that another thread is just starting, cannot be run ("text file busy").
///
/// # Panics
/// If it cannot be written.
pub fn write_executable(path: &Path, content: &[u8]) {
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("start `install`");
    install.stdin.take().expect("its standard input").write_all(content).expect("give it the program");
    let status = install.wait().expect("wait for it");
    assert!(status.success(), "cannot write `{}`: {status}", path.display());
}
