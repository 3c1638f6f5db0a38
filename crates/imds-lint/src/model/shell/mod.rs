//! Shell scripts: their commands, variables and requests.

pub mod arguments;
pub mod command;
pub mod context;
pub mod embedded;
pub mod request;
pub mod script;
pub mod words;
