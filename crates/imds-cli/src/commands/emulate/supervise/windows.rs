//! By a job: the command and all that it has started end with the emulator.

use std::process::{Child, ExitStatus};
use std::sync::mpsc::{TryRecvError, channel};

use imds_windows::Job;

use super::super::super::stop_signals::{Ending, StopSignals, Woken};
use super::{GRACE_MILLIS, LOST};
use crate::exit::Exit;
use crate::report::{self, Failure};

/// The job that this process is in, before it starts the command: however it ends, the system ends
/// what it has started.
pub(in crate::commands::emulate) struct Tie;

impl Tie {
    pub(in crate::commands::emulate) fn new() -> Self {
        // Fails in a job that allows no other below it (Windows before 8).
        match Job::new().and_then(|job| job.assign_this_process().map(|()| job)) {
            // Never closed before the process ends: closing it ends this process, too.
            Ok(job) => std::mem::forget(job),
            Err(error) => report::note(&format_args!("the command may outlive this process: {error}")),
        }
        Self
    }
}

/// Waits for the command's end. An event of the console reaches the command as well, which shares
/// it; a command that does not end by it is ended after a while. So it is if the emulator ends.
pub(in crate::commands::emulate) fn supervise(
    signals: &StopSignals,
    ending: &Ending<Result<(), imds_emulator::Error>>,
    _tie: Tie,
    mut child: Child,
) -> Result<ExitStatus, Failure> {
    let failed = |error| Failure::told(Exit::Unexpected, "cannot wait for the command").caused_by(error);
    let job = Job::new().map_err(failed)?;
    // Fails if it has ended, which is as good.
    let _ = job.assign(&child);
    let (send, ended) = channel();
    let look = signals.look();
    let wait = move || {
        let _ = send.send(child.wait());
        look();
    };
    std::thread::Builder::new().spawn(wait).map_err(failed)?;
    let mut stopping = false;
    let status = loop {
        match ended.try_recv() {
            Ok(status) => break status.map_err(failed)?,
            Err(TryRecvError::Disconnected) => {
                return Err(Failure::told(Exit::Unexpected, "the command has no process"));
            }
            Err(TryRecvError::Empty) => {}
        }
        match signals.wait(Some(ending), stopping.then_some(GRACE_MILLIS))? {
            Woken::Signal(_) if !stopping => stopping = true,
            // A second one does not wait.
            Woken::Signal(_) => drop(job.terminate(1)),
            Woken::Other => {
                report::note(&LOST);
                let _ = job.terminate(1);
                stopping = true;
            }
            // The time is over, or the command has ended, which the next look finds.
            Woken::Look if stopping => drop(job.terminate(1)),
            Woken::Look => {}
        }
    };
    // What the command has left in the background ends now.
    let _ = job.terminate(1);
    Ok(status)
}
