//! Running a user's command: environment, input, time limit, output. Both daemons use it.
//!
//! The command runs by a shell, in a process group of its own: the time limit reaches what the
//! shell has started, and a Ctrl-C does not. Its standard output goes to standard error, because
//! standard output is for lines that programs read. On Windows the shell is `cmd`, the group a job,
//! and a job is ended at once.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use imds::Moment;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use self::system::Group;

/// How long a command that is past its time has to end by itself, between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(10);
/// A pipe takes at least this much without a reader (pipe(7)).
const PIPE: usize = 4_096;
/// Longest value that is given as a variable: the kernel refuses one of 128 KiB (execve(2)).
const VARIABLE: usize = 32 * 1_024;
/// What only the daemon may tell its service manager.
const DAEMON_ONLY: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// A command that can be started.
#[derive(Clone, Debug)]
pub struct Command {
    shell: PathBuf,
    text: String,
    variables: Vec<(OsString, String)>,
    input: Vec<u8>,
}

/// What ends a command that is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long it may take.
    pub limit: Duration,
    /// Whether SIGTERM to this process ends it.
    pub on_terminate: bool,
}

impl Command {
    /// A command for `/bin/sh -c`, on Windows `cmd /c`, with nothing on standard input.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            shell: PathBuf::from(system::SHELL),
            text: text.to_owned(),
            variables: Vec::new(),
            input: Vec::new(),
        }
    }

    /// Runs it by another program, which is given `-c` and the command; on Windows what `cmd` and
    /// PowerShell have for it.
    #[must_use]
    pub fn shell(mut self, shell: &Path) -> Self {
        self.shell = shell.to_owned();
        self
    }

    /// Sets a variable. A value that no variable can hold (a NUL, or over 32 KiB) is left empty.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        let fits = value.len() <= VARIABLE && !value.contains('\0');
        self.variables.push((name.into(), if fits { value } else { String::new() }));
        self
    }

    /// Gives it this on standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// Returns an error if the shell cannot be started.
    pub fn spawn(&self, deadline: Option<Moment>) -> io::Result<Running> {
        let mut command = std::process::Command::new(&self.shell);
        system::prepare(&mut command, &self.shell, &self.text);
        command.stdout(io::stderr());
        command.stdin(if self.input.is_empty() { Stdio::null() } else { Stdio::piped() });
        for name in DAEMON_ONLY {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let (mut child, group) = system::spawn(&mut command)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read its input leaves a broken pipe, which is its right.
            if self.input.len() <= PIPE {
                let _ = stdin.write_all(&self.input);
            } else {
                let input = self.input.clone();
                std::thread::spawn(move || stdin.write_all(&input));
            }
        }
        Ok(Running { child, group, deadline, ending: false })
    }

    /// Runs it to its end: after the limit, or at SIGTERM if that is asked for, its whole process
    /// group is sent TERM, and KILL after [`GRACE`].
    ///
    /// # Errors
    /// Returns an error if the shell cannot be started or waited for.
    pub fn run(&self, patience: &Patience) -> io::Result<ExitStatus> {
        let (send, ended) = mpsc::channel();
        if patience.on_terminate {
            let send = send.clone();
            // Nobody receives once the command has ended.
            system::on_terminate(move || drop(send.send(None)))?;
        }
        let Running { mut child, group, .. } = self.spawn(None)?;
        std::thread::spawn(move || {
            let _ = send.send(Some(child.wait()));
        });
        for (wait, end) in [(patience.limit, Group::terminate as fn(&Group)), (GRACE, Group::kill)] {
            if let Ok(Some(status)) = ended.recv_timeout(wait) {
                return status;
            }
            end(&group);
        }
        loop {
            if let Some(status) = ended.recv().map_err(io::Error::other)? {
                return status;
            }
        }
    }
}

/// A command that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    group: Group,
    /// When it is sent TERM, and after that KILL.
    deadline: Option<Moment>,
    ending: bool,
}

impl Running {
    /// Its exit status, if it has ended.
    ///
    /// # Errors
    /// Returns an error if it cannot be waited for.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// When [`Running::keep_time`] has to be called.
    #[must_use]
    pub const fn wake(&self) -> Option<Moment> {
        self.deadline
    }

    /// Sends TERM to the process group at the deadline, and KILL after [`GRACE`]; whether this was
    /// the TERM.
    pub fn keep_time(&mut self, now: Moment) -> bool {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return false;
        }
        if self.ending {
            self.group.kill();
        } else {
            self.group.terminate();
        }
        self.deadline = if self.ending { None } else { Some(now + GRACE) };
        !std::mem::replace(&mut self.ending, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn run(command: &Command, limit: Duration) -> String {
        command.run(&Patience { limit, on_terminate: false }).unwrap().to_string()
    }

    #[test]
    fn it_has_its_variables_and_its_input() {
        let check = r#"[ "$A" = "x y" ] && [ -z "$B$C$NOTIFY_SOCKET" ] && [ "$(cat)" = in ]"#;
        let command = Command::new(check)
            .variable("A", "x y")
            .variable("B", "a\0b")
            .variable("C", "c".repeat(VARIABLE + 1));
        assert_eq!(run(&command.clone().input("in\n"), HOUR), "exit status: 0");
        assert_eq!(run(&command, HOUR), "exit status: 1", "nothing on standard input");
        assert_eq!(run(&Command::new("kill -9 $$"), HOUR), "signal: 9 (SIGKILL)");
        let large = Command::new("[ $(wc -c) = 100000 ]").input(vec![b'x'; 100_000]);
        assert_eq!(run(&large, HOUR), "exit status: 0");
        assert_eq!(run(&Command::new("ignored").shell(Path::new("/bin/true")), HOUR), "exit status: 0");
    }

    #[test]
    fn past_its_limit_it_is_ended_with_all_that_it_started() {
        let limit = Duration::from_millis(20);
        assert_eq!(run(&Command::new("tail -f /dev/null & wait"), limit), "signal: 15 (SIGTERM)");
    }

    #[test]
    fn the_deadline_of_a_running_command() {
        let at = |seconds| Moment::since_boot(Duration::from_secs(seconds));
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let text = format!("trap '' TERM; echo > {}; exec tail -f /dev/null", fifo.display());
        let mut running = Command::new(&text).spawn(Some(at(5))).unwrap();
        // It ignores TERM once this is read.
        std::fs::read(&fifo).unwrap();
        assert_eq!(running.wake(), Some(at(5)));
        assert!(!running.keep_time(at(4)));
        assert!(running.keep_time(at(5)), "TERM");
        assert!(!running.keep_time(at(14)));
        assert!(!running.keep_time(at(15)), "KILL");
        assert_eq!(running.child.wait().unwrap().to_string(), "signal: 9 (SIGKILL)");
    }

    #[test]
    fn a_shell_that_does_not_exist_is_an_error() {
        let error = Command::new("true").shell(Path::new("/absent")).spawn(None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
