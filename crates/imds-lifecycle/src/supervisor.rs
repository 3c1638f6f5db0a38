//! The supervisor of a command: a process between the daemon and the command. It sees to it that
//! the command runs once and that its result is not lost, whatever becomes of the daemon.
//!
//! The daemon starts a supervisor whenever its journal says that a command should have run. The
//! first one runs it and writes down how it ended; one that is started by a daemon after a restart
//! waits for the first, and runs nothing. SIGTERM to a supervisor ends its command: TERM, then
//! KILL.
//!
//! If the directory cannot be used (full, unwritable, open to others), the command runs all the
//! same, and its result is the supervisor's own exit status.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use imds_files::{FileErrorKind, PrivateDirectory};
use imds_watch::command::{Command, Patience};
use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::machine::HookResult;
use crate::say;

/// How long a supervisor waits for another one: as long as the longest command takes.
const ANOTHER: Duration = Duration::from_secs(49 * 3_600);

/// The files of one command.
#[derive(Clone, Debug)]
pub(crate) struct HookFiles {
    /// Locked while its supervisor lives.
    lock: String,
    /// There once the command was started; holds the supervisor's process id.
    started: String,
    /// How it ended.
    ended: String,
}

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    /// As `wait` gives it.
    status: i32,
}

impl HookFiles {
    /// The files of the command of this number.
    pub(crate) fn new(number: u64) -> Self {
        let file = |suffix: &str| format!("hook-{number}.{suffix}");
        Self { lock: file("lock"), started: file("started"), ended: file("ended") }
    }

    /// How the command ended, now that its supervisor has: by the file, else by the supervisor's
    /// own exit status.
    pub(crate) fn result(&self, directory: Option<&PrivateDirectory>, supervisor: ExitStatus) -> HookResult {
        let ended = match directory {
            Some(directory) => directory.read_json::<Ended>(&self.ended).unwrap_or_else(|error| {
                say(&error.to_string());
                None
            }),
            None => None,
        };
        let status = match (ended, supervisor.code()) {
            (Some(ended), _) => ExitStatus::from_raw(ended.status),
            (None, Some(code)) => ExitStatus::from_raw(code << 8),
            (None, None) => {
                let told = format!("no result: its supervisor ended with {supervisor}");
                return HookResult { success: false, told };
            }
        };
        HookResult { success: status.success(), told: status.to_string() }
    }

    /// Removes the files of a command that is done with.
    pub(crate) fn remove(&self, directory: &PrivateDirectory) {
        for name in [&self.ended, &self.started, &self.lock] {
            // What is left over is named by a number that is not used again.
            let _ = directory.remove(name);
        }
    }

    /// Asks the supervisor that an earlier daemon started, if it lives, to end its command.
    pub(crate) fn stop(&self, directory: &PrivateDirectory) {
        // Its process id is its own as long as it holds the lock.
        let alive = directory.lock(&self.lock, Duration::ZERO);
        if !matches!(alive, Err(error) if error.kind() == FileErrorKind::Locked) {
            return;
        }
        if let Ok(Some(pid)) = directory.read_json::<i32>(&self.started)
            && let Some(pid) = Pid::from_raw(pid).filter(|_| pid > 1)
        {
            // Fails if it has just ended.
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
    }
}

/// Runs the command, unless that was done before; returns when it has ended, with the exit code for
/// this process.
pub(crate) fn supervise(directory: &Path, files: &HookFiles, command: &Command, limit: Duration) -> u8 {
    let opened = PrivateDirectory::open(directory).and_then(|directory| {
        if directory.read_json::<Ended>(&files.ended)?.is_some() {
            return Ok((directory, None));
        }
        let lock = directory.lock(&files.lock, ANOTHER)?;
        Ok((directory, Some(lock)))
    });
    let (directory, _lock) = match opened {
        Ok((directory, lock)) => (Some(directory), lock),
        Err(error) => {
            say(&format!("{error}; running the command all the same: it may run a second time"));
            (None, None)
        }
    };
    if let Some(directory) = &directory {
        // Damaged files are no sign that the command has run; others cannot write here.
        if let Ok(Some(ended)) = directory.read_json::<Ended>(&files.ended) {
            return exit_code(ExitStatus::from_raw(ended.status));
        }
        let pid = format!("{}\n", std::process::id());
        match directory.create_new(&files.started, pid.as_bytes()) {
            Ok(true) => {}
            Ok(false) => {
                say("the command was started before, and its supervisor was killed");
                return 1;
            }
            Err(error) => say(&format!("{error}; running the command all the same")),
        }
    }
    let status = match command.run(&Patience { limit, on_terminate: true }) {
        Ok(status) => status,
        Err(error) => {
            say(&format!("the command cannot be run: {error}"));
            // As a shell tells that a command cannot be run.
            ExitStatus::from_raw(126 << 8)
        }
    };
    if let Some(directory) = &directory
        && let Err(error) = directory.replace_json(&files.ended, &Ended { status: status.into_raw() })
    {
        say(&format!("{error}; a restart of the daemon would not find the command's result"));
    }
    exit_code(status)
}

/// The code that tells a status: a shell's 128 and the signal's number for a signal.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}
