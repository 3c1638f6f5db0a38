//! Strings of YAML, JSON and HCL: what they read as, piece by piece.

use std::ops::Range;

use crate::text::escape::Escape;
use crate::text::mapped::{Mapped, Piece};

/// Stands in a script for a value that a template puts in: a variable that the script does not set.
pub const TEMPLATE_VALUE: &str = "${imds_lint_template_value}";

/// A string and where each part of it is written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// Parts: what it reads as, and where it is written.
    pub pieces: Vec<(String, Range<usize>)>,
    /// How a replacement is written; `None` if it is not to be replaced.
    pub escape: Option<Escape>,
    /// What it reads as.
    pub text: String,
}

impl Scalar {
    /// A string of pieces.
    #[must_use]
    pub fn new(pieces: Vec<(String, Range<usize>)>, escape: Option<Escape>) -> Self {
        let text = pieces.iter().map(|(text, _)| text.as_str()).collect();
        Self { pieces, escape, text }
    }

    /// Where all of it is written.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        let start = self.pieces.first().map_or(0, |piece| piece.1.start);
        start..self.pieces.last().map_or(start, |piece| piece.1.end)
    }

    /// Its text with the place of each byte.
    #[must_use]
    pub fn mapped(&self, outer: &Mapped) -> Mapped {
        let pieces: Vec<Piece<'_>> =
            self.pieces.iter().map(|(text, written)| Piece { text, written: written.clone() }).collect();
        match &self.escape {
            Some(escape) => Mapped::of_pieces(outer, &pieces, Some(escape.clone())),
            None => Mapped::of_pieces(outer, &pieces, None).frozen(),
        }
    }

    /// With every `${...}` that CloudFormation's `Fn::Sub` reads replaced: `${!x}` stays `${x}`.
    #[must_use]
    pub fn substituted(&self) -> Self {
        let mut pieces = Vec::new();
        for (text, written) in &self.pieces {
            let exact = text.len() == written.len();
            let mut rest = text.as_str();
            let mut at = written.start;
            let place = |at: usize, length: usize| if exact { at..at + length } else { written.clone() };
            while let Some((before, after)) = rest.split_once("${") {
                let Some((name, next)) = after.split_once('}') else { break };
                pieces.push((before.to_owned(), place(at, before.len())));
                let length = name.len() + 3;
                let read = name
                    .strip_prefix('!')
                    .map_or_else(|| TEMPLATE_VALUE.to_owned(), |name| format!("${{{name}}}"));
                pieces.push((read, place(at + before.len(), length)));
                at += before.len() + length;
                rest = next;
            }
            pieces.push((rest.to_owned(), place(at, rest.len())));
        }
        pieces.retain(|(text, _)| !text.is_empty());
        Self::new(pieces, Some(Escape::CloudFormationSub)).within(self.escape.clone())
    }

    /// `Fn::Sub` inside another quoting can only be replaced if both are known; one escape is kept
    /// for each scalar.
    fn within(mut self, outer: Option<Escape>) -> Self {
        self.escape = match outer {
            Some(Escape::YamlBlock(indent)) => Some(Escape::SubInBlock(indent)),
            Some(Escape::Json) => Some(Escape::SubInJson),
            _ => None,
        };
        self
    }
}

/// The pieces of a double-quoted string of JSON or YAML, `written` being its inside.
#[must_use]
pub fn double_quoted(text: &str, written: Range<usize>) -> Vec<(String, Range<usize>)> {
    let inner = text.get(written.clone()).unwrap_or_default();
    let mut pieces = Vec::new();
    let mut literal = 0;
    let mut characters = inner.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let (read, end) = match character {
            '\\' => {
                let Some((next_at, next)) = characters.next() else { break };
                let mut end = next_at + next.len_utf8();
                let digits = match next {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                let read = if digits > 0 {
                    let code =
                        inner.get(end..end + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
                    end += digits;
                    for _ in 0..digits {
                        characters.next();
                    }
                    code.and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
                } else {
                    match next {
                        'n' => "\n".to_owned(),
                        't' => "\t".to_owned(),
                        'r' => "\r".to_owned(),
                        '0' => "\0".to_owned(),
                        'e' => "\u{1b}".to_owned(),
                        'N' | 'L' | 'P' | '_' | 'a' | 'b' | 'f' | 'v' => " ".to_owned(),
                        // A line that is continued; its indentation is left out.
                        '\n' => {
                            while characters.peek().is_some_and(|(_, c)| matches!(c, ' ' | '\t')) {
                                characters.next();
                                end += 1;
                            }
                            String::new()
                        }
                        other => other.to_string(),
                    }
                };
                (read, end)
            }
            '\n' => {
                let mut end = at + 1;
                while characters.peek().is_some_and(|(_, c)| matches!(c, ' ' | '\t')) {
                    characters.next();
                    end += 1;
                }
                (" ".to_owned(), end)
            }
            _ => continue,
        };
        if literal < at {
            pieces.push((inner[literal..at].to_owned(), written.start + literal..written.start + at));
        }
        let end = end.min(inner.len());
        pieces.push((read, written.start + at..written.start + end));
        literal = end;
    }
    if let Some(rest) = inner.get(literal..).filter(|rest| !rest.is_empty()) {
        pieces.push((rest.to_owned(), written.start + literal..written.end));
    }
    pieces
}

/// The pieces of an indented block, line by line: `written` begins after the header line. `folded`
/// joins lines.
#[must_use]
pub fn block(text: &str, written: Range<usize>, indent: usize, folded: bool) -> Vec<(String, Range<usize>)> {
    let inner = text.get(written.clone()).unwrap_or_default();
    let mut pieces: Vec<(String, Range<usize>)> = Vec::new();
    let mut at = written.start;
    for line in inner.split_inclusive('\n') {
        let cut = line.len() - line.trim_start_matches([' ', '\t']).len();
        let cut = cut.min(indent).min(line.trim_end_matches(['\n', '\r']).len());
        let content = line.get(cut..).unwrap_or_default();
        if folded {
            let trimmed = content.trim_end_matches('\n');
            let end = at + cut + trimmed.len();
            pieces.push((trimmed.to_owned(), at + cut..end));
            if trimmed.len() < content.len() {
                let joined = if trimmed.is_empty() { "\n" } else { " " };
                pieces.push((joined.to_owned(), end..at + line.len()));
            }
        } else {
            pieces.push((content.to_owned(), at + cut..at + line.len()));
        }
        at += line.len();
    }
    pieces
}

/// The indentation that all lines of a text share, blank ones left out.
#[must_use]
pub fn shared_indent(text: &str) -> usize {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_line_ends_are_read_and_keep_their_place() {
        let text = r#""a\tb\u0041\"c""#;
        let pieces = double_quoted(text, 1..text.len() - 1);
        let scalar = Scalar::new(pieces, Some(Escape::Json));
        assert_eq!(scalar.text, "a\tbA\"c");
        assert_eq!(scalar.span(), 1..text.len() - 1);
        assert!(scalar.pieces.contains(&("\t".to_owned(), 2..4)));
    }

    #[test]
    fn sub_leaves_what_is_escaped_and_hides_the_rest() {
        let scalar = Scalar::new(vec![("a ${AWS::Region} ${!B}".to_owned(), 10..32)], Some(Escape::Json));
        let sub = scalar.substituted();
        assert_eq!(sub.text, format!("a {TEMPLATE_VALUE} ${{B}}"));
        assert_eq!(sub.pieces[1].1, 12..26);
    }
}
