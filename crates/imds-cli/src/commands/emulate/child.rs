//! The emulated command: its environment, and the step between this process and it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use imds_model::printable;

use crate::exit::Exit;
use crate::report::Failure;
use crate::system;

/// Hosts that no proxy may be asked for: the emulator's, and the service's own addresses.
const DIRECT: &str = "127.0.0.1,localhost,::1,169.254.169.254,fd00:ec2::254";

/// PATH with this folder in front, which holds `imds` and nothing else.
pub(super) fn path_with(folder: &Path, path: Option<&OsStr>) -> OsString {
    let mut all = folder.as_os_str().to_owned();
    all.push(system::PATH_SEPARATOR);
    // Set and empty means the current directory, which the user may want; not set means the usual
    // ones.
    all.push(path.unwrap_or(OsStr::new(system::USUAL_PATH)));
    all
}

/// A `NO_PROXY` list that names the emulator's hosts as well.
pub(super) fn no_proxy(own: Option<&str>) -> String {
    match own.map(str::trim) {
        Some("*") => "*".to_owned(),
        Some(list) if !list.is_empty() => format!("{},{DIRECT}", list.trim_end_matches(',')),
        _ => DIRECT.to_owned(),
    }
}

/// Becomes the command. The kernel kills it when the emulator, whose process id is `parent`, is
/// gone.
pub(super) fn become_command(parent: u32, command: &[OsString]) -> Failure {
    let Some((program, arguments)) = command.split_first() else {
        return Failure::usage("no command is given");
    };
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        // The parent may have ended before this: then nobody would send the signal.
        let orphaned =
            || getppid().is_none_or(|pid| i64::from(pid.as_raw_nonzero().get()) != i64::from(parent));
        if set_parent_process_death_signal(Some(Signal::KILL)).is_ok() && orphaned() {
            return Failure::told(Exit::Unexpected, "the emulator has ended");
        }
    }
    let error = system::become_command(Command::new(program).args(arguments), None);
    cannot_run(command, error)
}

/// The failure of a command that cannot be started.
pub(super) fn cannot_run(command: &[OsString], error: std::io::Error) -> Failure {
    let exit = match error.kind() {
        std::io::ErrorKind::NotFound => Exit::NoCommand,
        _ => Exit::NotRunnable,
    };
    let program = command.first().map(|program| program.to_string_lossy()).unwrap_or_default();
    Failure::told(exit, format!("cannot run `{}`", printable::brief(&program))).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_holds_imds_and_what_it_held() {
        let folder = Path::new("/tmp/x/bin");
        assert_eq!(path_with(folder, Some(OsStr::new("/a:/b"))), "/tmp/x/bin:/a:/b");
        assert_eq!(path_with(folder, None), "/tmp/x/bin:/usr/local/bin:/usr/bin:/bin");
    }

    #[test]
    fn proxies_are_not_asked_for_the_emulator() {
        for (own, all) in [
            (None, DIRECT.to_owned()),
            (Some(""), DIRECT.to_owned()),
            (Some("example.com,"), format!("example.com,{DIRECT}")),
            (Some("*"), "*".to_owned()),
        ] {
            assert_eq!(no_proxy(own), all);
        }
    }
}
