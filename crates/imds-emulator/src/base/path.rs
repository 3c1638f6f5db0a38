//! Paths that a user writes: of values that are set, of a snapshot's leaves.

use std::fmt;

use super::limits::{PATH_BYTES, PATH_SEGMENTS, SEGMENT_BYTES};

/// The trees below a version.
const METADATA: &str = "meta-data";
const DYNAMIC: &str = "dynamic";
const USER_DATA: &str = "user-data";

/// The path of a value below a schema version, checked: `meta-data/placement/region`, `user-data`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValuePath(Box<str>);

impl ValuePath {
    /// Reads a path. `/latest/` in front may be left out, and so may `meta-data/` where no other
    /// tree is named: `placement/region`.
    ///
    /// # Errors
    /// Returns an error if no value can be at the path: says why, and what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{}` is not the path of a value: {why}", shortened(text)));
        if text.len() > PATH_BYTES {
            return wrong(&format!("it is longer than {PATH_BYTES} bytes"));
        }
        let mut segments: Vec<&str> = text.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.first() == Some(&"latest") {
            segments.remove(0);
        }
        match segments.as_slice() {
            [] => return wrong("it is empty; write one such as `placement/region`"),
            [METADATA | DYNAMIC] => return wrong("it is a whole tree; name a value in it"),
            [USER_DATA, _, ..] => return wrong("user data has nothing below it"),
            [first, ..] if is_version(first) => {
                return wrong("it begins with a version; only `/latest` may stand in front");
            }
            [METADATA | DYNAMIC | USER_DATA, ..] => {}
            _ => segments.insert(0, METADATA),
        }
        if segments.len() > PATH_SEGMENTS {
            return wrong(&format!("it has more than {PATH_SEGMENTS} segments"));
        }
        for segment in &segments {
            if matches!(*segment, "." | "..") {
                return wrong("`.` and `..` are not names");
            }
            if segment.chars().any(char::is_control) {
                return wrong("it has a control character");
            }
            if segment.len() > SEGMENT_BYTES {
                return wrong(&format!("a segment is longer than {SEGMENT_BYTES} bytes"));
            }
        }
        Ok(Self(segments.join("/").into()))
    }

    /// The path below a version, without a slash at either end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sorts before every path below this one, and after this one.
    pub(crate) fn first_below(&self) -> Self {
        Self(format!("{}/", self.0).into())
    }

    /// Whether `other` lies below this path.
    pub(crate) fn holds(&self, other: &Self) -> bool {
        other.0.strip_prefix(&*self.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `1.0` or a date.
fn is_version(segment: &str) -> bool {
    let shape = b"0000-00-00";
    let date = segment.len() == shape.len()
        && segment.bytes().zip(shape).all(|(byte, expected)| match expected {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        });
    segment == "1.0" || date
}

/// A text for a message: escaped, and cut where it is long.
pub(crate) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_and_short_spellings() {
        for text in
            ["instance-id", "/latest/meta-data/instance-id", "meta-data/instance-id/", "//instance-id"]
        {
            assert_eq!(ValuePath::parse(text).unwrap().as_str(), "meta-data/instance-id");
        }
        assert_eq!(ValuePath::parse("/latest/user-data").unwrap().as_str(), "user-data");
        assert_eq!(ValuePath::parse("dynamic/x").unwrap().as_str(), "dynamic/x");
    }

    #[test]
    fn what_no_value_can_be_at() {
        let deep = "a/".repeat(100_000);
        let many = "a/".repeat(PATH_SEGMENTS);
        let long = "a".repeat(256);
        for (text, why) in [
            ("", "it is empty; write one such as `placement/region`"),
            ("/", "it is empty; write one such as `placement/region`"),
            ("/latest/", "it is empty; write one such as `placement/region`"),
            ("meta-data", "it is a whole tree; name a value in it"),
            ("/latest/dynamic/", "it is a whole tree; name a value in it"),
            ("user-data/x", "user data has nothing below it"),
            ("/2021-03-23/meta-data/x", "it begins with a version; only `/latest` may stand in front"),
            ("1.0/meta-data/x", "it begins with a version; only `/latest` may stand in front"),
            ("..", "`.` and `..` are not names"),
            ("a/../b", "`.` and `..` are not names"),
            ("a/./b", "`.` and `..` are not names"),
            ("a\0b", "it has a control character"),
            ("a/\u{1b}[2J", "it has a control character"),
            (&deep, "it is longer than 1024 bytes"),
            (&many, "it has more than 16 segments"),
            (&long, "a segment is longer than 255 bytes"),
        ] {
            let message = format!("`{}` is not the path of a value: {why}", shortened(text));
            assert_eq!(ValuePath::parse(text), Err(message));
        }
    }

    proptest! {
        #[test]
        fn a_path_reads_as_itself(text in any::<String>()) {
            if let Ok(path) = ValuePath::parse(&text) {
                prop_assert_eq!(ValuePath::parse(path.as_str()), Ok(path));
            }
        }
    }
}
