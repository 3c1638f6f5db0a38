//! Tells whether standard output was open when the program started.
//!
//! Before `main`, the standard library opens `/dev/null` for a standard descriptor that is closed,
//! so that no other file takes its number. What the program then prints is lost without an error. A
//! caller that has `/dev/null` there on purpose looks the same by then, so it has to be looked at
//! earlier: by a function that the loader calls.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Returns nothing if standard output was open when the program started. Elsewhere than on Unix
/// systems it is taken to be open.
///
/// # Errors
///
/// Returns an error if it was closed, as after `>&-` in a shell: "Bad file descriptor".
pub fn check() -> io::Result<()> {
    if CLOSED.load(Ordering::Relaxed) { Err(closed()) } else { Ok(()) }
}

/// Standard output, whose writes return an error if it was closed when the program started.
#[derive(Debug)]
pub struct Stdout(io::Stdout);

/// Returns standard output.
#[must_use]
pub fn stdout() -> Stdout {
    Stdout(io::stdout())
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        check()?;
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        check()?;
        self.0.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(unix)]
fn closed() -> io::Error {
    rustix::io::Errno::BADF.into()
}

#[cfg(not(unix))]
fn closed() -> io::Error {
    io::ErrorKind::BrokenPipe.into()
}

#[cfg(unix)]
extern "C" fn look() {
    let is_open = rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_ok();
    CLOSED.store(!is_open, Ordering::Relaxed);
}

/// The loader calls what it finds in this section before `main`.
// SAFETY: the section holds pointers to functions of this signature, on every platform named here.
// `look` calls nothing that needs the standard library to be set up.
#[cfg(unix)]
#[allow(unsafe_code, reason = "the one way to run before the standard library opens the descriptor")]
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;
