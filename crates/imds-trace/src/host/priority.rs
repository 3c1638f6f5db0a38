//! The priority of this process: it has to run before a short-lived caller has ended.

/// Highest priority that a normal process can have.
const NICE: i32 = -20;

/// Raises the priority, where the process may (CAP_SYS_NICE). It needs the processor for
/// microseconds at a time; without the priority, more command lines are gone when it looks, and are
/// counted.
pub(crate) fn raise() {
    let _ = rustix::process::setpriority_process(None, NICE);
}
