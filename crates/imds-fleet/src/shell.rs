//! Words for a shell: commands that are shown are to run as they are copied.

/// A word as a shell reads it back.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_come_back_as_they_were() {
        for (text, word) in
            [("a/b-c", "a/b-c"), ("", "''"), ("two words", "'two words'"), ("it's", "'it'\\''s'")]
        {
            assert_eq!(super::word(text), word);
        }
    }
}
