//! HTTP header names and fixed values of the service.
//!
//! Names are compared without regard to case on the wire; these are the spellings that the service
//! answers with.

/// Request header that carries a session token.
///
/// Its presence, even with an empty value, makes a request IMDSv2 (EC2 User Guide, "Configure the
/// instance metadata service").
pub const TOKEN: &str = "X-Aws-Ec2-Metadata-Token";

/// Header that carries a token TTL in seconds: asked for in the token PUT, echoed in its answer,
/// and in every answer to a request with a token the seconds that remain.
pub const TOKEN_TTL: &str = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds";

/// Header whose presence makes the service refuse a token PUT, and a GET with a token, with 403.
pub const FORWARDED_FOR: &str = "X-Forwarded-For";

/// The `Server` header's value, which many cloud detectors look for.
pub const SERVER_NAME: &str = "EC2ws";

#[cfg(test)]
mod tests {
    #[test]
    fn spelled_as_on_the_wire() {
        assert_eq!(super::TOKEN, "X-Aws-Ec2-Metadata-Token");
        assert_eq!(super::TOKEN_TTL, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds");
        assert_eq!(super::FORWARDED_FOR, "X-Forwarded-For");
        assert_eq!(super::SERVER_NAME, "EC2ws");
    }
}
