//! Lines of a file as they may be shown: nothing that moves a cursor, and no session token.

use imds_model::printable;

/// Longest part of a line that is shown, in characters.
const WIDTH: usize = 160;

/// A line with what must not be shown replaced, character by character, so that columns stay.
pub(super) fn shown(line: &str) -> String {
    let mut characters: Vec<char> = line
        .chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if printable::needs_escape(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    mask_tokens(&mut characters);
    if characters.len() > WIDTH {
        characters.truncate(WIDTH - 1);
        characters.push('…');
    }
    characters.into_iter().collect()
}

/// A session token is 56 characters of URL-safe base64 that begin with `AQA` (40 bytes, padded).
fn mask_tokens(characters: &mut [char]) {
    let in_token = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=');
    let mut at = 0;
    while at < characters.len() {
        let length = characters.iter().skip(at).take_while(|c| in_token(c)).count();
        let run = characters.get_mut(at..at + length).unwrap_or_default();
        if length >= 40 && run.starts_with(&['A', 'Q', 'A']) {
            run.fill('*');
        }
        at += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_no_token_and_moves_no_cursor() {
        let token = "AQAEAGsqm8zNTkuYqVJxXhN0mYyfP3o7d9cUuYzLrB1nXkQwErTyUi==";
        let line = format!("a\tb\u{1b}[2J {token} c");
        assert_eq!(shown(&line), format!("a b\u{fffd}[2J {} c", "*".repeat(token.len())));
    }
}
