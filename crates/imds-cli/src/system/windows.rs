//! Windows: a process cannot become another program, so it waits for it and ends as it ended.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::windows::io::AsHandle as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use imds_windows::Job;

use super::TemporaryFolder;

/// What stands between the directories of PATH.
pub(crate) const PATH_SEPARATOR: &str = ";";
/// Where commands are looked for if PATH is not set: the system adds its own directories.
pub(crate) const USUAL_PATH: &str = "";
/// The endings of programs if PATHEXT is not set.
const ENDINGS: &str = ".COM;.EXE;.BAT;.CMD";

/// Runs the command and ends this process with its exit code; returns only if it cannot be started.
///
/// Ctrl-C is the command's, which shares the console. If this process is ended, the command is,
/// too; what the command has left in the background is not.
#[allow(clippy::exit, reason = "the exit code of a command has 32 bits, and nothing of this process is left")]
pub(crate) fn become_command(command: &mut Command, _name: Option<&str>) -> io::Error {
    imds_windows::ignore_console_events();
    let job = match Job::of_one() {
        Ok(job) => job,
        Err(error) => return error,
    };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return error,
    };
    // Fails if it has ended, which is as good.
    let _ = job.assign(&child);
    match child.wait() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

/// The program's file, looked up as a shell does: with the endings of PATHEXT, so that `npm` is
/// `npm.cmd`. The system itself tries `.exe` alone.
#[allow(clippy::disallowed_methods, reason = "as the shell that would look it up")]
pub(crate) fn program(name: &OsStr, path: Option<&OsStr>) -> OsString {
    let file = Path::new(name);
    if file.extension().is_some() {
        return name.to_owned();
    }
    let endings = std::env::var("PATHEXT").unwrap_or_else(|_| ENDINGS.to_owned());
    let with_ending = |folder: &Path| -> Option<PathBuf> {
        endings.split(';').filter(|ending| ending.starts_with('.')).find_map(|ending| {
            let mut whole = folder.join(file).into_os_string();
            whole.push(ending);
            Some(PathBuf::from(whole)).filter(|path| path.is_file())
        })
    };
    let found = if file.components().count() > 1 {
        with_ending(Path::new(""))
    } else {
        let own = std::env::var_os("PATH");
        let path = path.or(own.as_deref()).unwrap_or_default();
        std::env::split_paths(path).find_map(|folder| with_ending(&folder))
    };
    found.map_or_else(|| name.to_owned(), PathBuf::into_os_string)
}

/// The exit code; 1 for one that does not fit, such as that of a process that the system ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Writes to standard output: to a console as UTF-16, which shows whatever the code page is; byte
/// for byte to everything else.
pub(crate) fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    if stdout.is_terminal() {
        stdout.write_all(bytes)?;
        return stdout.flush();
    }
    File::from(stdout.as_handle().try_clone_to_owned()?).write_all(bytes)
}

/// Makes a temporary folder of this user's alone, removed when it is dropped. What the system's
/// folder for temporary files lets others do, it does not inherit.
pub(crate) fn private_folder() -> io::Result<TemporaryFolder> {
    let outer = tempfile::Builder::new().prefix("imds-").tempdir()?;
    let path = outer.path().join("private");
    imds_windows::create_private_directory(&path)?;
    Ok(TemporaryFolder { path, _removed: outer })
}

/// Puts an executable into a folder under the name `imds.exe`: a second name where the file system
/// lets it, else a copy. Links need a privilege here.
pub(crate) fn put_executable(executable: &Path, folder: &Path) -> io::Result<()> {
    let target = folder.join("imds.exe");
    std::fs::hard_link(executable, &target).or_else(|_| std::fs::copy(executable, &target).map(drop))
}

/// Makes the console act on colours; whether it does. `TERM` says nothing here unless it is `dumb`.
pub(crate) fn enable_colours(terminal: Option<&str>) -> bool {
    terminal != Some("dumb") && imds_windows::enable_colours()
}

/// Where another program of the project runs: not here.
pub(crate) fn install_hint(program: &str) -> String {
    format!("`{program}` runs on Linux alone; in WSL, install it there: `sh install.sh --program {program}`")
}
