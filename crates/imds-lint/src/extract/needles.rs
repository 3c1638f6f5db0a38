//! Which texts are worth a parse: one pass over the bytes, for every substring that a rule starts
//! from.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// What any rule starts from. Case does not matter.
const NEEDLES: [&str; 38] = [
    // Addresses and headers.
    "169.254.169.254",
    "fd00:ec2::254",
    "instance-data/",
    "instance-data.ec2",
    "ec2-metadata",
    "ec2metadata",
    "imds-lint:",
    // Zones that a Region is cut out of.
    "availability-zone",
    "availability_zone",
    "availabilityzone",
    // Launches.
    "http_tokens",
    "httptokens",
    "http-tokens",
    "aws_instance",
    "aws_launch_",
    "aws_spot_instance",
    "aws::ec2::instance",
    "aws::ec2::launchtemplate",
    "launchconfiguration",
    "amazon-ebs",
    "run-instances",
    "create-launch-configuration",
    // Calls and tools.
    "boto.utils",
    "metadataservice",
    "getmetadata",
    "imdsv1",
    "imds_version",
    "goamz",
    // base64 of `#!/`, `#cloud`, gzip, `Content-Type`, `MIME-Version`.
    "iyev",
    "i2nsb3vk",
    "h4si",
    "q29udgvud",
    "tulnrs1w",
    // Packages that scripts install.
    "boto",
    "awscli",
    "aws-sdk",
    "awssdk",
    "aws-java-sdk",
];

/// How many of the last needles matter in scripts that install packages and in manifests only.
const PACKAGES: usize = 5;

fn automaton() -> Option<&'static AhoCorasick> {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let build = || {
        let mut builder = AhoCorasick::builder();
        builder
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA));
        builder.build(NEEDLES).ok()
    };
    AUTOMATON.get_or_init(build).as_ref()
}

/// Whether any rule can find anything in these bytes; `packages` if names of packages count.
#[must_use]
pub fn any(bytes: &[u8], packages: bool) -> bool {
    automaton().is_none_or(|automaton| {
        automaton
            .find_iter(bytes)
            .any(|found| packages || found.pattern().as_usize() < NEEDLES.len() - PACKAGES)
    })
}

/// Where an address of the service stands in a text: what must not be in a part that could not be
/// parsed.
pub fn addresses(text: &str) -> impl Iterator<Item = usize> + '_ {
    automaton()
        .into_iter()
        .flat_map(move |automaton| automaton.find_iter(text))
        .filter(|found| found.pattern().as_usize() < 4)
        .map(|found| found.start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_needle_is_not_parsed() {
        assert!(any(b"curl http://169.254.169.254/", false));
        assert!(any(b"HTTP_TOKENS = 1", false));
        assert!(!any(b"import boto3", false));
        assert!(any(b"import boto3", true));
        assert!(!any(b"echo hello", true));
        assert_eq!(addresses("x 169.254.169.254 [FD00:EC2::254]").collect::<Vec<_>>(), [2, 19]);
    }
}
