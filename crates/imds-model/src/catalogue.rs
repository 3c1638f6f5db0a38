//! What the service is known to hold: one [`Category`] for each path, with the form of its value
//! and when it is there.
//!
//! The enum and its table are written by `cargo xtask generate` from `model/`. The table is a
//! static, so that it costs nothing at start-up.

#[rustfmt::skip]
mod table;

use crate::MetadataPath;
use std::fmt;

pub use table::{CATALOGUE, Category};

/// Declares an enum whose variants have one spelling each in the model.
macro_rules! spelled {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// The spelling of the model.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

spelled! {
    /// How the bytes of a value are to be read.
    Format {
        /// One value in UTF-8.
        Text = "text",
        /// One whole number in decimal digits.
        Integer = "integer",
        /// Values, one per line.
        Lines = "lines",
        /// Names of entries below the path, one per line.
        Directory = "directory",
        /// One JSON value.
        Json = "json",
        /// Bytes without a meaning that the service knows.
        Opaque = "opaque",
    }
}

spelled! {
    /// Whether every instance has a category.
    Presence {
        /// Every instance has it.
        Always = "always",
        /// Only an instance that meets a condition has it: [`Category::requires`].
        Conditional = "conditional",
        /// The platform no longer fills it on new instances.
        Retired = "retired",
    }
}

spelled! {
    /// When the value of a category may change.
    Mutability {
        /// Never after launch.
        Launch = "launch",
        /// When the instance is stopped and started.
        Start = "start",
        /// At any time.
        Running = "running",
    }
}

/// What is known of a category.
#[derive(Debug)]
pub(crate) struct Facts {
    path: &'static str,
    directory: Option<Category>,
    operation: &'static str,
    format: Format,
    since: Option<&'static str>,
    presence: Presence,
    requires: Option<&'static str>,
    mutability: Mutability,
    secret: bool,
    snowball: bool,
    documented: bool,
    summary: &'static str,
    example: &'static str,
}

/// Declares the accessors of [`Category`], one for each fact.
macro_rules! accessors {
    ($($(#[$meta:meta])* $name:ident: $type:ty),+ $(,)?) => {
        impl Category {
            $($(#[$meta])*
            #[must_use]
            pub const fn $name(self) -> $type {
                table::FACTS[self as usize].$name
            })+
        }
    };
}

accessors! {
    /// The path below a schema version, such as `meta-data/public-keys/<index>/openssh-key`; a
    /// directory ends in `/`.
    path: &'static str,
    /// The directory that lists it; `None` for the top of a tree.
    directory: Option<Category>,
    /// The operation of the model that reads it.
    operation: &'static str,
    /// How its bytes are to be read.
    format: Format,
    /// Schema version that shows it first; `None` if no public source says.
    since: Option<&'static str>,
    /// Whether every instance has it.
    presence: Presence,
    /// What an instance needs in order to have it, if that is a condition.
    requires: Option<&'static str>,
    /// When the value may change.
    mutability: Mutability,
    /// Whether the value must be kept out of dumps, messages and logs.
    secret: bool,
    /// Whether a Snowball Edge device has it.
    snowball: bool,
    /// Whether the EC2 User Guide lists it.
    documented: bool,
    /// What it is, in a sentence or two.
    summary: &'static str,
    /// The body of an answer, as an instance might give it.
    example: &'static str,
}

impl Category {
    /// Whether the path holds names of further entries.
    #[must_use]
    pub fn is_directory(self) -> bool {
        self.format() == Format::Directory
    }

    /// Whether the path stands for a family, with a label in it.
    #[must_use]
    pub fn has_labels(self) -> bool {
        self.path().contains('<')
    }

    /// The oldest schema version that shows it: the one that brought it or, if no public source
    /// says, the one that brought its directory.
    #[must_use]
    pub fn shown_since(self) -> &'static str {
        match (self.since(), self.directory()) {
            (Some(since), _) => since,
            (None, Some(directory)) => directory.shown_since(),
            (None, None) => "1.0",
        }
    }

    /// Whether a schema version shows the category; `latest` shows every one.
    #[must_use]
    pub fn is_shown_by(self, version: &str) -> bool {
        // `1.0`, the dates and `latest` sort as text in the order of their age.
        self.shown_since() <= version
    }

    /// The labels of a concrete path below a schema version, where it is one of this category.
    fn matches(self, path: &str) -> Option<Labels<'_>> {
        let mut labels = Vec::new();
        let mut concrete = segments(path);
        for pattern in segments(self.path()) {
            let segment = concrete.next()?;
            match pattern.strip_prefix('<').and_then(|name| name.strip_suffix('>')) {
                Some(name) => labels.push((name, segment)),
                None if pattern == segment => {}
                None => return None,
            }
        }
        if concrete.next().is_some() { None } else { Some(labels) }
    }
}

/// The labels of a path, by name, as they stand in it.
type Labels<'a> = Vec<(&'static str, &'a str)>;

/// A path's category, and what stands for the category's labels in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The category.
    pub category: Category,
    /// Name and text of each label, in the order of the path; percent-encoded as the path is.
    pub labels: Labels<'a>,
}

/// The category of a path, if there is one. The schema version, a trailing `/` and doubled `/` make
/// no difference.
///
/// # Example
/// ```
/// use imds_model::{MetadataPath, catalogue};
///
/// let path: MetadataPath = "network/interfaces/macs/02:29:96:8f:6a:2d/device-number".parse()?;
/// let found = catalogue::find(&path).expect("a known path");
/// assert_eq!(found.category.path(), "meta-data/network/interfaces/macs/<mac>/device-number");
/// assert_eq!(found.labels, [("mac", "02:29:96:8f:6a:2d")]);
/// # Ok::<(), imds_model::PathError>(())
/// ```
#[must_use]
pub fn find(path: &MetadataPath) -> Option<Match<'_>> {
    let relative = path.as_str()[1..].split_once('/').map_or("", |(_, rest)| rest);
    CATALOGUE
        .iter()
        .filter_map(|category| {
            let labels = category.matches(relative)?;
            Some(Match { category: *category, labels })
        })
        // A literal name, such as `block-device-mapping/ami`, before a family that would hold it.
        .min_by_key(|found| found.labels.len())
}

/// Whether a path is a directory as far as can be told without asking: the versions, the trees
/// below a version, what the catalogue calls a directory, and whatever is written with a trailing
/// `/` and is no known leaf.
#[must_use]
pub fn is_directory(path: &MetadataPath) -> bool {
    match segments(path.as_str()).count() {
        0 => true,
        1 => true,
        _ => find(path).map_or(path.is_directory(), |found| found.category.is_directory()),
    }
}

/// The categories that a pinned schema version hides, in the order of the catalogue.
pub fn hidden_by(version: &str) -> impl Iterator<Item = Category> {
    CATALOGUE.iter().copied().filter(move |category| !category.is_shown_by(version))
}

/// The segments of a path, without the empty ones that doubled and trailing slashes make.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category_of(path: &str) -> Option<&'static str> {
        find(&path.parse().unwrap()).map(|found| found.category.path())
    }

    #[test]
    fn sorted_and_distinct() {
        assert!(CATALOGUE.windows(2).all(|pair| pair[0].path() < pair[1].path()));
        assert!(CATALOGUE.len() > 100);
    }

    #[test]
    fn a_path_finds_its_category() {
        for (path, category) in [
            ("ami-id", "meta-data/ami-id"),
            ("/2021-03-23/meta-data/ami-id", "meta-data/ami-id"),
            ("/latest/meta-data//ami-id/", "meta-data/ami-id"),
            ("user-data", "user-data"),
            ("meta-data", "meta-data/"),
            ("meta-data/", "meta-data/"),
            ("block-device-mapping/ami", "meta-data/block-device-mapping/ami"),
            ("block-device-mapping/ebs12", "meta-data/block-device-mapping/<virtual-name>"),
            ("tags/instance/", "meta-data/tags/instance/"),
            ("tags/instance/Name", "meta-data/tags/instance/<key>"),
            ("dynamic/instance-identity/document", "dynamic/instance-identity/document"),
            ("iam/security-credentials/web", "meta-data/iam/security-credentials/<role-name>"),
            ("public-keys/0/", "meta-data/public-keys/<index>/"),
        ] {
            assert_eq!(category_of(path), Some(category), "{path}");
        }
        assert_eq!(category_of("no-such-thing"), None);
        assert_eq!(category_of("ami-id/more"), None);
        assert_eq!(category_of("/"), None);
    }

    #[test]
    fn labels_are_given_by_name() {
        let path =
            "network/interfaces/macs/02:aa:00:00:00:01/ipv4-associations/203.0.113.25".parse().unwrap();
        let labels = find(&path).unwrap().labels;
        assert_eq!(labels, [("mac", "02:aa:00:00:00:01"), ("public-ip", "203.0.113.25")]);
    }

    #[test]
    fn what_is_a_directory() {
        for path in [
            "/",
            "/latest",
            "/2021-03-23/",
            "meta-data",
            "placement",
            "network/interfaces/macs/02:00/",
            "new/",
        ] {
            assert!(is_directory(&path.parse().unwrap()), "{path}");
        }
        for path in ["user-data", "ami-id", "ami-id/", "security-groups", "new"] {
            assert!(!is_directory(&path.parse().unwrap()), "{path}");
        }
    }

    #[test]
    fn secrets_are_known() {
        let secret: Vec<_> =
            CATALOGUE.iter().filter(|category| category.secret()).map(|category| category.path()).collect();
        assert_eq!(
            secret,
            [
                "dynamic/instance-identity/dsa2048",
                "dynamic/instance-identity/pkcs7",
                "dynamic/instance-identity/rsa2048",
                "dynamic/instance-identity/signature",
                "meta-data/iam/security-credentials-extended/<role-name>",
                "meta-data/iam/security-credentials/<role-name>",
                "meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
                "user-data",
            ]
        );
    }

    #[test]
    fn a_pin_hides_what_came_later() {
        let hidden: Vec<_> = hidden_by("2021-03-23").map(|category| category.path()).collect();
        assert_eq!(
            hidden,
            ["meta-data/autoscaling/", "meta-data/autoscaling/target-lifecycle-state", "meta-data/system",]
        );
        assert_eq!(hidden_by("latest").count(), 0);
        assert!(hidden_by("1.0").any(|category| category.path() == "meta-data/instance-type"));
        assert!(!hidden_by("1.0").any(|category| category.path() == "meta-data/ami-id"));
    }

    #[test]
    fn a_category_lies_in_its_directory_and_is_not_older() {
        for category in CATALOGUE.iter().copied() {
            let Some(directory) = category.directory() else { continue };
            assert!(directory.is_directory() && category.path().starts_with(directory.path()));
            assert!(directory.shown_since() <= category.shown_since(), "{}", category.path());
        }
        let of = |path: &str| find(&path.parse().unwrap()).unwrap().category.shown_since();
        // The EC2 User Guide dates it 2007-01-19, four years before the directory that it lies in.
        assert_eq!(of("network/interfaces/macs/02:29:96:8f:6a:2d/local-hostname"), "2011-01-01");
        // No public source dates them: they are as old as their directory.
        assert_eq!(of("network/interfaces/macs/02:29:96:8f:6a:2d/ipv4-prefix"), "2011-01-01");
        assert_eq!(of("iam/security-credentials-extended/my-role"), "2012-01-12");
        assert_eq!(of("hibernation/configured"), "1.0");
    }

    #[test]
    fn every_category_says_what_it_is() {
        for category in CATALOGUE {
            assert!(category.summary().ends_with(['.', ')']), "{}", category.path());
            assert!(!category.example().is_empty(), "{}", category.path());
            assert_eq!(
                category.requires().is_some(),
                category.presence() == Presence::Conditional,
                "{}",
                category.path()
            );
            assert_eq!(category.path().ends_with('/'), category.is_directory(), "{}", category.path());
        }
    }
}
