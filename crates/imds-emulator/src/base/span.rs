//! Where a value stands in a file: the line of what a path of members names, in TOML and in JSON.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member of an object, or of a table.
    Member(String),
    /// An element of an array, counted from 0.
    Element(usize),
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Member(name.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Element(index)
    }
}

/// The line, counted from 1, of the name of a member, or of the beginning of an element. `None`
/// where the text, which is one that was read before, has none there.
pub(crate) fn line(text: &str, json: bool, path: &[Step]) -> Option<usize> {
    let byte = if json { Json { text, at: 0 }.find(path) } else { in_toml(text, path) }?;
    Some(line_at(text, byte))
}

/// The line, counted from 1, of a byte of a text.
pub(crate) fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}

fn in_toml(text: &str, path: &[Step]) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let Step::Member(name) = first else { return None };
    in_table(DeTable::parse(text).ok()?.get_ref(), name, rest)
}

fn in_table(table: &DeTable<'_>, name: &str, rest: &[Step]) -> Option<usize> {
    let (key, value) = table.get_key_value(name)?;
    if rest.is_empty() { Some(key.span().start) } else { in_value(value, rest) }
}

fn in_value(value: &Spanned<DeValue<'_>>, path: &[Step]) -> Option<usize> {
    match (value.get_ref(), path.split_first()) {
        (_, None) => Some(value.span().start),
        (DeValue::Table(table), Some((Step::Member(name), rest))) => in_table(table, name, rest),
        (DeValue::Array(array), Some((Step::Element(index), rest))) => in_value(array.get(*index)?, rest),
        _ => None,
    }
}

/// Reads JSON that is known to be JSON.
struct Json<'a> {
    text: &'a str,
    at: usize,
}

impl Json<'_> {
    /// The byte where what the path names begins, seen from the value that begins here.
    fn find(&mut self, path: &[Step]) -> Option<usize> {
        let start = self.space()?;
        let Some((first, rest)) = path.split_first() else { return Some(start) };
        let opening = self.byte()?;
        self.at += 1;
        let mut index = 0;
        loop {
            let begin = self.space()?;
            if matches!(self.byte()?, b'}' | b']') {
                return None;
            }
            let found = match (first, opening) {
                (Step::Member(name), b'{') => {
                    let is = self.string()? == *name;
                    self.space()?;
                    // The colon.
                    self.at += 1;
                    is
                }
                (Step::Element(wanted), b'[') => *wanted == index,
                _ => return None,
            };
            if found {
                return if rest.is_empty() { Some(begin) } else { self.find(rest) };
            }
            self.skip()?;
            index += 1;
            if self.byte()? == b',' {
                self.at += 1;
            }
        }
    }

    /// Goes to the next byte that is no white space.
    fn space(&mut self) -> Option<usize> {
        let rest = self.text.get(self.at..)?;
        self.at += rest.len() - rest.trim_start().len();
        Some(self.at)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The string that begins here.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.byte()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    /// Goes to what ends the value that begins here: a comma or a bracket.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.byte()? {
                b'"' => drop(self.string()?),
                b',' | b'}' | b']' if depth == 0 => return Some(()),
                byte => {
                    match byte {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    self.at += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(steps: &[&str]) -> Vec<Step> {
        steps.iter().map(|step| step.parse().map_or_else(|_| Step::from(*step), Step::Element)).collect()
    }

    #[test]
    fn toml_in_each_of_its_forms() {
        let text =
            "a.b = 1\n\n[c]\nd = '''\nx\n'''\n'e/f' = { g = 1, h = [\n1,\n2] }\n[[i]]\nj = 1\n[[i]]\nj = 2\n";
        for (steps, expected) in [
            (&["a", "b"][..], Some(1)),
            (&["c", "d"], Some(4)),
            (&["c", "e/f"], Some(7)),
            (&["c", "e/f", "g"], Some(7)),
            (&["c", "e/f", "h", "1"], Some(9)),
            (&["i", "0", "j"], Some(11)),
            (&["i", "1", "j"], Some(13)),
            (&["i", "2", "j"], None),
            (&["a", "c"], None),
            (&["0"], None),
        ] {
            assert_eq!(line(text, false, &path(steps)), expected, "{steps:?}");
        }
    }

    #[test]
    fn json_however_it_is_written() {
        let text =
            "{\"a\":{\"b\":1, \"\\\"}\":\n[\"]\\\\\", {}]},\n \"c\\u0064\" :\n[[1,\n2], {\"e\"\n:\n3}]}";
        for (steps, expected) in [
            (&[][..], Some(1)),
            (&["a", "b"], Some(1)),
            (&["a", "\"}"], Some(1)),
            (&["a", "\"}", "1"], Some(2)),
            (&["cd"], Some(3)),
            (&["cd", "0", "1"], Some(5)),
            (&["cd", "1", "e"], Some(5)),
            (&["cd", "2"], None),
            (&["cd", "1", "f"], None),
            (&["a", "b", "c"], None),
        ] {
            assert_eq!(line(text, true, &path(steps)), expected, "{steps:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_line_or_none(text in any::<String>(), json: bool, name in any::<String>()) {
            let steps = [vec![], vec![Step::from(name.as_str())], vec![Step::from(name.as_str()), Step::from(0)]];
            for steps in steps {
                let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
                prop_assert!(line(&text, json, &steps).is_none_or(|line| line <= lines));
            }
        }
    }
}
