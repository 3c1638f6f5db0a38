//! By signals and wait(2), as PID 1 too.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use signal_hook::consts::{SIGKILL, SIGTERM};

use super::super::super::stop_signals::{Ending, StopSignals, Woken};
use super::{GRACE_MILLIS, LOST};
use crate::report::{self, Failure};

/// Nothing: the child ties itself to this process, see [`super::super::child`].
pub(in crate::commands::emulate) struct Tie;

impl Tie {
    pub(in crate::commands::emulate) fn new() -> Self {
        Self
    }
}

/// Waits for the command's end. A signal to stop is passed on to it; so is the end of the emulator.
pub(in crate::commands::emulate) fn supervise(
    signals: &StopSignals,
    ending: &Ending<Result<(), imds_emulator::Error>>,
    _tie: Tie,
    child: Child,
) -> Result<ExitStatus, Failure> {
    let pid = Pid::from_child(&child);
    let (mut stopping, mut lost) = (false, false);
    loop {
        if let Some(status) = reap(pid) {
            return Ok(status);
        }
        let other = (!lost).then_some(ending);
        match signals.wait(other, stopping.then_some(GRACE_MILLIS))? {
            Woken::Signal(signal) => {
                send(pid, signal);
                stopping = true;
            }
            Woken::Other => {
                report::note(&LOST);
                send(pid, SIGTERM);
                (stopping, lost) = (true, true);
            }
            Woken::Look if stopping && reap_is_pending(pid) => {
                send(pid, SIGKILL);
            }
            Woken::Look => {}
        }
    }
}

/// Whether the command still runs.
fn reap_is_pending(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

fn send(pid: Pid, signal: i32) {
    if let Some(signal) = Signal::from_named_raw(signal) {
        // Fails if it has ended, which the next look finds.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// The command's status once it has ended. As PID 1, this process inherits orphans, which are
/// reaped here too.
fn reap(pid: Pid) -> Option<ExitStatus> {
    let status = |status: WaitStatus| ExitStatus::from_raw(status.as_raw());
    if rustix::process::getpid() != Pid::INIT {
        return rustix::process::waitpid(Some(pid), WaitOptions::NOHANG)
            .ok()
            .flatten()
            .map(|(_, ended)| status(ended));
    }
    while let Ok(Some((ended, how))) = rustix::process::wait(WaitOptions::NOHANG) {
        if ended == pid {
            return Some(status(how));
        }
    }
    None
}
