//! Values as environment variables: names, and lines that shells and systemd read alike.

use std::collections::BTreeMap;

use imds::MetadataPath;

use crate::exit::Exit;
use crate::report::Failure;

/// The name that a path has by itself: `placement/region` is `PLACEMENT_REGION`.
pub(crate) fn name_of(path: &MetadataPath) -> String {
    let below = path.below_version();
    let short = below.strip_prefix("meta-data/").or_else(|| below.strip_prefix("dynamic/")).unwrap_or(&below);
    let mut name: String = short
        .trim_matches('/')
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}

/// Whether every shell, and systemd, takes this for a variable's name.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// `NAME="value"` with a line end: what `sh`, `bash`, `zsh` and `EnvironmentFile=` of
/// systemd.exec(5) all read as the same value. In double quotes they agree on the backslash before
/// `"`, `\`, `$` and the backquote, and on everything else being itself, line ends too; in single
/// quotes systemd does not know the `'\''` of shells.
pub(crate) fn line(name: &str, path: &MetadataPath, value: &[u8]) -> Result<String, Failure> {
    let value = checked(path, value)?;
    let mut line = format!("{name}=\"");
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            line.push('\\');
        }
        line.push(character);
    }
    line.push_str("\"\n");
    Ok(line)
}

/// The lines of values, each with its name.
///
/// # Errors
/// Returns an error if two paths have one name, or a value cannot be held by a variable.
pub(crate) fn lines<'v>(
    values: impl Iterator<Item = (String, &'v MetadataPath, &'v [u8])>,
) -> Result<String, Failure> {
    let mut lines = String::new();
    let mut named: BTreeMap<String, &MetadataPath> = BTreeMap::new();
    for (name, path, value) in values {
        match named.insert(name.clone(), path) {
            None => lines.push_str(&line(&name, path, value)?),
            Some(other) if other == path => {}
            Some(other) => {
                let message = format!("`{other}` and `{path}` would both be variable `{name}`");
                return Err(Failure::usage(message).hint("`imds env NAME=PATH` names a variable"));
            }
        }
    }
    Ok(lines)
}

/// The value as a text that a variable can hold.
pub(crate) fn checked<'v>(path: &MetadataPath, value: &'v [u8]) -> Result<&'v str, Failure> {
    let refused = |what: &str| {
        Err(Failure::told(Exit::Unexpected, format!("the value of `{path}` {what}"))
            .hint("`imds get` prints its bytes as they are"))
    };
    match std::str::from_utf8(value) {
        Ok(text) if text.contains('\0') => refused("holds NUL, which no environment variable can"),
        Ok(text) => Ok(text),
        Err(_) => refused("is not UTF-8 text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_paths() {
        for (path, name) in [
            ("instance-id", "INSTANCE_ID"),
            ("placement/region", "PLACEMENT_REGION"),
            ("tags/instance/Größe 2", "TAGS_INSTANCE_GR__E_2"),
            ("dynamic/instance-identity/document", "INSTANCE_IDENTITY_DOCUMENT"),
            ("user-data", "USER_DATA"),
            ("meta-data/2nd", "_2ND"),
        ] {
            assert_eq!(name_of(&path.parse().unwrap()), name);
            assert!(is_name(name));
        }
        assert!(!is_name("") && !is_name("a-b") && !is_name("1a"));
    }

    #[test]
    fn what_shells_would_touch_is_escaped() {
        let path = "x".parse().unwrap();
        let line = line("X", &path, b"a\"b\\c$d`e\n'f' !").unwrap();
        assert_eq!(line, "X=\"a\\\"b\\\\c\\$d\\`e\n'f' !\"\n");
        let Failure::Told { message, .. } = super::line("X", &path, b"a\0b").unwrap_err() else { panic!() };
        assert_eq!(
            message,
            "the value of `/latest/meta-data/x` holds NUL, which no environment variable can"
        );
    }
}
