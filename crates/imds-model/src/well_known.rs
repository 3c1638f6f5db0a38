//! Addresses and paths that the tools name themselves.

/// The service's IPv4 endpoint.
pub const IPV4_ENDPOINT: &str = "http://169.254.169.254";
/// The service's IPv6 endpoint: Nitro instances whose `HttpProtocolIpv6` is enabled.
pub const IPV6_ENDPOINT: &str = "http://[fd00:ec2::254]";

/// Where a session token is asked for, by PUT. A dated version instead of `latest` is refused with
/// 403.
pub const TOKEN_PATH: &str = "/latest/api/token";
/// The user data, byte for byte; 404 where the instance has none.
pub const USER_DATA: &str = "/latest/user-data";
/// The instance identity document (JSON).
pub const IDENTITY_DOCUMENT: &str = "/latest/dynamic/instance-identity/document";
/// The instance id.
pub const INSTANCE_ID: &str = "/latest/meta-data/instance-id";
/// The Region.
pub const REGION: &str = "/latest/meta-data/placement/region";

#[cfg(test)]
mod tests {
    #[test]
    fn spelled_as_the_service_spells_them() {
        assert_eq!(super::IPV4_ENDPOINT, "http://169.254.169.254");
        assert_eq!(super::IPV6_ENDPOINT, "http://[fd00:ec2::254]");
        assert_eq!(super::TOKEN_PATH, "/latest/api/token");
        assert_eq!(super::USER_DATA, "/latest/user-data");
        assert_eq!(super::IDENTITY_DOCUMENT, "/latest/dynamic/instance-identity/document");
        assert_eq!(super::INSTANCE_ID, "/latest/meta-data/instance-id");
        assert_eq!(super::REGION, "/latest/meta-data/placement/region");
    }
}
