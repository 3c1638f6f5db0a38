//! Environment variables that the tools read, each once.

/// Endpoint URL of the service; beats every endpoint mode, as in the AWS SDKs.
pub const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// Endpoint mode: `IPv4`, `IPv6` (any case), or our own `auto`.
pub const ENDPOINT_MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
/// `true` (any case) forbids every request to the service.
pub const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
/// Timeout of one connect and of one read, in seconds.
pub const TIMEOUT: &str = "AWS_METADATA_SERVICE_TIMEOUT";
/// Number of attempts, the first included.
pub const NUM_ATTEMPTS: &str = "AWS_METADATA_SERVICE_NUM_ATTEMPTS";
/// Path of the AWS config file; `~/.aws/config` where unset.
pub const CONFIG_FILE: &str = "AWS_CONFIG_FILE";
/// Path of the AWS credentials file; `~/.aws/credentials` if unset.
pub const CREDENTIALS_FILE: &str = "AWS_SHARED_CREDENTIALS_FILE";
/// The older name of [`PROFILE`], which goes before it.
pub const DEFAULT_PROFILE: &str = "AWS_DEFAULT_PROFILE";
/// `true` (any case) forbids requests without a session token (IMDSv1).
pub const V1_DISABLED: &str = "AWS_EC2_METADATA_V1_DISABLED";
/// Name of the role whose credentials the instance has, so that nobody has to ask for it.
pub const INSTANCE_PROFILE_NAME: &str = "AWS_EC2_INSTANCE_PROFILE_NAME";
/// Profile of the AWS config file; `default` where unset.
pub const PROFILE: &str = "AWS_PROFILE";
/// Directory of the session-token store; empty means the usual one.
pub const CACHE_DIR: &str = "IMDS_CACHE_DIR";
/// Address of the control API of the emulator that `imds emulate` runs a command with.
pub const EMULATOR_CONTROL: &str = "IMDS_EMULATOR_CONTROL";
/// Token of an emulator's control API, for the emulator and for `imds emulator ctl`.
pub const EMULATOR_CONTROL_TOKEN: &str = "IMDS_EMULATOR_CONTROL_TOKEN";
/// Per-user runtime directory (XDG Base Directory Specification).
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// Per-user cache directory (XDG Base Directory Specification).
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";
/// Home directory.
pub const HOME: &str = "HOME";
/// Home directory on Windows.
pub const USER_PROFILE: &str = "USERPROFILE";
/// Directory for what belongs to one user on one machine (Windows).
pub const LOCAL_APP_DATA: &str = "LOCALAPPDATA";

#[cfg(test)]
mod tests {
    #[test]
    fn spelled_as_the_sdks_and_shells_spell_them() {
        assert_eq!(super::ENDPOINT, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
        assert_eq!(super::ENDPOINT_MODE, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
        assert_eq!(super::DISABLED, "AWS_EC2_METADATA_DISABLED");
        assert_eq!(super::TIMEOUT, "AWS_METADATA_SERVICE_TIMEOUT");
        assert_eq!(super::NUM_ATTEMPTS, "AWS_METADATA_SERVICE_NUM_ATTEMPTS");
        assert_eq!(super::CONFIG_FILE, "AWS_CONFIG_FILE");
        assert_eq!(super::PROFILE, "AWS_PROFILE");
        assert_eq!(super::DEFAULT_PROFILE, "AWS_DEFAULT_PROFILE");
        assert_eq!(super::CREDENTIALS_FILE, "AWS_SHARED_CREDENTIALS_FILE");
        assert_eq!(super::V1_DISABLED, "AWS_EC2_METADATA_V1_DISABLED");
        assert_eq!(super::INSTANCE_PROFILE_NAME, "AWS_EC2_INSTANCE_PROFILE_NAME");
        assert_eq!(super::CACHE_DIR, "IMDS_CACHE_DIR");
        assert_eq!(super::XDG_RUNTIME_DIR, "XDG_RUNTIME_DIR");
        assert_eq!(super::XDG_CACHE_HOME, "XDG_CACHE_HOME");
        assert_eq!(super::HOME, "HOME");
        assert_eq!(super::USER_PROFILE, "USERPROFILE");
        assert_eq!(super::LOCAL_APP_DATA, "LOCALAPPDATA");
    }
}
