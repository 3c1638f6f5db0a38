//! Advice for what the library reports. The library says what happened; what to do about it is said
//! here.

use imds::ErrorKind;
use imds_model::env;

/// The hints for an error, most likely first.
pub(crate) fn of(error: &imds::Error) -> Vec<String> {
    let speaks_v1 = "a service that speaks only IMDSv1 (older Snowball devices) is read with `--imds-v1`";
    let hints: &[&str] = match error.kind() {
        ErrorKind::Disabled => return vec![format!("unset `{}` to ask the service", env::DISABLED)],
        ErrorKind::Forbidden if error.is_token_fetch() => &[
            "the instance option `HttpEndpoint` may be `disabled`: \
             `aws ec2 modify-instance-metadata-options --http-endpoint enabled --instance-id ID` turns the service on",
            speaks_v1,
        ],
        ErrorKind::Forbidden => &["the instance option `HttpEndpoint` may be `disabled`: \
             `aws ec2 modify-instance-metadata-options --http-endpoint enabled --instance-id ID` turns the service on"],
        ErrorKind::Protocol if error.is_token_fetch() && matches!(error.status(), Some(404 | 405)) => {
            &[speaks_v1]
        }
        ErrorKind::Protocol if error.is_token_fetch() => &[
            "something other than the metadata service answers there: a proxy, a captive portal, another cloud",
        ],
        ErrorKind::Unauthorized if error.lacked_token() => {
            &["leave `--imds-v1` out: the service requires session tokens"]
        }
        ErrorKind::Unreachable if is_denied(error) => &[
            "a `prohibit` route or a filter of this machine denies the connection, as systemd's IMDS lock and \
             `IPAddressDeny=` of a unit do; `imds doctor` looks for it",
        ],
        ErrorKind::Unreachable if error.is_stalled_token_fetch() => &[
            "in a container the answer is lost where the instance's hop limit (`HttpPutResponseHopLimit`) is 1: \
               `aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ID` raises it",
        ],
        ErrorKind::Unreachable if error.is_stalled() => {
            &["the service is there but slow: give it longer with `--timeout DURATION`, such as `30s`"]
        }
        ErrorKind::Unreachable => &[
            "off an EC2 instance there is no such service; `imds emulate -- COMMAND` runs a command with an emulated one",
        ],
        ErrorKind::Throttled | ErrorKind::Server => {
            &["try again later, or give it longer with `--timeout DURATION`"]
        }
        _ => &[],
    };
    hints.iter().map(ToString::to_string).collect()
}

/// Whether this machine itself refused to connect: EACCES for a route, EPERM for a cgroup filter.
fn is_denied(error: &imds::Error) -> bool {
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        if cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
        {
            return true;
        }
        next = cause.source();
    }
    false
}
