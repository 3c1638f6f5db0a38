//! A terminal for a command under test.

use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::pty::OpenptFlags;

/// Opens a terminal: our end, and the far end for the command.
///
/// # Panics
/// If the system has none left.
#[must_use]
pub fn open() -> (OwnedFd, OwnedFd) {
    let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    rustix::pty::grantpt(&ours).expect("a terminal that is ours");
    rustix::pty::unlockpt(&ours).expect("a terminal that opens");
    let name = rustix::pty::ptsname(&ours, Vec::new()).expect("the terminal's name");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let theirs = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).expect("the terminal's far end");
    (ours, theirs)
}

/// What is written to the terminal until nobody holds its far end any more: the reading ends with
/// EIO then.
#[must_use]
pub fn read_to_end(ours: OwnedFd) -> Vec<u8> {
    let mut file = std::fs::File::from(ours);
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = file.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
    }
    bytes
}
