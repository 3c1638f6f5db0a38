//! First releases of the AWS SDKs that send a session token.
//!
//! Minimum versions as AWS lists them, "Use a supported AWS SDK" in the EC2 User Guide
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/use-a-supported-sdk-version-for-imdsv2.html>).
//! boto 2 never learned it: its last commit, of 2022, has no token request.

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ecosystem {
    /// PyPI.
    Python,
    /// npm.
    Npm,
    /// RubyGems.
    Gems,
    /// Go modules.
    Go,
    /// Maven Central.
    Maven,
    /// Packagist.
    Composer,
    /// NuGet.
    NuGet,
}

/// A package and its first release with session tokens; `None` if there is none.
struct Package {
    ecosystem: Ecosystem,
    name: &'static str,
    first: Option<&'static str>,
    instead: &'static str,
}

const fn package(
    ecosystem: Ecosystem,
    name: &'static str,
    first: Option<&'static str>,
    instead: &'static str,
) -> Package {
    Package { ecosystem, name, first, instead }
}

static PACKAGES: [Package; 16] = [
    package(Ecosystem::Python, "boto", None, "boto3"),
    package(Ecosystem::Python, "boto3", Some("1.12.6"), ""),
    package(Ecosystem::Python, "botocore", Some("1.13.25"), ""),
    package(Ecosystem::Python, "awscli", Some("1.16.289"), ""),
    package(Ecosystem::Npm, "aws-sdk", Some("2.722.0"), ""),
    package(Ecosystem::Gems, "aws-sdk-core", Some("3.79.0"), ""),
    package(Ecosystem::Gems, "aws-sdk-v1", None, "aws-sdk-core"),
    package(Ecosystem::Go, "github.com/aws/aws-sdk-go", Some("1.25.38"), ""),
    package(Ecosystem::Go, "github.com/aws/aws-sdk-go-v2", Some("0.19.0"), ""),
    package(Ecosystem::Go, "github.com/mitchellh/goamz", None, "github.com/aws/aws-sdk-go-v2"),
    package(Ecosystem::Go, "github.com/crowdmob/goamz", None, "github.com/aws/aws-sdk-go-v2"),
    package(Ecosystem::Maven, "com.amazonaws:aws-java-sdk", Some("1.11.678"), ""),
    package(Ecosystem::Maven, "software.amazon.awssdk", Some("2.10.21"), ""),
    package(Ecosystem::Composer, "aws/aws-sdk-php", Some("3.147.7"), ""),
    package(Ecosystem::NuGet, "AWSSDK.Core", Some("3.3.106"), ""),
    package(Ecosystem::NuGet, "AWSSDK", None, "AWSSDK.Core"),
];

/// The finding about a requirement such as `boto3==1.9.0`, or a name and a version on their own;
/// `None` if it is not one, or may be satisfied by a release with session tokens.
#[must_use]
pub fn judge(ecosystem: Ecosystem, requirement: &str, version: &str) -> Option<String> {
    let (name, constraint) = split(ecosystem, requirement);
    let constraint = if constraint.is_empty() { version } else { constraint };
    let package =
        PACKAGES.iter().find(|package| package.ecosystem == ecosystem && is_named(package, name))?;
    let Some(first) = package.first else {
        return Some(format!("`{name}` never sends a session token: move to `{}`", package.instead));
    };
    let highest = highest(constraint)?;
    (compare(&highest, first) == std::cmp::Ordering::Less).then(|| {
        format!("`{name}` sends session tokens from {first} on; this asks for {}", constraint.trim())
    })
}

fn is_named(package: &Package, name: &str) -> bool {
    match package.ecosystem {
        Ecosystem::Python => name.eq_ignore_ascii_case(package.name),
        // `com.amazonaws:aws-java-sdk-s3`, `software.amazon.awssdk:bom`
        Ecosystem::Maven => name
            .strip_prefix(package.name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ':'])),
        Ecosystem::Go => {
            name == package.name
                || name
                    .strip_prefix(package.name)
                    .is_some_and(|rest| rest.starts_with('/') && package.first.is_none())
        }
        _ => name == package.name,
    }
}

/// A name and what is asked of its version.
fn split(ecosystem: Ecosystem, requirement: &str) -> (&str, &str) {
    let requirement = requirement.trim();
    let at = match ecosystem {
        Ecosystem::Python => requirement.find(['=', '<', '>', '~', '!', ' ', ';', '[']),
        Ecosystem::Npm | Ecosystem::Go => requirement.rfind('@').filter(|at| *at > 0),
        Ecosystem::Composer => requirement.find(':'),
        Ecosystem::Maven => requirement
            .rmatch_indices(':')
            .next()
            .map(|(at, _)| at)
            .filter(|_| requirement.matches(':').count() > 1),
        Ecosystem::Gems | Ecosystem::NuGet => None,
    };
    let (name, rest) = at.map_or((requirement, ""), |at| requirement.split_at(at));
    let rest = match ecosystem {
        Ecosystem::Python => {
            let rest =
                rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(rest, |(_, rest)| rest);
            rest.split([';', '#']).next().unwrap_or(rest)
        }
        _ => rest.trim_start_matches(['@', ':']),
    };
    (name.trim(), rest.trim())
}

/// The highest version that a constraint lets in; `None` if it has no upper bound that is below
/// everything new.
fn highest(constraint: &str) -> Option<Vec<u64>> {
    let mut highest: Option<Vec<u64>> = None;
    for part in constraint.split([',', '|', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
        let digits = part.trim_start_matches(|c: char| !c.is_ascii_digit());
        let operator = part.get(..part.len() - digits.len()).unwrap_or_default().trim_end_matches('v').trim();
        let bound = match operator {
            "" | "=" | "==" | "===" | "<" | "<=" => numbers(digits),
            // Up to the next release of the part before the last (Python, Ruby), or of the patch
            // (npm).
            "~=" | "~>" | "~" => {
                let mut numbers = numbers(digits);
                if numbers.len() > 1 {
                    numbers.pop();
                    numbers.push(u64::MAX);
                } else {
                    numbers = vec![u64::MAX];
                }
                numbers
            }
            // `^2.1.0`: any 2.x. Lower bounds say nothing of the highest.
            "^" => vec![numbers(digits).first().copied().unwrap_or(0), u64::MAX],
            _ => continue,
        };
        if bound.is_empty() {
            continue;
        }
        // `1.9.*`, `2.x`
        let mut bound = bound;
        if digits.contains('*') || digits.contains('x') {
            bound.push(u64::MAX);
        }
        highest = Some(match highest {
            Some(known) if known < bound => known,
            _ => bound,
        });
    }
    highest
}

fn numbers(text: &str) -> Vec<u64> {
    text.split('.')
        .map_while(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .collect()
}

fn compare(version: &[u64], first: &str) -> std::cmp::Ordering {
    let first = numbers(first);
    for (index, want) in first.iter().enumerate() {
        let have = version.get(index).copied().unwrap_or(0);
        if have != *want {
            return have.cmp(want);
        }
    }
    std::cmp::Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_old_if_nothing_new_enough_satisfies_it() {
        let old = |ecosystem, text| judge(ecosystem, text, "").is_some();
        for text in [
            "boto",
            "boto==2.49.0",
            "boto3==1.9.253",
            "botocore<1.13",
            "boto3~=1.9.0",
            "awscli==1.16.100",
            "boto3==1.9.*",
            "boto3[crt]==1.9.1 ; python_version < '3'",
        ] {
            assert!(old(Ecosystem::Python, text), "{text}");
        }
        for text in [
            "boto3",
            "boto3>=1.9",
            "boto3==1.12.6",
            "boto3~=1.9",
            "botocore>=1.12,<2",
            "boto3==1.35.*",
            "requests==1.0",
            "boto-x==1",
        ] {
            assert!(!old(Ecosystem::Python, text), "{text}");
        }
        assert!(old(Ecosystem::Npm, "aws-sdk@2.400.0"));
        assert!(!old(Ecosystem::Npm, "aws-sdk@^2.400.0"));
        assert!(old(Ecosystem::Go, "github.com/aws/aws-sdk-go@v1.25.37"));
        assert!(!old(Ecosystem::Go, "github.com/aws/aws-sdk-go@v1.44.0"));
        assert!(judge(Ecosystem::Gems, "aws-sdk-core", "3.70.0").is_some());
        assert!(judge(Ecosystem::Maven, "com.amazonaws:aws-java-sdk-s3", "1.11.600").is_some());
        assert!(judge(Ecosystem::Maven, "com.amazonaws:aws-java-sdk-s3", "1.12.1").is_none());
    }
}
