//! Addresses of the metadata service, and what is asked of it there.

use imds_model::header;

/// Stands in a text for what is not known before the script runs.
pub const HOLE: char = '\u{FFFC}';

/// The hosts by which the service is asked: the two addresses, and the names that the VPC resolver
/// knows.
pub const HOSTS: [&str; 4] =
    ["169.254.169.254", "[fd00:ec2::254]", "instance-data.ec2.internal", "instance-data"];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A session token.
    Token,
    /// A value or a listing of EC2.
    Value,
    /// Another cloud's service on the same address, or a path that is not EC2's.
    Other,
}

/// A URL of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path with its leading slash, holes included.
    pub path: String,
    /// What is asked there.
    pub asked: Asked,
    /// Where the path begins in the text that was searched.
    pub path_start: usize,
}

/// The first URL of the service in `text`.
#[must_use]
pub fn find(text: &str) -> Option<Target> {
    for host in HOSTS {
        for (at, _) in text.match_indices(host) {
            let before = text.get(..at)?.chars().next_back();
            let named = host.starts_with("instance-data");
            let bounded = match before {
                None => !named,
                Some('/' | HOLE | '@') => true,
                Some(character) => {
                    !named && !character.is_alphanumeric() && character != '.' && character != '-'
                }
            };
            if !bounded {
                continue;
            }
            let mut rest = text.get(at + host.len()..)?;
            if let Some(port) = rest.strip_prefix(":80") {
                rest = port;
            }
            if rest
                .chars()
                .next()
                .is_some_and(|next| next.is_alphanumeric() || matches!(next, '.' | '-' | ':'))
            {
                continue;
            }
            let path_start = text.len() - rest.len();
            let path: String =
                rest.chars().take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`')).collect();
            return Some(Target { asked: classify(&path), path, path_start });
        }
    }
    None
}

/// What a path asks for. EC2's paths begin with `latest`, a date, or `1.0`; the bare root lists
/// versions.
fn classify(path: &str) -> Asked {
    let path = path.trim_start_matches('/');
    let bare = path.trim_end_matches('/');
    if bare.ends_with("api/token") && !bare.starts_with("computeMetadata") {
        return Asked::Token;
    }
    let first = path.split(['/', '?']).next().unwrap_or_default();
    let dated = first.len() == 10 && first.starts_with("20") && first.as_bytes().get(4) == Some(&b'-');
    let versioned = matches!(first, "" | "latest" | "1.0") || dated || first.starts_with("2007-");
    if versioned || first.contains(HOLE) { Asked::Value } else { Asked::Other }
}

/// Whether a text has the session token header's name, and not the TTL header's alone.
#[must_use]
pub fn has_token_header(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let ttl = header::TOKEN_TTL.to_ascii_lowercase();
    let name = header::TOKEN.to_ascii_lowercase();
    lower.replace(&ttl, "").contains(&name)
}

/// Whether a text has the TTL header's name.
#[must_use]
pub fn has_ttl_header(text: &str) -> bool {
    text.to_ascii_lowercase().contains(&header::TOKEN_TTL.to_ascii_lowercase())
}

/// Whether a header belongs to another cloud's service (Google, Azure, IBM, Oracle).
#[must_use]
pub fn is_other_cloud_header(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let compact: String = lower.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'')).collect();
    ["metadata-flavor:", "metadata:true", "authorization:beareroracle", "x-google-metadata"]
        .iter()
        .any(|sign| compact.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Asked> {
        find(text).map(|target| target.asked)
    }

    #[test]
    fn a_path_says_whose_service_is_asked() {
        assert_eq!(asked("http://169.254.169.254/latest/api/token"), Some(Asked::Token));
        assert_eq!(asked("169.254.169.254/latest/meta-data/"), Some(Asked::Value));
        assert_eq!(asked("http://169.254.169.254"), Some(Asked::Value));
        assert_eq!(asked("http://[fd00:ec2::254]/2021-03-23/user-data"), Some(Asked::Value));
        assert_eq!(asked("http://instance-data/latest/meta-data/ami-id"), Some(Asked::Value));
        assert_eq!(asked("http://169.254.169.254:80/1.0/meta-data"), Some(Asked::Value));
        for other in
            ["computeMetadata/v1/", "metadata/instance?api-version=1", "opc/v2/", "openstack/latest/x"]
        {
            assert_eq!(asked(&format!("http://169.254.169.254/{other}")), Some(Asked::Other), "{other}");
        }
        for none in [
            "http://169.254.169.253/latest",
            "1169.254.169.254",
            "169.254.169.254.nip.io",
            "my-instance-data",
        ] {
            assert_eq!(asked(none), None, "{none}");
        }
    }

    #[test]
    fn the_token_header_is_told_from_the_ttl_header() {
        assert!(has_token_header("X-aws-ec2-metadata-token: abc"));
        assert!(!has_token_header("X-AWS-EC2-metadata-token-ttl-seconds: 60"));
        assert!(has_ttl_header("X-AWS-EC2-metadata-token-ttl-seconds: 60"));
    }
}
