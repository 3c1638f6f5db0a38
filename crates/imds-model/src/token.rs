//! Limits of a session token.

/// Shortest token TTL that the service grants, in seconds.
pub const MIN_TTL_SECONDS: u32 = 1;
/// Longest token TTL that the service grants, in seconds: six hours (EC2 User Guide, "How IMDSv2
/// works").
pub const MAX_TTL_SECONDS: u32 = 21_600;

#[cfg(test)]
mod tests {
    #[test]
    fn six_hours() {
        assert_eq!((super::MIN_TTL_SECONDS, super::MAX_TTL_SECONDS), (1, 6 * 60 * 60));
    }
}
