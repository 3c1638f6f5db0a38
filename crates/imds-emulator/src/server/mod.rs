//! The server: connections, one listener after another, and what can be done to the service
//! meanwhile.
//!
//! It is a small HTTP/1.1 loop of its own on `httparse`, not hyper: the answers have to be the real
//! service's byte by byte (hyper normalises heads and speaks no HTTP/1.0 status line), faults cut,
//! stall and reset them at any byte, and one write per answer is what makes it keep up with nginx.

pub(crate) mod assertion;
mod body;
mod commands;
mod connection;
mod head;
mod hops;
mod keys;
mod listener;
mod offline;
mod service;

pub use assertion::Assertion;
pub use service::Service;
