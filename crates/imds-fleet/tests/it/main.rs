//! `imds-fleet` as a whole against the fake AWS of `imds-fake-aws`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs, reason = "tests")]

mod audit;
mod bad_input;
mod change;
mod complete;
mod completions;
mod credentials;
mod end_state;
mod enforcement;
mod estate;
mod finish;
mod harm;
mod harness;
mod killed;
mod launches;
mod policy;
mod progress;
mod random;
mod ready;
mod refused;
mod report;
mod resumed;
mod risk;
mod rollback;
mod scale;
mod shown;
mod sources;
mod state;
mod traced;
mod usage;
mod user_data;
mod watched;
