//! The keeper of a hook: a process between the daemon and the command, which sees to it that the command runs once and
//! that its result is not lost, whatever becomes of the daemon.
//!
//! The daemon starts a keeper whenever its journal says that a command should have run. The first one runs it and
//! writes down how it ended; one that is started by a daemon after a restart waits for the first, and runs nothing.

use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::machine::HookResult;

/// How long a command that is past its time has to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// The files of one hook.
#[derive(Clone, Debug)]
pub(crate) struct HookFiles {
    /// Locked while its keeper lives.
    lock: PathBuf,
    /// There once the command was started.
    started: PathBuf,
    /// How it ended.
    ended: PathBuf,
}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    /// As `wait` gives it.
    status: i32,
}

impl HookFiles {
    /// The files of the hook of this number.
    pub(crate) fn new(directory: &Path, number: u64) -> Self {
        let file = |suffix: &str| directory.join(format!("hook-{number}.{suffix}"));
        Self { lock: file("lock"), started: file("started"), ended: file("ended") }
    }

    /// How the command ended, once no keeper is left that could still say.
    pub(crate) fn result(&self) -> HookResult {
        match imds_watch::load::<Ended>(&self.ended) {
            Ok(Some(ended)) => {
                let status = ExitStatus::from_raw(ended.status);
                HookResult { success: status.success(), told: status.to_string() }
            }
            Ok(None) => HookResult { success: false, told: "no result: its keeper was killed".to_owned() },
            Err(error) => HookResult { success: false, told: format!("no result: {error}") },
        }
    }

    /// Removes the files of a hook that is done with.
    pub(crate) fn remove(&self) {
        for path in [&self.ended, &self.started, &self.lock] {
            // What is left over is named by a number that is not used again.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Runs the command, unless that was done before; returns when it has ended.
///
/// # Errors
/// Where the files cannot be written. The command is then not run: it could not be kept from running twice.
pub(crate) fn keep(files: &HookFiles, command: &str, timeout: Option<Duration>) -> io::Result<()> {
    if files.ended.exists() {
        return Ok(());
    }
    let lock = File::options().create(true).append(true).open(&files.lock)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
    if files.ended.exists() || files.started.exists() {
        return Ok(());
    }
    imds_watch::save(&files.started, &std::process::id()).map_err(io::Error::other)?;
    // A group of its own, so that the time limit reaches what the shell has started.
    let status = match Command::new("/bin/sh").arg("-c").arg(command).process_group(0).spawn() {
        Ok(child) => wait(child, timeout)?,
        // As a shell tells that a command cannot be run.
        Err(_) => ExitStatus::from_raw(126 << 8),
    };
    imds_watch::save(&files.ended, &Ended { status: status.into_raw() }).map_err(io::Error::other)
}

fn wait(mut child: std::process::Child, timeout: Option<Duration>) -> io::Result<ExitStatus> {
    let Some(timeout) = timeout else { return child.wait() };
    let group = Pid::from_child(&child);
    let (send, ended) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody receives where this process is already on its way out.
        let _ = send.send(child.wait());
    });
    for (patience, signal) in [(timeout, Signal::TERM), (GRACE, Signal::KILL)] {
        match ended.recv_timeout(patience) {
            Ok(status) => return status,
            // Fails where the group has ended meanwhile, which the next look finds.
            Err(_) => drop(rustix::process::kill_process_group(group, signal)),
        }
    }
    ended.recv().map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, HookFiles, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let (files, log) = (HookFiles::new(directory.path(), 1), directory.path().join("log"));
        (directory, files, log)
    }

    fn runs(log: &Path) -> usize {
        std::fs::read_to_string(log).unwrap_or_default().lines().count()
    }

    #[test]
    fn a_command_runs_once_and_its_result_stays() {
        let (_directory, files, log) = world();
        let command = format!("echo ran >> {}; exit 3", log.display());
        for _ in 0..3 {
            keep(&files, &command, None).unwrap();
            assert_eq!(files.result(), HookResult { success: false, told: "exit status: 3".to_owned() });
        }
        assert_eq!(runs(&log), 1);
        files.remove();
        keep(&files, "true", None).unwrap();
        assert!(files.result().success);
    }

    #[test]
    fn keepers_that_race_run_it_once_and_all_wait() {
        let (_directory, files, log) = world();
        let command = format!("echo ran >> {}", log.display());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    keep(&files, &command, None).unwrap();
                    assert!(files.result().success);
                });
            }
        });
        assert_eq!(runs(&log), 1);
    }

    #[test]
    fn a_command_whose_keeper_was_killed_is_not_run_again() {
        let (_directory, files, log) = world();
        imds_watch::save(&files.started, &1).unwrap();
        keep(&files, &format!("echo ran >> {}", log.display()), None).unwrap();
        assert_eq!(files.result().told, "no result: its keeper was killed");
        assert_eq!(runs(&log), 0);
    }

    #[test]
    fn a_command_that_hangs_is_ended_with_all_that_it_started() {
        let (_directory, files, _) = world();
        let timeout = Some(Duration::from_millis(20));
        keep(&files, "tail -f /dev/null & wait", timeout).unwrap();
        assert_eq!(files.result().told, "signal: 15 (SIGTERM)");
    }

    #[test]
    fn what_cannot_be_written_down_is_not_run() {
        let (directory, _, log) = world();
        let files = HookFiles::new(&directory.path().join("absent"), 1);
        let error = keep(&files, &format!("echo ran >> {}", log.display()), None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(runs(&log), 0);
    }
}
