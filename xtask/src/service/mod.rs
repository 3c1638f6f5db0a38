//! The emulator as a process of its own, a client that keeps its connection, and what the kernel
//! knows of a process: what benches and soaks share.

mod client;
mod emulator;
pub(crate) mod process;

pub(crate) use client::Client;
pub(crate) use emulator::Emulator;

use std::process::Child;

/// A child that is killed when it is dropped.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Fails where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
