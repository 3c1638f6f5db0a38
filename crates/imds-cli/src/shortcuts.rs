//! What `imds get` takes beside plain paths: short names, `@primary`, and `*`.

use imds::{Client, ErrorKind, MetadataPath};

use crate::report::Failure;

/// The segment that stands for the MAC address of the primary network interface.
const PRIMARY: &str = "@primary";
/// The segment that stands for every entry of a directory.
const ANY: &str = "*";
/// Most paths that one pattern may stand for.
const MOST_MATCHES: usize = 1_000;

/// A word that people type for a value, instead of its path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) path: &'static str,
    pub(crate) part: Part,
}

/// What of the value at the path is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// This field of a JSON object.
    Field(&'static str),
    /// The first line.
    FirstLine,
}

/// Every short name. None of them is a path of the service.
pub(crate) const NAMES: [Short; 5] = [
    Short {
        name: "account-id",
        meaning: "the account that owns the instance, from the instance identity document",
        path: "dynamic/instance-identity/document",
        part: Part::Field("accountId"),
    },
    Short {
        name: "az",
        meaning: "the Availability Zone",
        path: "placement/availability-zone",
        part: Part::Whole,
    },
    Short { name: "region", meaning: "the Region", path: "placement/region", part: Part::Whole },
    Short {
        name: "role",
        meaning: "the name of the instance's role",
        path: "iam/security-credentials/",
        part: Part::FirstLine,
    },
    Short {
        name: "vpc-id",
        meaning: "the VPC of the primary network interface",
        path: "network/interfaces/macs/@primary/vpc-id",
        part: Part::Whole,
    },
];

/// A word of the command line that stands for one or more paths, checked but not resolved.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// As it was typed.
    pub(crate) written: String,
    /// The path, with `@primary` and `*` in it.
    text: String,
    /// The path, if there is neither in it.
    plain: Option<MetadataPath>,
    pub(crate) part: Part,
}

impl Wanted {
    /// Reads a word of the command line, without a request.
    pub(crate) fn parse(written: &str) -> Result<Self, Failure> {
        let short = NAMES.iter().find(|short| short.name == written);
        let text = short.map_or(written, |short| short.path);
        let part = short.map_or(Part::Whole, |short| short.part);
        // Whatever else is wrong with a pattern is found as if its special segments were names.
        let as_path: MetadataPath = if is_pattern(text) {
            let segments = text.split('/').map(|segment| if is_special(segment) { "x" } else { segment });
            segments.collect::<Vec<_>>().join("/").parse()?
        } else {
            text.parse()?
        };
        let plain = (!is_pattern(text)).then_some(as_path);
        Ok(Self { written: written.to_owned(), text: text.to_owned(), plain, part })
    }

    /// Whether it may stand for any number of values.
    pub(crate) fn is_many(&self) -> bool {
        self.text.split('/').any(|segment| segment == ANY)
    }

    /// Returns the paths that it stands for; asks the service where it is a pattern.
    pub(crate) fn resolve(&self, client: &Client) -> Result<Vec<MetadataPath>, Failure> {
        if let Some(path) = &self.plain {
            return Ok(vec![path.clone()]);
        }
        let mut found: Vec<String> = vec![String::new()];
        for (number, segment) in self.text.split('/').enumerate() {
            let slash = if number == 0 { "" } else { "/" };
            match segment {
                PRIMARY => {
                    let mac = primary(client, found.first().map_or("", String::as_str))?;
                    found.iter_mut().for_each(|path| path.push_str(&format!("{slash}{mac}")));
                }
                ANY => {
                    let mut below = Vec::new();
                    for directory in &found {
                        below.extend(entries(client, directory)?);
                    }
                    if below.len() > MOST_MATCHES {
                        return Err(Failure::usage(format!(
                            "`{}` stands for more than {MOST_MATCHES} paths",
                            imds_model::printable::brief(&self.written)
                        )));
                    }
                    found = below;
                }
                other => found.iter_mut().for_each(|path| path.push_str(&format!("{slash}{other}"))),
            }
        }
        Ok(found.iter().map(|path| path.parse()).collect::<Result<Vec<_>, _>>()?)
    }
}

fn is_special(segment: &str) -> bool {
    segment == PRIMARY || segment == ANY
}

fn is_pattern(text: &str) -> bool {
    text.split('/').any(is_special)
}

/// The MAC address of the primary network interface, in the version of the path before it.
fn primary(client: &Client, before: &str) -> Result<String, Failure> {
    let path: MetadataPath = if before.is_empty() { "mac".parse()? } else { before.parse()? };
    let version = if path.version().is_empty() { "latest" } else { path.version() };
    let mac = client.get(format!("/{version}/meta-data/mac").parse::<MetadataPath>()?)?;
    Ok(mac.text()?.trim().to_owned())
}

/// The paths of what a directory lists, without the slash behind a directory; none where it does
/// not exist.
fn entries(client: &Client, directory: &str) -> Result<Vec<String>, Failure> {
    let directory: MetadataPath = format!("{directory}/").parse()?;
    match client.list(&directory) {
        Ok(entries) => {
            Ok(entries.iter().map(|entry| entry.path.as_str().trim_end_matches('/').to_owned()).collect())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_a_request() {
        for (written, text, many) in [
            ("region", "placement/region", false),
            ("meta-data/region", "meta-data/region", false),
            ("network/interfaces/macs/*/subnet-id", "network/interfaces/macs/*/subnet-id", true),
            ("vpc-id", "network/interfaces/macs/@primary/vpc-id", false),
            // A tag key that holds a star is no pattern.
            ("tags/instance/a*", "tags/instance/a*", false),
        ] {
            let wanted = Wanted::parse(written).unwrap();
            assert_eq!((wanted.text.as_str(), wanted.is_many()), (text, many), "{written}");
        }
        let refused = Wanted::parse("network/../*/x").unwrap_err();
        assert!(matches!(refused, Failure::Imds { .. }), "{refused:?}");
    }

    #[test]
    fn no_short_name_hides_a_path() {
        for short in NAMES {
            let path: MetadataPath = short.name.parse().unwrap();
            assert!(imds_model::catalogue::find(&path).is_none(), "{}", short.name);
        }
    }
}
