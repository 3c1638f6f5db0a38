//! Text that was taken out of other text, with the place of each of its bytes in the file.

use std::ops::Range;

use super::escape::Escape;

/// Bytes in the file.
pub type Span = Range<usize>;

/// A segment longer than any escape sequence is decoded text.
const DECODED: usize = 32;

/// A run of bytes and where it came from.
#[derive(Clone, Debug)]
struct Segment {
    /// In this text.
    here: Span,
    /// In the file.
    origin: Span,
    /// Whether the bytes are the same in both, so that a part has a place of its own.
    exact: bool,
}

/// Text with the place of each of its bytes in the file.
#[derive(Clone, Debug)]
pub struct Mapped {
    text: String,
    segments: Vec<Segment>,
    /// How a replacement is written, innermost layer first; `None` if nothing can be replaced
    /// (compressed data).
    escapes: Option<Vec<Escape>>,
}

/// A run of an embedded text, in terms of the text around it.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    /// What it reads as.
    pub text: &'a str,
    /// Where it is written.
    pub written: Span,
}

impl Mapped {
    /// A whole file.
    #[must_use]
    pub fn whole(text: String) -> Self {
        let segment = Segment { here: 0..text.len(), origin: 0..text.len(), exact: true };
        Self { text, segments: vec![segment], escapes: Some(Vec::new()) }
    }

    /// Text decoded out of `outer` as a whole: findings in it stand at `written`, and nothing in it
    /// is replaced.
    #[must_use]
    pub fn decoded(outer: &Self, written: Span, text: String) -> Self {
        let segment = Segment { here: 0..text.len(), origin: outer.origin(written), exact: false };
        Self { text, segments: vec![segment], escapes: None }
    }

    /// Text made of pieces of `outer`. A piece that reads as it is written keeps a place for each
    /// byte.
    #[must_use]
    pub fn of_pieces(outer: &Self, pieces: &[Piece<'_>], escape: Option<Escape>) -> Self {
        let mut text = String::new();
        let mut segments = Vec::new();
        for piece in pieces {
            let here = text.len()..text.len() + piece.text.len();
            text.push_str(piece.text);
            if here.is_empty() {
                continue;
            }
            let exact = outer.text.get(piece.written.clone()) == Some(piece.text);
            if exact {
                outer.split(&piece.written, here.start, &mut segments);
            } else {
                segments.push(Segment { here, origin: outer.origin(piece.written.clone()), exact: false });
            }
        }
        let escapes = outer.escapes.as_ref().map(|outer| {
            let mut escapes: Vec<Escape> = escape.into_iter().collect();
            escapes.extend(outer.iter().cloned());
            escapes
        });
        Self { text, segments, escapes }
    }

    /// The line of `offset` in decoded text, which has no lines in the file.
    #[must_use]
    pub fn inner_line(&self, offset: usize) -> Option<usize> {
        let segment = self.segments.iter().find(|segment| segment.here.contains(&offset))?;
        let packed = !segment.exact && segment.here.len() > DECODED;
        packed.then(|| 1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count())
    }

    /// The same text, in which nothing is replaced.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.escapes = None;
        self
    }

    /// A part of `outer` that reads as it is written.
    #[must_use]
    pub fn part(outer: &Self, written: Span, escape: Option<Escape>) -> Self {
        let text = outer.text.get(written.clone()).unwrap_or_default();
        Self::of_pieces(outer, &[Piece { text, written }], escape)
    }

    /// The segments that cover `range`, moved so that the first begins at `at`.
    fn split(&self, range: &Span, at: usize, into: &mut Vec<Segment>) {
        let first = self.segments.partition_point(|segment| segment.here.end <= range.start);
        for segment in self.segments.iter().skip(first).take_while(|segment| segment.here.start < range.end) {
            let start = segment.here.start.max(range.start);
            let end = segment.here.end.min(range.end);
            let origin = if segment.exact {
                segment.origin.start + (start - segment.here.start)
                    ..segment.origin.start + (end - segment.here.start)
            } else {
                segment.origin.clone()
            };
            let here = at + (start - range.start)..at + (end - range.start);
            into.push(Segment { here, origin, exact: segment.exact });
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything in it can be replaced in the file.
    #[must_use]
    pub fn is_editable(&self) -> bool {
        self.escapes.is_some()
    }

    /// Where `range` of this text stands in the file.
    #[must_use]
    pub fn origin(&self, range: Span) -> Span {
        let start = self.start(range.start);
        if range.is_empty() {
            return start..start;
        }
        let last = self.segments.partition_point(|segment| segment.here.end < range.end);
        let end = self.segments.get(last).map_or(start, |segment| {
            if segment.exact {
                segment.origin.start + (range.end - segment.here.start)
            } else {
                segment.origin.end
            }
        });
        start..end.max(start)
    }

    fn start(&self, offset: usize) -> usize {
        let index = self.segments.partition_point(|segment| segment.here.end <= offset);
        match self.segments.get(index) {
            Some(segment) if segment.exact => {
                segment.origin.start + offset.saturating_sub(segment.here.start)
            }
            Some(segment) => segment.origin.start,
            None => self.segments.last().map_or(0, |segment| segment.origin.end),
        }
    }

    /// The edit of the file that replaces `range` of this text; `None` if it cannot be written
    /// there.
    #[must_use]
    pub fn edit(&self, range: Span, replacement: &str) -> Option<(Span, String)> {
        let escapes = self.escapes.as_ref()?;
        let mut text = replacement.to_owned();
        for escape in escapes {
            text = escape.apply(&text)?;
        }
        Some((self.origin(range), text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_an_embedded_text_is_found_in_the_file() {
        let file = Mapped::whole("x: \"a\\tcurl\"".to_owned());
        let pieces = [
            Piece { text: "a", written: 4..5 },
            Piece { text: "\t", written: 5..7 },
            Piece { text: "curl", written: 7..11 },
        ];
        let inner = Mapped::of_pieces(&file, &pieces, Some(Escape::Json));
        assert_eq!(inner.text(), "a\tcurl");
        assert_eq!(inner.origin(2..6), 7..11);
        assert_eq!(inner.origin(1..2), 5..7);
        assert_eq!(inner.origin(3..4), 8..9);
        assert_eq!(inner.edit(2..6, "a\"b"), Some((7..11, "a\\\"b".to_owned())));
        let word = Mapped::part(&inner, 1..4, None);
        assert_eq!((word.text(), word.origin(1..3)), ("\tcu", 7..9));
        assert_eq!(word.origin(0..1), 5..7);
    }

    #[test]
    fn decoded_text_stands_where_it_was_written_and_is_not_replaced() {
        let file = Mapped::whole("key: aGVsbG8=".to_owned());
        let inner = Mapped::decoded(&file, 5..13, "hello".to_owned());
        assert_eq!(inner.origin(1..2), 5..13);
        assert_eq!(inner.edit(0..1, "x"), None);
    }
}
