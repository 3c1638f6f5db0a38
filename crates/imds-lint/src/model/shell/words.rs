//! Words of a command with the variables that are known put in.

use std::ops::Range;

use crate::model::url::{self, HOLE};
use crate::syntax::tree::NodeId;

use super::script::Script;

/// How many variables may stand in each other's values.
const DEPTH: usize = 6;
/// Longest value that is put in.
const LENGTH: usize = 64 * 1024;

/// A word as the command gets it.
#[derive(Clone, Debug)]
pub struct Word {
    /// Its text; [`HOLE`] for what is not known.
    pub text: String,
    /// Variables whose value is not known.
    pub variables: Vec<String>,
    /// Where it is written.
    pub span: Range<usize>,
    /// The node it is written as.
    pub node: NodeId,
    /// Whether it may hold further words: an unquoted variable that is not known.
    pub open: bool,
    /// Whether a variable in it has several values, so that this is one of several.
    pub one_of_several: bool,
}

/// The values of `$1`, `$2`... in a function that is called.
pub type Arguments<'a> = &'a [Word];

/// A text under construction.
#[derive(Clone, Debug, Default)]
struct Text {
    text: String,
    variables: Vec<String>,
    one_of_several: bool,
    /// Text outside quotes came out of a variable: it is split into words.
    splits: bool,
    open: bool,
}

impl Text {
    fn push(&mut self, other: Self, quoted: bool) {
        if self.text.len() + other.text.len() > LENGTH {
            self.text.push(HOLE);
            return;
        }
        self.open |= other.open && !quoted;
        self.splits |= (other.splits || other.text.contains(char::is_whitespace)) && !quoted;
        self.text.push_str(&other.text);
        self.variables.extend(other.variables);
        self.one_of_several |= other.one_of_several;
    }

    fn hole(variable: Option<&str>) -> Self {
        Self {
            text: HOLE.to_string(),
            variables: variable.map(str::to_owned).into_iter().collect(),
            open: true,
            ..Self::default()
        }
    }

    fn literal(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The words that a node of the command line becomes.
#[must_use]
pub fn expand(script: &Script<'_>, node: NodeId, arguments: Arguments<'_>) -> Vec<Word> {
    if let Some(words) = array(script, node, arguments) {
        return words;
    }
    let text = value(script, node, arguments, 0);
    let span = script.tree.span(node);
    let word = |text: &str| Word {
        text: text.to_owned(),
        variables: Vec::new(),
        span: span.clone(),
        node,
        open: text.contains(HOLE) && text.chars().all(|c| c == HOLE) && parsed_open(script, node),
        one_of_several: false,
    };
    let mut words: Vec<Word> = if text.splits && text.text.contains(char::is_whitespace) {
        text.text.split_whitespace().map(|part| word(part.trim_matches(['"', '\'']))).collect()
    } else {
        vec![word(&text.text)]
    };
    for word in &mut words {
        word.variables.clone_from(&text.variables);
        word.one_of_several = text.one_of_several;
    }
    words
}

/// Whether a word is a variable without quotes.
fn parsed_open(script: &Script<'_>, node: NodeId) -> bool {
    matches!(script.tree.kind(node), "simple_expansion" | "expansion" | "command_substitution")
}

/// The elements of `"${name[@]}"`, or of `"$@"` in a function that is called.
fn array(script: &Script<'_>, node: NodeId, arguments: Arguments<'_>) -> Option<Vec<Word>> {
    let tree = &script.tree;
    let text = tree.text(node).trim_matches('"');
    if matches!(text, "$@" | "$*" | "${@}" | "${*}") && !arguments.is_empty() {
        return Some(arguments.to_vec());
    }
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let name = name.strip_suffix("[@]").or_else(|| name.strip_suffix("[*]"))?;
    let values = script.values(name);
    if values.is_empty() {
        return None;
    }
    let several = values.len() > 1;
    let mut words = Vec::new();
    for value in values.iter().copied().filter(|value| tree.kind(*value) == "array") {
        for element in tree.named(value).filter(|element| tree.kind(*element) != "comment") {
            let text = self::value(script, element, arguments, 1);
            words.push(Word {
                text: text.text,
                variables: text.variables,
                span: tree.span(node),
                node,
                open: false,
                one_of_several: several,
            });
        }
    }
    (!words.is_empty()).then_some(words)
}

/// What a node is worth as text.
fn value(script: &Script<'_>, node: NodeId, arguments: Arguments<'_>, depth: usize) -> Text {
    let tree = &script.tree;
    match tree.kind(node) {
        "raw_string" => Text::literal(tree.text(node).trim_matches('\'')),
        "ansi_c_string" => {
            Text::literal(tree.text(node).trim_start_matches('$').trim_matches('\'').replace("\\n", "\n"))
        }
        "string" | "translated_string" => quoted(script, node, arguments, depth),
        "simple_expansion" => {
            let name = tree.text(node).trim_start_matches('$');
            variable(script, name, arguments, depth)
        }
        "expansion" => expansion(script, node, arguments, depth),
        "concatenation" => {
            let mut text = Text::default();
            for child in tree.children(node) {
                let quoted = matches!(tree.kind(child), "string" | "raw_string" | "ansi_c_string");
                text.push(value(script, child, arguments, depth), quoted);
            }
            text
        }
        "command_substitution" | "process_substitution" | "arithmetic_expansion" => Text::hole(None),
        "command_name" => match tree.named(node).next() {
            Some(inner) => value(script, inner, arguments, depth),
            None => Text::literal(tree.text(node)),
        },
        _ => Text::literal(unescape(tree.text(node), false)),
    }
}

/// The text between double quotes. Gaps between its nodes are text, too.
fn quoted(script: &Script<'_>, node: NodeId, arguments: Arguments<'_>, depth: usize) -> Text {
    let tree = &script.tree;
    let span = tree.span(node);
    let mut text = Text::default();
    let mut at = (span.start + if tree.text(node).starts_with('$') { 2 } else { 1 }).min(span.end);
    let end = span.end.saturating_sub(1).max(at);
    let parts = tree.children(node).filter(|child| {
        matches!(
            tree.kind(*child),
            "simple_expansion" | "expansion" | "command_substitution" | "arithmetic_expansion"
        )
    });
    for part in parts {
        let part_span = tree.span(part);
        let gap = tree.text.get(at..part_span.start).unwrap_or_default();
        text.push(Text::literal(unescape(gap, true)), true);
        text.push(value(script, part, arguments, depth), true);
        at = part_span.end;
    }
    let gap = tree.text.get(at..end).unwrap_or_default();
    text.push(Text::literal(unescape(gap, true)), true);
    text
}

fn unescape(text: &str, in_quotes: bool) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let special = |next: char| matches!(next, '"' | '$' | '`' | '\\' | '\n');
        match characters.peek().copied() {
            Some(next) if character == '\\' && (!in_quotes || special(next)) => {
                characters.next();
                if next != '\n' {
                    result.push(next);
                }
            }
            _ => result.push(character),
        }
    }
    result
}

/// `${name}`, and `${name:-default}` where the name is not set in the script.
fn expansion(script: &Script<'_>, node: NodeId, arguments: Arguments<'_>, depth: usize) -> Text {
    let tree = &script.tree;
    let inner = tree.text(node).trim_start_matches("${").trim_end_matches('}');
    let name: String = inner.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = inner.get(name.len()..).unwrap_or_default();
    let found = variable(script, &name, arguments, depth);
    if rest.is_empty() {
        return found;
    }
    let default = [":-", ":=", "-", "="].iter().find_map(|operator| rest.strip_prefix(operator));
    match default {
        Some(_) if !found.text.contains(HOLE) => found,
        Some(_) => {
            // The default as it was parsed, which may hold further variables.
            let parsed = tree.named(node).filter(|child| tree.kind(*child) != "variable_name").last();
            let mut text = match parsed {
                Some(child) if depth < DEPTH => value(script, child, arguments, depth + 1),
                _ => Text::hole(Some(&name)),
            };
            text.one_of_several = true;
            text.variables.push(name);
            text
        }
        // A part of it, which is not worked out.
        None => Text::hole(Some(&name)),
    }
}

fn variable(script: &Script<'_>, name: &str, arguments: Arguments<'_>, depth: usize) -> Text {
    if let Ok(position) = name.parse::<usize>() {
        return match position.checked_sub(1).and_then(|index| arguments.get(index)) {
            Some(word) => {
                let mut text = Text::literal(word.text.clone());
                text.variables.clone_from(&word.variables);
                text
            }
            None => Text::hole(Some(name)),
        };
    }
    if depth >= DEPTH {
        return Text::hole(Some(name));
    }
    let values = script.values(name);
    let several = values.len() > 1;
    let mut best: Option<(u8, Text)> = None;
    for node in values {
        let text = value(script, *node, arguments, depth + 1);
        let rank = if text.text.contains(HOLE) && text.text.chars().all(|c| c == HOLE) {
            0
        } else if url::has_token_header(&text.text) {
            3
        } else if url::find(&text.text).is_some() {
            2
        } else {
            1
        };
        if best.as_ref().is_none_or(|(known, _)| rank > *known) {
            best = Some((rank, text));
        }
    }
    match best {
        Some((rank, mut text)) if rank > 0 => {
            text.one_of_several |= several;
            // What was quoted where it was assigned is split where it is used.
            text.splits = text.text.contains(char::is_whitespace);
            text
        }
        _ => Text::hole(Some(name)),
    }
}
