//! Rules: what each one says, and what finds it.

pub mod catalogue;
pub mod finding;
pub mod pins;
pub mod shell;
