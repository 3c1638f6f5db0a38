//! Rules: what each one says, and what finds it.

pub mod catalogue;
pub mod code;
pub mod finding;
pub mod infrastructure;
pub mod manifests;
pub mod pins;
pub mod powershell;
pub mod shell;
