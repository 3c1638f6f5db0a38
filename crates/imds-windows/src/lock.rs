//! A lock between processes on an open file.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle as _;

use windows_sys::Win32::Foundation::ERROR_LOCK_VIOLATION;
use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};

/// The locked byte lies far behind every file's end: other than `flock`, a lock of Windows keeps
/// everybody from the bytes themselves, and waiters read what the holder has written.
fn byte() -> OVERLAPPED {
    OVERLAPPED {
        Anonymous: OVERLAPPED_0 {
            Anonymous: OVERLAPPED_0_0 { Offset: u32::MAX - 1, OffsetHigh: 0x7fff_ffff },
        },
        ..OVERLAPPED::default()
    }
}

/// Takes the exclusive lock of a file, without waiting; whether it was free. It ends with the last
/// handle of the file.
///
/// # Errors
/// Returns an error if the system refuses.
#[allow(unsafe_code, reason = "a call of the system")]
pub fn try_lock(file: &File) -> io::Result<bool> {
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    let mut at = byte();
    // SAFETY: the handle is open, and was not opened for overlapped use: the call is over when it
    // returns, and `at` outlives it.
    if unsafe { LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &raw mut at) } != 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    let is_held = error.raw_os_error() == Some(ERROR_LOCK_VIOLATION.cast_signed());
    if is_held { Ok(false) } else { Err(error) }
}

/// Gives the lock back.
#[allow(unsafe_code, reason = "a call of the system")]
pub fn unlock(file: &File) {
    let mut at = byte();
    // SAFETY: as in `try_lock`. It fails if the lock is not held, which is as good.
    unsafe { UnlockFileEx(file.as_raw_handle(), 0, 1, 0, &raw mut at) };
}
