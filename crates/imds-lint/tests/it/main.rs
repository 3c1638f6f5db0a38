//! The program, run: its output, its exit codes, its rewrites against the emulator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod command;
mod completions;
mod corpus;
mod fixed;
mod output;
mod robust;
