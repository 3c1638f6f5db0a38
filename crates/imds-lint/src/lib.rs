//! Finds IMDSv1 requests and fragile session token code in scripts, user data and infrastructure
//! code, and rewrites what is certain to stay the same.
//!
//! The core does no I/O: [`check::check`] takes the bytes of a file and gives findings with their
//! edits. Embedded texts are taken out with the place of each byte ([`text::mapped`]), parsed
//! ([`syntax`]), read as requests ([`model`]), and judged ([`rules`]); [`fix`] writes the edits.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

pub mod check;
pub mod cli;
pub mod commands;
pub mod extract;
pub mod files;
pub mod fix;
pub mod manual;
pub mod model;
pub mod output;
pub mod rules;
pub mod suppress;
pub mod syntax;
pub mod text;
