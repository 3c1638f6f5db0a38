//! What the fault server counted.

/// Requests and connections that a [`FaultServer`](crate::FaultServer) saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// PUTs of `/latest/api/token`.
    pub token_puts: u64,
    /// GETs, with or without a token.
    pub gets: u64,
    /// GETs without a token header: IMDSv1. Zero, unless a test asked for IMDSv1 by name.
    pub gets_without_token: u64,
    /// Requests of any other method or path.
    pub others: u64,
    /// Connections accepted.
    pub connections: u64,
}
