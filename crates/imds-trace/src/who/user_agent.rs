//! The SDK or tool that a User-Agent names. The header is the caller's to set: a hint beside the
//! process, no proof.

use serde::{Deserialize, Serialize};

/// A library or tool, and its version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sdk {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// Product names of User-Agents, most telling first: `aws-cli` comes with `Botocore` in one header.
const PRODUCTS: &[(&str, &str)] = &[
    ("aws-cli", "aws-cli"),
    ("botocore", "botocore"),
    ("boto3", "boto3"),
    ("boto", "boto"),
    ("aws-sdk-go-v2", "aws-sdk-go-v2"),
    ("aws-sdk-go", "aws-sdk-go"),
    ("aws-sdk-java", "aws-sdk-java"),
    ("aws-sdk-js", "aws-sdk-js"),
    ("aws-sdk-nodejs", "aws-sdk-js"),
    ("aws-sdk-ruby3", "aws-sdk-ruby"),
    ("aws-sdk-ruby2", "aws-sdk-ruby"),
    ("aws-sdk-ruby", "aws-sdk-ruby"),
    ("aws-sdk-rust", "aws-sdk-rust"),
    ("aws-sdk-php", "aws-sdk-php"),
    ("aws-sdk-cpp", "aws-sdk-cpp"),
    ("aws-sdk-dotnet", "aws-sdk-net"),
    ("aws-sdk-net", "aws-sdk-net"),
    ("aws-sdk-kotlin", "aws-sdk-kotlin"),
    ("aws-sdk-swift", "aws-sdk-swift"),
    ("aws-sdk-crt", "aws-sdk-crt"),
    ("awspowershell", "aws-powershell"),
    ("cloud-init", "cloud-init"),
    ("amazon-ec2-net-utils", "amazon-ec2-net-utils"),
    ("amazon-ssm-agent", "amazon-ssm-agent"),
    ("imds", "imds"),
    ("vector", "vector"),
    ("telegraf", "telegraf"),
    ("fluent-bit", "fluent-bit"),
    ("curl", "curl"),
    ("wget", "wget"),
    ("powershell", "powershell"),
    ("windowspowershell", "powershell"),
    ("python-requests", "python-requests"),
    ("python-urllib3", "python-urllib3"),
    ("python-urllib", "python-urllib"),
    ("go-http-client", "go-http-client"),
    ("java-http-client", "java"),
    ("apache-httpclient", "apache-httpclient"),
    ("okhttp", "okhttp"),
    ("java", "java"),
    ("axios", "axios"),
    ("got", "got"),
    ("node-fetch", "node-fetch"),
    ("undici", "undici"),
    ("node", "node"),
    ("ruby", "ruby"),
];

/// What a User-Agent names, if it is known.
pub(crate) fn sdk_of(user_agent: &str) -> Option<Sdk> {
    let products: Vec<(String, Option<&str>)> = user_agent
        .split_ascii_whitespace()
        .map(|word| match word.split_once('/') {
            Some((name, version)) => (name.to_ascii_lowercase(), Some(version)),
            None => (word.to_ascii_lowercase(), None),
        })
        .collect();
    PRODUCTS.iter().find_map(|(product, name)| {
        let (_, version) = products.iter().find(|(found, _)| found == product)?;
        Some(Sdk { name: (*name).to_owned(), version: version.and_then(version_in) })
    })
}

/// The version at the start of the text behind the slash; nothing for what is none, such as
/// `aws-imds-client`.
fn version_in(text: &str) -> Option<String> {
    let text = text.trim_start_matches('v');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let version: String = text.chars().take_while(|c| plain(*c)).take(32).collect();
    version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdks_and_their_versions() {
        for (user_agent, expected) in [
            ("aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)", "aws-sdk-go 1.25.37"),
            ("aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22 md/GOOS#linux ft/ec2-imds", "aws-sdk-go-v2 1.30.3"),
            ("Boto3/1.12.5 Python/3.6.9 Linux/4.14 Botocore/1.13.24", "botocore 1.13.24"),
            ("aws-cli/1.16.288 Python/2.7 Linux/4.14 botocore/1.13.24", "aws-cli 1.16.288"),
            ("aws-sdk-java/1.11.677 Linux/4.14 OpenJDK", "aws-sdk-java 1.11.677"),
            ("aws-sdk-ruby3/3.78.0 ruby/2.5.1", "aws-sdk-ruby 3.78.0"),
            ("aws-sdk-crt/aws-imds-client", "aws-sdk-crt ?"),
            ("curl/7.61.1", "curl 7.61.1"),
            ("Wget", "wget ?"),
            (
                "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.14393.2608",
                "powershell 5.1.14393.2608",
            ),
            ("got (https://github.com/sindresorhus/got)", "got ?"),
            ("Go-http-client/1.1", "go-http-client 1.1"),
        ] {
            let sdk = sdk_of(user_agent).unwrap();
            let version = sdk.version.as_deref().unwrap_or("?");
            assert_eq!(format!("{} {version}", sdk.name), expected, "{user_agent}");
        }
        for unknown in ["", "my-app/1.0", "/", "curlish/1"] {
            assert_eq!(sdk_of(unknown), None, "{unknown}");
        }
    }
}
