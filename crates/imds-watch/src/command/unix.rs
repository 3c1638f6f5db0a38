//! A command of Linux and other Unix systems: a shell in a process group, ended by signals.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal};
use signal_hook::consts::SIGTERM;
use signal_hook::low_level::pipe;

/// What runs a command.
pub(super) const SHELL: &str = "/bin/sh";

/// Gives the shell the command's text.
pub(super) fn prepare(command: &mut Command, _shell: &Path, text: &str) {
    command.arg("-c").arg(text).process_group(0);
}

/// Starts the command with a group of its own.
pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Group)> {
    let child = command.spawn()?;
    let group = Group(Pid::from_child(&child));
    Ok((child, group))
}

/// The shell and all that it has started.
#[derive(Debug)]
pub(super) struct Group(Pid);

impl Group {
    /// Asks it to end.
    pub(super) fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Ends it.
    pub(super) fn kill(&self) {
        self.send(Signal::KILL);
    }

    fn send(&self, signal: Signal) {
        // Fails if the group has just ended.
        let _ = rustix::process::kill_process_group(self.0, signal);
    }
}

/// Calls `told` at the first SIGTERM from now on, on a thread of its own.
pub(super) fn on_terminate(told: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let (mut read, write) = std::os::unix::net::UnixStream::pair()?;
    pipe::register(SIGTERM, write)?;
    std::thread::spawn(move || {
        if io::Read::read(&mut read, &mut [0]).is_ok() {
            told();
        }
    });
    Ok(())
}
