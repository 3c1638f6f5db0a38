//! Which texts are worth a parse: one pass over the bytes, for every substring that a rule starts
//! from.

use std::sync::OnceLock;

use aho_corasick::packed::{Config, MatchKind, Searcher};

/// Addresses of the service. They come first: [`addresses`] asks for them alone.
const ADDRESSES: [&str; 5] =
    ["169.254.169.254", "fd00:ec2::254", "FD00:EC2::254", "instance-data/", "instance-data.ec2"];

/// What else any rule starts from, in the spellings that the languages have.
const OTHERS: [&str; 41] = [
    "ec2-metadata",
    "ec2metadata",
    "imds-lint:",
    // Zones that a Region is cut out of.
    "availability-zone",
    "vailability_zone",
    "vailabilityZone",
    "AVAILABILITY_ZONE",
    "AVAIL_ZONE",
    "avail_zone",
    // Launches.
    "http_tokens",
    "HttpTokens",
    "httpTokens",
    "http-tokens",
    "aws_instance",
    "aws_launch_",
    "aws_spot_instance",
    "AWS::EC2::Instance",
    "AWS::EC2::LaunchTemplate",
    "LaunchConfiguration",
    "EC2NodeClass",
    "http_put_response_hop",
    "amazon-ebs",
    "run-instances",
    "create-launch-configuration",
    // Calls and tools.
    "boto.utils",
    "MetadataService",
    "GetMetaData",
    "imdsv1only",
    "goamz",
    // base64 of `#!/`, `#cloud`, gzip, `Content-Type`, `MIME-Version`.
    "IyEv",
    "I2Nsb3Vk",
    "H4sI",
    "Q29udGVudC",
    "TUlNRS1W",
    // Packages that scripts install.
    "boto",
    "awscli",
    "aws-sdk",
    "awssdk",
    "AWSSDK",
    "aws-java-sdk",
    "aws/aws-sdk-php",
];

/// How many of the last ones matter in scripts that install packages and in manifests only.
const PACKAGES: usize = 7;

fn searcher() -> Option<&'static Searcher> {
    static SEARCHER: OnceLock<Option<Searcher>> = OnceLock::new();
    let build = || {
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        builder.extend(ADDRESSES).extend(OTHERS).build()
    };
    SEARCHER.get_or_init(build).as_ref()
}

/// Whether any rule can find anything in these bytes; `packages` if names of packages count.
#[must_use]
pub fn any(bytes: &[u8], packages: bool) -> bool {
    let all = ADDRESSES.len() + OTHERS.len();
    let count = if packages { all } else { all - PACKAGES };
    match searcher() {
        Some(searcher) => searcher.find_iter(bytes).any(|found| found.pattern().as_usize() < count),
        // A processor without vector instructions: everything is parsed.
        None => true,
    }
}

/// Where an address of the service stands in a text: what must not be in a part that could not be
/// parsed.
#[must_use]
pub fn addresses(text: &str) -> Vec<usize> {
    let mut found: Vec<usize> =
        ADDRESSES.iter().flat_map(|address| text.match_indices(address)).map(|(at, _)| at).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_needle_is_not_parsed() {
        assert!(any(b"curl http://169.254.169.254/", false));
        assert!(any(b"metadata_options { http_tokens = 1 }", false));
        assert!(!any(b"import boto3", false));
        assert!(any(b"import boto3", true));
        assert!(!any(b"echo hello", true));
        assert_eq!(addresses("x 169.254.169.254 [FD00:EC2::254]"), [2, 19]);
    }

    #[test]
    fn every_needle_can_be_searched_for_at_once() {
        assert!(searcher().is_some(), "too many needles for a vector search");
    }
}
