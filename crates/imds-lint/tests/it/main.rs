//! The program, run: its output, its exit codes, its rewrites against the emulator.

mod command;
mod corpus;
mod fixed;
mod output;
mod robust;
