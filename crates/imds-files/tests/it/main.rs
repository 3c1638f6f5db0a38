//! The rules for files, on a real file system.

#![allow(clippy::unwrap_used)]

mod foreign;
mod journal;
mod output;
mod private;
