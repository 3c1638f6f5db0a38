//! The one rule for text that somebody else wrote: values and names of the service, of files and of
//! AWS APIs.
//!
//! Everything that is not the value asked for by name is escaped before it reaches a terminal or a
//! message. Otherwise a name could move the cursor, erase a line, or paint a result that no program
//! printed. Use [`escape`] for a name in a table, [`brief`] for a name in an error,
//! [`escape_lines`] for text whose line ends are ours, and [`escape_json`] for a JSON document.
//!
//! A backslash is left as it is: what is shown is safe to look at, and is not meant to be read
//! back.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest name, in characters, that [`brief`] shows in full.
pub const LONGEST_NAME: usize = 120;
/// Characters of a longer name that [`brief`] keeps.
const KEPT: usize = 80;

/// Returns whether a terminal could act on this character, or hide or reorder text because of it.
///
/// These are the controls (C0, DEL, C1), the line and paragraph separators, the bidirectional
/// controls, and everything else that has no glyph: the Unicode category `Cf` and the property
/// `Default_Ignorable_Code_Point` (Unicode 16, `DerivedCoreProperties.txt`). Variation selectors
/// (U+FE00 to U+FE0F) are allowed, since they only choose a glyph and are part of most emoji.
#[must_use]
pub fn needs_escape(character: char) -> bool {
    matches!(
        u32::from(character),
        0x00..=0x1f
            | 0x7f..=0x9f
            | 0xad
            | 0x034f
            | 0x0600..=0x0605
            | 0x061c
            | 0x06dd
            | 0x070f
            | 0x0890..=0x0891
            | 0x08e2
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x2028..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfffb
            | 0x1_10bd
            | 0x1_10cd
            | 0x1_3430..=0x1_343f
            | 0x1_bca0..=0x1_bca3
            | 0x1_d173..=0x1_d17a
            | 0xe_0000..=0xe_0fff
    )
}

/// Returns the text on one line, each character that [`needs_escape`] written as `\n`, `\r`, `\t`
/// or `\u{1b}`.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_if(text, needs_escape, push_escape)
}

/// Returns the text escaped as by [`escape`], but with its line feeds kept.
#[must_use]
pub fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_if(text, |character| character != '\n' && needs_escape(character), push_escape)
}

/// Returns bytes as escaped text on one line; bytes that are not UTF-8 are written as `\xff`.
#[must_use]
pub fn escape_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return escape(text);
    }
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&escape(chunk.valid()));
        for byte in chunk.invalid() {
            // Writing to a `String` does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    Cow::Owned(shown)
}

/// Returns a JSON document that means the same and holds no character that [`needs_escape`] but
/// line feeds. The document's strings must already be escaped as JSON demands.
#[must_use]
pub fn escape_json(document: &str) -> Cow<'_, str> {
    escape_if(
        document,
        |character| character != '\n' && needs_escape(character),
        |shown, character| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        },
    )
}

/// Returns a name for a message: escaped as by [`escape`], and cut where it is longer than
/// [`LONGEST_NAME`], with its length behind.
#[must_use]
pub fn brief(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME {
        return escape(name);
    }
    let length = name.chars().count();
    if length <= LONGEST_NAME {
        return escape(name);
    }
    let end = name.char_indices().nth(KEPT).map_or(name.len(), |(at, _)| at);
    Cow::Owned(format!("{}... ({length} characters)", escape(&name[..end])))
}

fn escape_if(text: &str, chosen: impl Fn(char) -> bool, push: impl Fn(&mut String, char)) -> Cow<'_, str> {
    let Some(first) = text.find(&chosen) else { return Cow::Borrowed(text) };
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(&text[..first]);
    for character in text[first..].chars() {
        if chosen(character) {
            push(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn push_escape(shown: &mut String, character: char) {
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other => shown.extend(other.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_terminal_would_act_on_is_escaped() {
        for (text, shown) in [
            ("", ""),
            ("eu-west-1", "eu-west-1"),
            ("Größe 日本 ❤\u{fe0f} a\\b", "Größe 日本 ❤\u{fe0f} a\\b"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("abc\u{202e}fdp.exe\u{2069}", "abc\\u{202e}fdp.exe\\u{2069}"),
            ("pay\u{200b}pal\u{feff}\u{ad}", "pay\\u{200b}pal\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}\u{61c}\u{e0041}", "\\u{2028}\\u{2029}\\u{61c}\\u{e0041}"),
        ] {
            assert_eq!(escape(text), shown);
        }
        assert_eq!(escape_lines("a\nb\rc"), "a\nb\\rc");
        assert_eq!(escape_bytes(b"a\xffb\n\xe2\x80"), "a\\xffb\\n\\xe2\\x80");
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(brief("short\n"), "short\\n");
        assert_eq!(brief(&"x".repeat(120)), "x".repeat(120));
        assert_eq!(brief(&"ü".repeat(120)), "ü".repeat(120));
        assert_eq!(brief(&"ü".repeat(5000)), format!("{}... (5000 characters)", "ü".repeat(80)));
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            for shown in [escape(&text), escape_bytes(&bytes), brief(&text)] {
                prop_assert!(!shown.chars().any(needs_escape), "{:?}", shown);
            }
            prop_assert!(!escape_lines(&text).chars().any(|c| c != '\n' && needs_escape(c)));
        }

        #[test]
        fn safe_text_stays_as_it_is(text in "[ -~äöü日本\\\\]{0,100}") {
            prop_assert!(matches!(escape(&text), Cow::Borrowed(same) if same == text));
        }

        #[test]
        fn every_control_is_unsafe(code in prop_oneof![0u32..=0x9f, 0x2000u32..=0x206f]) {
            if let Some(character) = char::from_u32(code) && character.is_control() {
                prop_assert!(needs_escape(character));
            }
        }
    }
}
