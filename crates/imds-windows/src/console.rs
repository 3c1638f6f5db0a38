//! The console: its events, which Windows has instead of signals, and colours.

use std::os::windows::io::AsRawHandle as _;
use std::sync::OnceLock;
use std::time::Duration;

use windows_sys::Win32::Foundation::{FALSE, TRUE};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode,
    SetConsoleCtrlHandler, SetConsoleMode,
};
use windows_sys::core::BOOL;

/// Why the console asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Break, which a parent can send to one process group.
    Break,
    /// The window is closed, the user logs off, or the machine shuts down. The process has about
    /// five seconds.
    Close,
}

type Handler = Box<dyn Fn(ConsoleEvent) + Send + Sync>;

/// The one handler of this process.
static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Calls `handler` on a thread of the system's own for every event from now on. Children do not
/// inherit it; they have the events themselves if they share the console.
///
/// # Errors
/// Returns an error if the system refuses, or a handler was set before.
#[allow(unsafe_code, reason = "a call of the system")]
pub fn on_console_event(handler: impl Fn(ConsoleEvent) + Send + Sync + 'static) -> std::io::Result<()> {
    if HANDLER.set(Box::new(handler)).is_err() {
        return Err(std::io::Error::other("console events are handled already"));
    }
    // SAFETY: `handle` stays valid as long as the process lives.
    match unsafe { SetConsoleCtrlHandler(Some(handle), TRUE) } {
        0 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Leaves every event to the children that share the console, as a shell does while a command runs.
pub fn ignore_console_events() {
    // Without a console there are no events.
    let _ = on_console_event(|_| {});
}

#[allow(unsafe_code, reason = "called by the system")]
unsafe extern "system" fn handle(kind: u32) -> BOOL {
    let Some(handler) = HANDLER.get() else { return FALSE };
    match kind {
        CTRL_C_EVENT => handler(ConsoleEvent::Interrupt),
        CTRL_BREAK_EVENT => handler(ConsoleEvent::Break),
        _ => {
            handler(ConsoleEvent::Close);
            // The system ends the process as soon as this returns: the other threads have until
            // then to finish, and end the process themselves.
            std::thread::sleep(Duration::from_secs(30));
        }
    }
    TRUE
}

/// Makes the console act on escape sequences of colours; whether standard output is a console that
/// does.
#[must_use]
#[allow(unsafe_code, reason = "calls of the system")]
pub fn enable_colours() -> bool {
    let stdout = std::io::stdout().as_raw_handle();
    let mut mode = 0;
    // SAFETY: the handle is this process's own, and `mode` outlives the call.
    if unsafe { GetConsoleMode(stdout, &raw mut mode) } == 0 {
        return false;
    }
    // SAFETY: as above; the call keeps nothing.
    unsafe { SetConsoleMode(stdout, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0 }
}
