//! Lists of required packages that pin an SDK without IMDSv2.

use std::ops::Range;

use crate::extract::kind::Manifest;

use super::catalogue::RuleId;
use super::finding::Finding;
use super::pins::{self, Ecosystem};

/// Findings of a list of packages.
#[must_use]
pub fn judge(manifest: Manifest, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut pom = Pom::default();
    for line in text.split_inclusive('\n') {
        let start = at + line.len() - line.trim_start().len();
        let trimmed = line.trim();
        at += line.len();
        let span = start..start + trimmed.len();
        if let Some(message) = one(manifest, trimmed, &mut pom) {
            found.push(finding(span, message));
        }
    }
    found
}

fn finding(span: Range<usize>, message: String) -> Finding {
    Finding::new(RuleId::OldSdk, span, message)
}

fn one(manifest: Manifest, line: &str, pom: &mut Pom) -> Option<String> {
    match manifest {
        Manifest::Requirements => {
            let line = line.split(" #").next().unwrap_or(line);
            if line.starts_with(['#', '-']) { None } else { pins::judge(Ecosystem::Python, line, "") }
        }
        // `"boto3==1.9"`, `boto3 = "==1.9"`, `boto3 = "~1.9"`
        Manifest::PythonProject => {
            if line.starts_with('#') {
                return None;
            }
            if let Some((name, version)) = line.split_once(" = ") {
                let version = version.trim().trim_matches(['"', '\'']);
                if !version.starts_with(['{', '[']) {
                    return pins::judge(Ecosystem::Python, name.trim().trim_matches('"'), version);
                }
            }
            line.split(['"', '\''])
                .skip(usize::from(line.contains('"') || line.contains('\'')))
                .find_map(|part| pins::judge(Ecosystem::Python, part, ""))
        }
        Manifest::PackageJson => {
            let (name, version) = json_pair(line)?;
            pins::judge(Ecosystem::Npm, name, version)
        }
        Manifest::Composer => {
            let (name, version) = json_pair(line)?;
            pins::judge(Ecosystem::Composer, name, version)
        }
        Manifest::Gemfile => {
            // `gem 'aws-sdk-core', '~> 3.70.0'`, and `aws-sdk-core (3.70.0)` of the lock file.
            if let Some(rest) = line.strip_prefix("gem ") {
                let mut parts = rest.split(',').map(|part| part.trim().trim_matches(['"', '\'']));
                let name = parts.next()?;
                return pins::judge(Ecosystem::Gems, name, parts.next().unwrap_or_default());
            }
            let (name, version) = line.split_once(" (")?;
            let version = version.strip_suffix(')')?;
            version
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| pins::judge(Ecosystem::Gems, name, version))?
        }
        Manifest::GoMod => {
            let line = line.strip_prefix("require ").unwrap_or(line);
            let (name, version) = line.split("//").next()?.trim().split_once(' ')?;
            pins::judge(Ecosystem::Go, name, version.trim())
        }
        Manifest::Gradle => {
            let coordinate = line.split(['"', '\'']).find(|part| part.matches(':').count() == 2)?;
            pins::judge(Ecosystem::Maven, coordinate, "")
        }
        Manifest::Pom => pom.line(line),
        Manifest::NuGet => {
            let attribute = |name: &str| {
                let (_, rest) = line.split_once(&format!("{name}=\""))?;
                rest.split('"').next()
            };
            let name = attribute("Include").or_else(|| attribute("id"))?;
            let version = attribute("Version").or_else(|| attribute("version"))?;
            pins::judge(Ecosystem::NuGet, name, version)
        }
    }
}

fn json_pair(line: &str) -> Option<(&str, &str)> {
    let (name, version) = line.trim_end_matches(',').split_once(':')?;
    Some((name.trim().trim_matches('"'), version.trim().trim_matches('"')))
}

/// The coordinates of a Maven dependency, line by line.
#[derive(Debug, Default)]
struct Pom {
    group: String,
    artifact: String,
}

impl Pom {
    fn line(&mut self, line: &str) -> Option<String> {
        let element = |name: &str| {
            let (_, rest) = line.split_once(&format!("<{name}>"))?;
            rest.split('<').next().map(|value| value.trim().to_owned())
        };
        if line.contains("<dependency>") {
            *self = Self::default();
        }
        if let Some(group) = element("groupId") {
            self.group = group;
        }
        if let Some(artifact) = element("artifactId") {
            self.artifact = artifact;
        }
        let version = element("version")?;
        let name = format!("{}:{}", self.group, self.artifact);
        pins::judge(Ecosystem::Maven, &name, &version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_list_is_read() {
        let old = |manifest, text: &str| judge(manifest, text).len();
        assert_eq!(old(Manifest::Requirements, "boto==2.49.0  # old\nboto3==1.34.0\n#boto\n"), 1);
        assert_eq!(
            old(Manifest::PythonProject, "dependencies = [\"boto3==1.9.0\"]\nboto3 = \"==1.9.0\"\n"),
            2
        );
        assert_eq!(
            old(Manifest::PackageJson, "  \"aws-sdk\": \"2.400.0\",\n  \"aws-sdk-mock\": \"1.0.0\"\n"),
            1
        );
        assert_eq!(old(Manifest::Gemfile, "gem 'aws-sdk-core', '3.70.0'\n    aws-sdk-core (3.70.0)\n"), 2);
        assert_eq!(
            old(Manifest::GoMod, "require (\n\tgithub.com/aws/aws-sdk-go v1.25.0 // indirect\n)\n"),
            1
        );
        let pom = "<dependency>\n<groupId>com.amazonaws</groupId>\n<artifactId>aws-java-sdk-s3</artifactId>\n\
                   <version>1.11.100</version>\n</dependency>\n";
        assert_eq!(old(Manifest::Pom, pom), 1);
        assert_eq!(old(Manifest::Gradle, "implementation 'com.amazonaws:aws-java-sdk:1.11.100'\n"), 1);
        assert_eq!(
            old(Manifest::NuGet, "<PackageReference Include=\"AWSSDK.Core\" Version=\"3.3.21\" />\n"),
            1
        );
        assert_eq!(old(Manifest::Composer, "\"aws/aws-sdk-php\": \"3.100.0\"\n"), 1);
    }
}
