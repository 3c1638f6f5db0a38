//! Words for a POSIX shell.

/// The word as the shell reads it back.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (text, quoted) in [
            ("/usr/bin/imds", "/usr/bin/imds"),
            ("", "''"),
            ("/opt/my tools/imds", "'/opt/my tools/imds'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
        ] {
            assert_eq!(word(text), quoted);
        }
    }
}
