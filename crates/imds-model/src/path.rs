//! A path of the service, validated and normalised.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Longest path that is accepted, in bytes. Tag keys are the longest documented segments (255
/// bytes, EC2 User Guide "Tag your resources"); this leaves room for every one of them.
const MAX_LENGTH: usize = 4096;

/// An absolute path of the service, such as `/latest/meta-data/instance-id`, ready to stand in a
/// request line.
///
/// The short forms that people type mean one path each:
///
/// | written | means |
/// |---|---|
/// | `/2021-03-23/meta-data/mac` | itself: a leading `/` is absolute |
/// | `latest/user-data`, `1.0/meta-data/mac` | with `/` in front: the first segment is a version |
/// | `meta-data/mac`, `dynamic/...`, `user-data` | under `/latest/` |
/// | `instance-id`, `placement/region` | under `/latest/meta-data/` |
///
/// Characters that may not stand in a URI are percent-encoded; an existing `%41` is kept. A
/// trailing `/` is kept.
///
/// # Example
/// ```
/// use imds_model::MetadataPath;
///
/// let path: MetadataPath = "tags/instance/Cost Centre".parse()?;
/// assert_eq!(path.as_str(), "/latest/meta-data/tags/instance/Cost%20Centre");
/// # Ok::<(), imds_model::PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetadataPath(Cow<'static, str>);

/// Why a text is no path of the service. Its `Display` names the text and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    input: String,
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Empty,
    TooLong,
    Control,
    Dots,
    Authority,
    Query,
    Percent,
}

impl PathError {
    /// The text that was refused.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Control characters and very long input must not reach a terminal or a log as they are.
        let shown: String = self.input.chars().take(80).flat_map(char::escape_debug).collect();
        let ellipsis = if self.input.chars().count() > 80 { "..." } else { "" };
        write!(f, "path `{shown}{ellipsis}` ")?;
        match self.reason {
            Reason::Empty => f.write_str("is empty"),
            Reason::TooLong => write!(f, "is longer than {MAX_LENGTH} bytes"),
            Reason::Control => f.write_str("holds a control character"),
            Reason::Dots => f.write_str("holds a `.` or `..` segment"),
            Reason::Authority => f.write_str("names a host; only the path belongs here"),
            Reason::Query => {
                f.write_str("holds `?` or `#`, which the service does not know; write `%3F` or `%23`")
            }
            Reason::Percent => {
                f.write_str("holds a `%` that is not followed by two hexadecimal digits; write `%25`")
            }
        }
    }
}

impl std::error::Error for PathError {}

impl MetadataPath {
    /// A path that is known to be valid when the program is written: absolute and free of anything
    /// to encode.
    ///
    /// # Panics
    /// At compile time in a `const`, where the text is not such a path.
    #[must_use]
    pub const fn from_static(path: &'static str) -> Self {
        let bytes = path.as_bytes();
        assert!(!bytes.is_empty() && bytes[0] == b'/', "a static path begins with `/`");
        let mut i = 0;
        while i < bytes.len() {
            assert!(stands_as_it_is(bytes[i]), "a static path holds nothing that needs encoding");
            i += 1;
        }
        Self(Cow::Borrowed(path))
    }

    /// The absolute, percent-encoded path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first segment: `latest` or a dated version; empty for `/`.
    #[must_use]
    pub fn version(&self) -> &str {
        self.0[1..].split('/').next().unwrap_or_default()
    }

    /// Whether the path is written as a directory, with a trailing `/`.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.0.ends_with('/')
    }

    /// The path of an entry of this directory, whose name is encoded as a single run of segments.
    ///
    /// # Errors
    /// As for parsing, where the name cannot stand in a path.
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        let separator = if self.is_directory() { "" } else { "/" };
        format!("{self}{separator}{}", name.trim_start_matches('/')).parse()
    }
}

impl MetadataPath {
    /// Returns the path of an entry that a listing of this directory names, every character of the
    /// name taken as it is. A `/` in a name, as in the tag key `kubernetes.io/role`, stays a `/`,
    /// so that the path is the one that a person types; one at the end says that the entry is a
    /// directory. A control character is percent-encoded, so that one odd name does not cost the
    /// rest of a directory.
    ///
    /// # Errors
    /// Returns an error if no entry can have the name: it is empty, or has an empty, `.` or `..`
    /// segment.
    pub fn child(&self, name: &str) -> Result<Self, PathError> {
        let refuse = |reason| Err(PathError { input: name.to_owned(), reason });
        let (inner, slash) = name.strip_suffix('/').map_or((name, ""), |inner| (inner, "/"));
        if inner.split('/').any(str::is_empty) {
            return refuse(Reason::Empty);
        }
        if inner.split('/').any(|segment| segment == "." || segment == "..") {
            return refuse(Reason::Dots);
        }
        if self.0.len() + 3 * name.len() > MAX_LENGTH {
            return refuse(Reason::TooLong);
        }
        let mut path = String::with_capacity(self.0.len() + name.len() + 2);
        path.push_str(&self.0);
        if !self.is_directory() {
            path.push('/');
        }
        for &byte in inner.as_bytes() {
            encode_byte(&mut path, byte, stands_as_it_is(byte));
        }
        path.push_str(slash);
        Ok(Self(Cow::Owned(path)))
    }

    /// What stands below the schema version, percent-decoded for people:
    /// `meta-data/tags/instance/Größe`.
    #[must_use]
    pub fn below_version(&self) -> Cow<'_, str> {
        let below = self.0[1..].split_once('/').map_or("", |(_, below)| below);
        if !below.contains('%') {
            return Cow::Borrowed(below);
        }
        let mut decoded = Vec::with_capacity(below.len());
        let mut rest = below.as_bytes();
        while let [first, more @ ..] = rest {
            // A path that was parsed holds `%` in front of two hexadecimal digits only.
            let byte = (*first == b'%').then(|| std::str::from_utf8(more.get(..2)?).ok()).flatten();
            match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(byte) => {
                    decoded.push(byte);
                    rest = more.get(2..).unwrap_or_default();
                }
                None => {
                    decoded.push(*first);
                    rest = more;
                }
            }
        }
        // An escape sequence that is no text stays as it was written.
        String::from_utf8(decoded).map_or(Cow::Borrowed(below), Cow::Owned)
    }
}

impl fmt::Display for MetadataPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for MetadataPath {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl TryFrom<&str> for MetadataPath {
    type Error = PathError;
    fn try_from(text: &str) -> Result<Self, PathError> {
        text.parse()
    }
}

impl TryFrom<String> for MetadataPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl TryFrom<&String> for MetadataPath {
    type Error = PathError;
    fn try_from(text: &String) -> Result<Self, PathError> {
        text.parse()
    }
}

impl TryFrom<Cow<'_, str>> for MetadataPath {
    type Error = PathError;
    fn try_from(text: Cow<'_, str>) -> Result<Self, PathError> {
        text.parse()
    }
}

impl TryFrom<&MetadataPath> for MetadataPath {
    type Error = PathError;
    fn try_from(path: &MetadataPath) -> Result<Self, PathError> {
        Ok(path.clone())
    }
}

impl From<std::convert::Infallible> for PathError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl FromStr for MetadataPath {
    type Err = PathError;

    fn from_str(input: &str) -> Result<Self, PathError> {
        let refuse = |reason| Err(PathError { input: input.to_owned(), reason });
        if input.is_empty() {
            return refuse(Reason::Empty);
        }
        if input.len() > MAX_LENGTH {
            return refuse(Reason::TooLong);
        }
        if input.chars().any(char::is_control) {
            return refuse(Reason::Control);
        }
        if input.contains("://") || input.starts_with("//") {
            return refuse(Reason::Authority);
        }
        if input.contains(['?', '#']) {
            return refuse(Reason::Query);
        }
        if input.split('/').any(is_dots) {
            return refuse(Reason::Dots);
        }
        let mut path = String::with_capacity(input.len() + 18);
        path.push_str(prefix_of(input));
        match encode_into(&mut path, input) {
            Ok(()) => Ok(Self(Cow::Owned(path))),
            Err(reason) => refuse(reason),
        }
    }
}

/// What stands in front of a path that was written short.
fn prefix_of(input: &str) -> &'static str {
    if input.starts_with('/') {
        return "";
    }
    match input.split('/').next().unwrap_or_default() {
        first if is_version(first) => "/",
        "meta-data" | "dynamic" | "user-data" => "/latest/",
        _ => "/latest/meta-data/",
    }
}

/// `latest`, `1.0` or a date such as `2021-03-23`.
fn is_version(segment: &str) -> bool {
    segment == "latest" || segment == "1.0" || is_date(segment.as_bytes())
}

fn is_date(segment: &[u8]) -> bool {
    segment.len() == 10
        && segment.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// `.` or `..`, also with their dots percent-encoded, which a server would undo.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

/// Unreserved characters, sub-delimiters, `:`, `@` and `/` (RFC 3986, `pchar` and the path
/// separator).
const fn stands_as_it_is(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
                | b':'
                | b'@'
                | b'/'
        )
}

fn encode_into(path: &mut String, input: &str) -> Result<(), Reason> {
    let bytes = input.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'%' {
            let escaped = bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
            if !escaped {
                return Err(Reason::Percent);
            }
            path.push('%');
        } else {
            encode_byte(path, byte, stands_as_it_is(byte));
        }
    }
    Ok(())
}

fn encode_byte(path: &mut String, byte: u8, as_it_is: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if as_it_is {
        path.push(char::from(byte));
    } else {
        path.push('%');
        path.push(char::from(HEX[usize::from(byte >> 4)]));
        path.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_forms_mean_one_path() {
        for written in [
            "instance-id",
            "meta-data/instance-id",
            "latest/meta-data/instance-id",
            "/latest/meta-data/instance-id",
        ] {
            assert_eq!(written.parse::<MetadataPath>().unwrap().as_str(), "/latest/meta-data/instance-id");
        }
        for (written, meant) in [
            ("user-data", "/latest/user-data"),
            ("dynamic/instance-identity/document", "/latest/dynamic/instance-identity/document"),
            ("1.0/meta-data/mac", "/1.0/meta-data/mac"),
            ("2021-03-23/meta-data/mac", "/2021-03-23/meta-data/mac"),
            ("/2021-03-23/", "/2021-03-23/"),
            ("/", "/"),
            ("meta-data/", "/latest/meta-data/"),
            ("placement/region", "/latest/meta-data/placement/region"),
            ("tags/instance/My Tag", "/latest/meta-data/tags/instance/My%20Tag"),
            ("tags/instance/Größe", "/latest/meta-data/tags/instance/Gr%C3%B6%C3%9Fe"),
            ("tags/instance/a%20b", "/latest/meta-data/tags/instance/a%20b"),
            ("public-keys/0=my-key", "/latest/meta-data/public-keys/0=my-key"),
            (
                "network/interfaces/macs/02:29:96:8f:6a:2d/",
                "/latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/",
            ),
            ("/latest/meta-data//mac", "/latest/meta-data//mac"),
        ] {
            assert_eq!(written.parse::<MetadataPath>().unwrap().as_str(), meant);
        }
    }

    #[test]
    fn refusals_name_the_input_and_the_rule() {
        for (written, message) in [
            ("", "path `` is empty"),
            ("../x", "path `../x` holds a `.` or `..` segment"),
            ("/latest/%2e%2E/x", "path `/latest/%2e%2E/x` holds a `.` or `..` segment"),
            ("a\nb", "path `a\\nb` holds a control character"),
            ("http://h/latest", "path `http://h/latest` names a host; only the path belongs here"),
            ("//h/latest", "path `//h/latest` names a host; only the path belongs here"),
            ("a?b", "path `a?b` holds `?` or `#`, which the service does not know; write `%3F` or `%23`"),
            ("50%", "path `50%` holds a `%` that is not followed by two hexadecimal digits; write `%25`"),
        ] {
            assert_eq!(written.parse::<MetadataPath>().unwrap_err().to_string(), message);
        }
        let long = "x".repeat(5000);
        let error = long.parse::<MetadataPath>().unwrap_err();
        assert_eq!(error.to_string(), format!("path `{}...` is longer than 4096 bytes", "x".repeat(80)));
        assert_eq!(error.input(), long);
    }

    #[test]
    fn parts() {
        let path: MetadataPath = "/2021-03-23/meta-data/".parse().unwrap();
        assert_eq!((path.version(), path.is_directory()), ("2021-03-23", true));
        assert_eq!(path.join("mac").unwrap().as_str(), "/2021-03-23/meta-data/mac");
        assert_eq!(
            MetadataPath::from_static("/latest").join("user-data").unwrap().as_str(),
            "/latest/user-data"
        );
    }

    #[test]
    fn a_child_takes_the_name_as_it_is() {
        let tags = MetadataPath::from_static("/latest/meta-data/tags/instance");
        for (name, path, below) in [
            ("Name", "/latest/meta-data/tags/instance/Name", "meta-data/tags/instance/Name"),
            ("50%41?#", "/latest/meta-data/tags/instance/50%2541%3F%23", "meta-data/tags/instance/50%41?#"),
            ("a/b/", "/latest/meta-data/tags/instance/a/b/", "meta-data/tags/instance/a/b/"),
            ("Größe", "/latest/meta-data/tags/instance/Gr%C3%B6%C3%9Fe", "meta-data/tags/instance/Größe"),
            ("a\tb\u{1b}", "/latest/meta-data/tags/instance/a%09b%1B", "meta-data/tags/instance/a\tb\u{1b}"),
        ] {
            let child = tags.child(name).unwrap();
            assert_eq!((child.as_str(), &*child.below_version()), (path, below));
        }
        for (name, message) in [
            ("", "path `` is empty"),
            ("/", "path `/` is empty"),
            ("..", "path `..` holds a `.` or `..` segment"),
        ] {
            assert_eq!(tags.child(name).unwrap_err().to_string(), message);
        }
        let stray: MetadataPath = "x%FFy".parse().unwrap();
        assert_eq!(stray.below_version(), "meta-data/x%FFy");
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_a_refusal(text in any::<String>()) {
            if let Ok(path) = text.parse::<MetadataPath>() {
                prop_assert!(path.as_str().starts_with('/'));
                prop_assert!(path.as_str().bytes().all(|byte| byte == b'%' || stands_as_it_is(byte)));
                let again: MetadataPath = path.as_str().parse().unwrap();
                prop_assert_eq!(path, again);
            }
        }
    }
}
