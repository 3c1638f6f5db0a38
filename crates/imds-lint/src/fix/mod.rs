//! Rewrites: only what does the same as before, everything around it byte for byte.

pub mod apply;
mod curl;
mod plain;
pub mod powershell;
mod removal;
pub mod shell;

/// What a request is rewritten to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// `imds get PATH`
    #[default]
    Imds,
    /// A token request and a request with the token, in plain curl
    Curl,
}
