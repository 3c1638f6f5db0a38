//! What stands for a path beside the path itself: short names, `@primary`, and `*`.

use imds::{Client, ErrorKind, MetadataPath, PathError};
use imds_model::printable;
use serde_json::Value;

use crate::exit::Exit;
use crate::render::shell;
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

impl Part {
    /// Returns this part of a value.
    pub(crate) fn of(self, path: &MetadataPath, value: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Whole => Ok(value),
            Self::FirstLine => {
                Ok(value.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii().to_vec())
            }
            Self::Field(field) => {
                let document: Option<Value> = serde_json::from_slice(&value).ok();
                let text = document.as_ref().and_then(|document| document.get(field)?.as_str());
                text.map(|text| text.as_bytes().to_vec()).ok_or_else(|| {
                    Failure::told(Exit::Unexpected, format!("cannot find `{field}` in the value of `{path}`"))
                })
            }
        }
    }
}

/// A word of the command line that stands for one or more paths, checked but not resolved.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// As it was typed.
    pub(crate) written: String,
    /// The path, with `@primary` and `*` in it.
    path: MetadataPath,
    pub(crate) part: Part,
    is_short: bool,
}

/// What a word stands for on this instance.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) paths: Vec<MetadataPath>,
    /// Secrets that only a `*` matches.
    pub(crate) withheld: Vec<MetadataPath>,
}

impl Wanted {
    /// Reads a path or a short name, without a request.
    pub(crate) fn parse(written: &str) -> Result<Self, Failure> {
        match NAMES.iter().find(|short| short.name == written) {
            None => Self::parse_path(written),
            Some(short) => {
                let path = Self::parse_path(short.path)?.path;
                Ok(Self { written: written.to_owned(), path, part: short.part, is_short: true })
            }
        }
    }

    /// Reads a path, without a request.
    pub(crate) fn parse_path(written: &str) -> Result<Self, Failure> {
        let path: MetadataPath = written.parse().map_err(|error| refused(written, error))?;
        if has_patterns(&path) {
            check_segments(written, &path)?;
        }
        Ok(Self { written: written.to_owned(), path, part: Part::Whole, is_short: false })
    }

    /// Whether it may stand for any number of values.
    pub(crate) fn is_many(&self) -> bool {
        self.has(ANY)
    }

    /// The path that names the value in output: the same on every instance, where `@primary` or a
    /// short name stands for it.
    pub(crate) fn naming_path(&self) -> Option<MetadataPath> {
        if self.is_short {
            format!("meta-data/{}", self.written).parse().ok()
        } else if self.has(PRIMARY) && !self.is_many() {
            self.path.as_str().replace(PRIMARY, "primary").parse().ok()
        } else {
            None
        }
    }

    /// Returns the one path that it stands for.
    ///
    /// # Errors
    /// Returns an error if it holds `*`, or if the MAC address cannot be read.
    pub(crate) fn one(&self, client: &Client) -> Result<MetadataPath, Failure> {
        if self.is_many() {
            let shown = printable::brief(&self.written);
            return Err(Failure::usage(format!("cannot use `*` in `{shown}`: this command takes one path"))
                .hint(format!("`imds get {}` reads every match", word(&self.written))));
        }
        let mut paths = self.resolve(client, true)?.paths;
        Ok(paths.pop().unwrap_or_else(|| self.path.clone()))
    }

    /// The path, if it is known without a request.
    pub(crate) fn fixed(&self) -> Option<&MetadataPath> {
        (!self.has(PRIMARY) && !self.is_many()).then_some(&self.path)
    }

    /// Returns the path, for a command that watches one and the same path.
    ///
    /// # Errors
    /// Returns an error if it holds `@primary` or `*`.
    pub(crate) fn plain(&self) -> Result<MetadataPath, Failure> {
        let special = [PRIMARY, ANY].into_iter().find(|special| self.has(special));
        match special {
            None => Ok(self.path.clone()),
            Some(special) => {
                let shown = printable::brief(&self.written);
                Err(Failure::usage(format!("cannot use `{special}` in `{shown}`: write the name itself"))
                    .hint("`imds get mac` prints the MAC address of the primary network interface"))
            }
        }
    }

    /// Returns the paths that it stands for; asks the service where it is a pattern.
    pub(crate) fn resolve(&self, client: &Client, secrets: bool) -> Result<Resolved, Failure> {
        if let Some(path) = self.fixed() {
            return Ok(Resolved { paths: vec![path.clone()], withheld: Vec::new() });
        }
        // Each path, and whether it may have something below it. What is listed as a value has not:
        // it must not be read as a listing.
        let mut found: Vec<(String, bool)> = vec![(String::new(), true)];
        for segment in self.path.as_str().split('/').skip(1) {
            if !segment.is_empty() {
                found.retain(|(_, is_directory)| *is_directory);
            }
            match segment {
                PRIMARY if self.has(PRIMARY) => {
                    let mac = primary(client, self.path.version())?;
                    found.iter_mut().for_each(|(path, _)| path.push_str(&format!("/{mac}")));
                }
                ANY => {
                    let mut below = Vec::new();
                    for (directory, _) in &found {
                        below.extend(entries(client, directory)?);
                    }
                    if below.len() > MOST_MATCHES {
                        return Err(Failure::usage(format!(
                            "`{}` stands for more than {MOST_MATCHES} paths",
                            printable::brief(&self.written)
                        )));
                    }
                    found = below;
                }
                other => found.iter_mut().for_each(|(path, _)| path.push_str(&format!("/{other}"))),
            }
        }
        let paths: Vec<MetadataPath> =
            found.iter().map(|(path, _)| path.parse()).collect::<Result<Vec<_>, _>>()?;
        let (withheld, paths) = paths
            .into_iter()
            .partition(|path| self.is_many() && !secrets && !self.names_secrets() && path.is_secret());
        Ok(Resolved { paths, withheld })
    }

    /// Whether what stands before the first `*` asks for secrets by name.
    fn names_secrets(&self) -> bool {
        let before = self.path.as_str().split('*').next().unwrap_or_default();
        before.contains("/iam/security-credentials") || before.contains("/identity-credentials/")
    }

    fn has(&self, special: &str) -> bool {
        has_patterns(&self.path) && self.path.as_str().split('/').any(|segment| segment == special)
    }
}

/// Whether `@primary` and `*` have a meaning in a path: a tag key may hold both.
fn has_patterns(path: &MetadataPath) -> bool {
    let below = path.below_version();
    below.strip_prefix("meta-data/tags/instance/").is_none_or(|key| key == ANY)
}

/// Refuses what would be asked for as it is written, which is never meant.
fn check_segments(written: &str, path: &MetadataPath) -> Result<(), Failure> {
    let refused =
        |what: String| Err(Failure::usage(format!("cannot read `{}`: {what}", printable::brief(written))));
    let mut before = "";
    for segment in path.as_str().split('/') {
        if segment.contains('*') && segment != ANY {
            return refused("`*` stands for a whole name, not for a part of one".to_owned());
        }
        if segment.starts_with('@') && (before == "macs" || segment == PRIMARY) {
            if segment != PRIMARY {
                return refused(format!("`{}` is not known, only `{PRIMARY}`", printable::brief(segment)));
            }
            if before != "macs" {
                let behind = written.split_once(PRIMARY).map_or("", |(_, behind)| behind);
                let meant = match behind.trim_matches('/') {
                    "" => "mac".to_owned(),
                    rest => word(&format!("network/interfaces/macs/{PRIMARY}/{rest}")),
                };
                return refused(format!(
                    "`{PRIMARY}` stands for a MAC address, behind `network/interfaces/macs/`"
                ))
                .map_err(|failure: Failure| failure.hint(format!("did you mean `imds get {meant}`?")));
            }
        }
        before = segment;
    }
    Ok(())
}

/// The failure of a text that is no path.
fn refused(written: &str, error: PathError) -> Failure {
    let failure = Failure::from(error);
    // An address, as `curl` takes it.
    let path = written.split_once("://").and_then(|(_, behind)| Some(&behind[behind.find('/')?..]));
    match path.filter(|path| path.parse::<MetadataPath>().is_ok()) {
        Some(path) => failure.hint(format!("did you mean `imds get {}`?", word(path))),
        None => failure,
    }
}

fn word(text: &str) -> String {
    shell::word(&printable::brief(text)).to_string()
}

/// The MAC address of the primary network interface, as a version of the service has it.
fn primary(client: &Client, version: &str) -> Result<String, Failure> {
    let version = if version == ANY { "latest" } else { version };
    let mac = client.get(format!("/{version}/meta-data/mac").parse::<MetadataPath>()?)?;
    Ok(mac.text()?.trim().to_owned())
}

/// The paths of what a directory lists, without the slash behind a directory, and whether each is
/// one; none where it does not exist.
fn entries(client: &Client, directory: &str) -> Result<Vec<(String, bool)>, Failure> {
    let directory: MetadataPath = format!("{directory}/").parse()?;
    match client.list(&directory) {
        Ok(entries) => Ok(entries
            .iter()
            .map(|entry| (entry.path.as_str().trim_end_matches('/').to_owned(), entry.is_directory))
            .collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_a_request() {
        for (written, path, many) in [
            ("region", "/latest/meta-data/placement/region", false),
            ("meta-data/region", "/latest/meta-data/region", false),
            ("*", "/latest/meta-data/*", true),
            ("network/interfaces/macs/*/x", "/latest/meta-data/network/interfaces/macs/*/x", true),
            ("vpc-id", "/latest/meta-data/network/interfaces/macs/@primary/vpc-id", false),
            // A tag key that holds a star, or is `@primary`, is no pattern.
            ("tags/instance/a*", "/latest/meta-data/tags/instance/a*", false),
            ("tags/instance/@primary", "/latest/meta-data/tags/instance/@primary", false),
            ("tags/instance/*", "/latest/meta-data/tags/instance/*", true),
        ] {
            let wanted = Wanted::parse(written).unwrap();
            assert_eq!((wanted.path.as_str(), wanted.is_many()), (path, many), "{written}");
        }
        assert!(!Wanted::parse("tags/instance/@primary").unwrap().has(PRIMARY));
        let refused = Wanted::parse("network/../*/x").unwrap_err();
        assert!(matches!(refused, Failure::Imds { .. }), "{refused:?}");
        for word in ["instance-*", "**", "@primary", "@primary/vpc-id", "network/interfaces/macs/@Primary/x"]
        {
            let refused = Wanted::parse(word).unwrap_err();
            assert!(matches!(refused, Failure::Told { exit: Exit::Usage, .. }), "{word}: {refused:?}");
        }
    }

    #[test]
    fn no_short_name_hides_a_path() {
        for short in NAMES {
            let path: MetadataPath = short.name.parse().unwrap();
            assert!(imds_model::catalogue::find(&path).is_none(), "{}", short.name);
        }
    }
}
