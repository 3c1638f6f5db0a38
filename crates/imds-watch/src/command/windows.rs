//! A command of Windows: a shell in a job, which is ended as a whole. There is no signal that asks
//! a process without a window to end, so asking ends it too.

use std::io;
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Mutex;

use imds_windows::Job;

/// What runs a command.
pub(super) const SHELL: &str = "cmd.exe";
/// Keeps a Ctrl-C at this console from the command (`CREATE_NEW_PROCESS_GROUP`).
const NEW_PROCESS_GROUP: u32 = 0x200;
/// Exit code of a command that was ended: that of a process that the system ends.
const ENDED: u32 = 1;

/// Gives the shell the command's text, in the shell's own way.
pub(super) fn prepare(command: &mut Command, shell: &Path, text: &str) {
    command.creation_flags(NEW_PROCESS_GROUP);
    let name = shell.file_stem().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match name.as_str() {
        // The text as it is: `cmd` has quoting rules of its own. With `/s` it takes the outer
        // quotes away and nothing else; `/d` leaves AutoRun commands out.
        "cmd" => command.args(["/d", "/s", "/c"]).raw_arg(format!("\"{text}\"")),
        "powershell" | "pwsh" => command.args(["-NoProfile", "-NonInteractive", "-Command"]).arg(text),
        _ => command.arg("-c").arg(text),
    };
}

/// Starts the command in a job of its own.
pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Group)> {
    let job = Job::new()?;
    let child = command.spawn()?;
    // Fails if it has ended, which is as good.
    let _ = job.assign(&child);
    Ok((child, Group(job)))
}

/// The shell and all that it has started.
#[derive(Debug)]
pub(super) struct Group(Job);

impl Group {
    /// Ends it: nothing can be asked.
    pub(super) fn terminate(&self) {
        self.kill();
    }

    /// Ends it.
    pub(super) fn kill(&self) {
        // Fails if it has just ended.
        let _ = self.0.terminate(ENDED);
    }
}

/// Calls `told` when the console asks this process to end.
pub(super) fn on_terminate(told: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let told = Mutex::new(Some(told));
    imds_windows::on_console_event(move |_| {
        if let Some(told) = told.lock().ok().and_then(|mut told| told.take()) {
            told();
        }
    })
}
