//! Linux and other Unix systems: a process can become another program.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::TemporaryFolder;

/// What stands between the directories of PATH.
pub(crate) const PATH_SEPARATOR: &str = ":";
/// Where commands are looked for if PATH is not set, as the C library does, and where
/// administrators put theirs.
pub(crate) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Replaces this process by the command, which sees `name` as its own if one is given; returns only
/// if that fails.
pub(crate) fn become_command(command: &mut Command, name: Option<&str>) -> io::Error {
    if let Some(name) = name {
        command.arg0(name);
    }
    command.exec()
}

/// The program as it was named: the system looks it up.
pub(crate) fn program(name: &OsStr, _path: Option<&OsStr>) -> OsString {
    name.to_owned()
}

/// The exit code as a shell gives it: 128 and the signal's number for a command that a signal
/// ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// Writes to standard output, past std's line buffer, which would look for line ends in binary.
pub(crate) fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(bytes)
}

/// Makes a temporary folder of this user's alone, removed when it is dropped.
pub(crate) fn private_folder() -> io::Result<TemporaryFolder> {
    let mode = Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("imds-").permissions(mode).tempdir()?;
    Ok(TemporaryFolder { path: folder.path().to_owned(), _removed: folder })
}

/// Puts an executable into a folder under the name `imds`.
pub(crate) fn put_executable(executable: &Path, folder: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(executable, folder.join("imds"))
}

/// Terminals act on colours as they are.
pub(crate) fn enable_colours(terminal: Option<&str>) -> bool {
    terminal.is_some_and(|terminal| terminal != "dumb")
}

/// How to install another program of the project, by the package manager of this machine.
pub(crate) fn install_hint(program: &str) -> String {
    let first = [("apt-get", "deb"), ("dnf", "rpm"), ("yum", "rpm"), ("zypper", "rpm")].into_iter();
    let mut found = first.filter(|(manager, _)| Path::new("/usr/bin").join(manager).exists());
    let version = env!("CARGO_PKG_VERSION");
    let architecture = std::env::consts::ARCH;
    match found.next() {
        Some((manager, "deb")) => {
            let architecture = if architecture == "aarch64" { "arm64" } else { "amd64" };
            format!(
                "install the release's package: `{manager} install ./{program}_{version}_{architecture}.deb`"
            )
        }
        Some((manager, _)) => {
            format!(
                "install the release's package: `{manager} install ./{program}-{version}-1.{architecture}.rpm`"
            )
        }
        None => format!("install it from the release: `sh install.sh --program {program}`"),
    }
}
