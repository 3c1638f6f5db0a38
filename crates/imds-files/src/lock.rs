//! A lock between processes: a private file whose advisory lock one process holds.

use std::fs::File;
use std::time::Duration;

use crate::error::{Cause, FileErrorKind};
use crate::sys;

/// Pause between two attempts to take a lock that another process holds.
const PAUSE: Duration = Duration::from_millis(20);

/// A held lock. It ends when this value is dropped or the process ends.
///
/// Only this user can open the file (mode 0600), so no other user can hold the lock.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock of a file, waiting for at most `deadline`.
    pub(crate) fn take(file: File, deadline: Duration) -> Result<Self, Cause> {
        let mut waited = Duration::ZERO;
        loop {
            if sys::try_lock(&file)? {
                return Ok(Self { file });
            }
            if waited >= deadline {
                return Err(Cause::refused(FileErrorKind::Locked, "another process holds the lock"));
            }
            let pause = PAUSE.min(deadline - waited);
            std::thread::sleep(pause);
            waited += pause;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        sys::unlock(&self.file);
    }
}
