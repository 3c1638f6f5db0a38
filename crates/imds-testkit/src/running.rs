//! A command that has been started.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

use crate::{CommandOutput, Kill, TestEnvironment, secrets, terminal};

/// Longest time that a command may take: far above anything a healthy one takes on a loaded
/// machine.
const PATIENCE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };

/// A command that has been started and will be waited for. Dropping it kills the command.
#[derive(Debug)]
#[must_use = "a command that is started must be waited for"]
pub struct Running {
    child: Child,
    started: Instant,
    stdout: PathBuf,
    stderr: PathBuf,
    terminal: Option<OwnedFd>,
    command_line: String,
    prints_secrets: bool,
    /// What the output shows under a name: our temporary directory.
    root: String,
    ended: bool,
}

impl Running {
    pub(crate) fn new(
        child: Child,
        stdout: PathBuf,
        stderr: PathBuf,
        terminal: Option<OwnedFd>,
        command_line: String,
        prints_secrets: bool,
        world: &TestEnvironment,
    ) -> Self {
        #[allow(clippy::disallowed_methods, reason = "real processes take real time")]
        let started = Instant::now();
        let root = world.root().to_string_lossy().into_owned();
        Self { child, started, stdout, stderr, terminal, command_line, prints_secrets, root, ended: false }
    }

    /// The process id, which is the command's own: wrappers become it by `exec`.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the command a signal.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).expect("signal our own child");
    }

    /// Lets the command live for a drawn part of this time, and kills it unless it has ended.
    ///
    /// # Panics
    /// As [`Running::wait`].
    pub fn kill_within(mut self, longest: Duration, kill: &mut Kill) -> CommandOutput {
        kill.strike(&mut self.child, longest);
        self.wait()
    }

    /// Waits for the command to end.
    ///
    /// # Panics
    /// If it does not in two minutes, or if it printed a secret.
    pub fn wait(mut self) -> CommandOutput {
        let in_time = self.wait_for_end();
        let elapsed = self.started.elapsed();
        if !in_time {
            // The report matters, not whether the kill worked; dropping waits for it.
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("wait for our own child");
        self.ended = true;
        let stdout = match self.terminal.take() {
            Some(ours) => terminal::read_to_end(ours),
            // Absent where the command was given a pipe that nobody reads.
            None => std::fs::read(&self.stdout).unwrap_or_default(),
        };
        let stderr = std::fs::read(&self.stderr).expect("read what the command wrote to stderr");
        let output = CommandOutput::new(stdout, stderr, status, elapsed, self.root.clone());
        assert!(in_time, "`{}` did not end in time; so far:\n{output}", self.command_line);
        secrets::assert_none_in(output.stderr_bytes(), "stderr", &self.command_line);
        if !self.prints_secrets {
            secrets::assert_none_in(output.stdout_bytes(), "stdout", &self.command_line);
        }
        output
    }

    fn wait_for_end(&self) -> bool {
        let pid = Pid::from_child(&self.child);
        let handle =
            rustix::process::pidfd_open(pid, PidfdFlags::empty()).expect("a handle of our own child");
        loop {
            match rustix::event::poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&PATIENCE)) {
                Err(rustix::io::Errno::INTR) => {}
                ready => return ready.expect("wait for our own child") > 0,
            }
        }
    }

    /// How long the command has been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            // Fails where the command has ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
