//! What a script asks of the metadata service, taken from its syntax tree.

pub mod code;
pub mod powershell;
pub mod shell;
pub mod url;
