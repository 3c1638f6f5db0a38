//! The words and the width of prose: comments, pages, help texts, names.

use std::collections::BTreeMap;

use super::Finding;
use super::source::Source;

pub(crate) const RETIRED: &str = "xtask/retired-words.tsv";

/// The widest line of prose, in characters.
const WIDTH: usize = 100;

/// A word or phrase that is no longer used, and what to write instead.
struct Retired {
    words: Vec<String>,
    better: String,
    /// Where it is retired: paths that begin so. Everywhere if there is none.
    only_in: Vec<String>,
}

/// The list of retired words.
pub(crate) struct RetiredWords {
    /// By the first word.
    entries: BTreeMap<String, Vec<Retired>>,
}

impl RetiredWords {
    /// Lines of `word or phrase`, `better`, and optionally `paths`, separated by tabs; `#` begins a
    /// comment. A word with a capital letter is the name of a type, which is looked for in code
    /// alone.
    pub(crate) fn parse(text: &str) -> Result<Self, Finding> {
        let mut entries: BTreeMap<String, Vec<Retired>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut columns = line.split('\t');
            let (Some(phrase), Some(better)) = (columns.next(), columns.next()) else {
                return Err(Finding::new(
                    format!("{RETIRED}:{}", index + 1),
                    "has no better word behind a tab",
                ));
            };
            let words: Vec<String> = phrase.split_whitespace().map(str::to_owned).collect();
            let only_in = columns.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
            let Some(first) = words.first().cloned() else { continue };
            entries.entry(first).or_default().push(Retired { words, better: better.to_owned(), only_in });
        }
        Ok(Self { entries })
    }
}

/// Uses of retired words, in names and in prose.
pub(crate) fn retired_words(sources: &[Source], retired: &RetiredWords) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| is_ours(source)) {
        let mut report = |line: Option<usize>, entry: &Retired| {
            if entry.only_in.is_empty() || entry.only_in.iter().any(|path| source.path.starts_with(path)) {
                let place = line.map_or_else(|| source.path.clone(), |line| source.at(line));
                findings.push(Finding::new(
                    place,
                    format!("`{}`: write {}", entry.words.join(" "), entry.better),
                ));
            }
        };
        let stem = source.path.rsplit('/').next().unwrap_or_default();
        for entry in found(&words(stem, false), retired) {
            report(None, entry.1);
        }
        for (line, entry) in found(&words(&source.text, source.is_rust()), retired) {
            report(Some(line), entry);
        }
    }
    findings
}

/// Other people's files and lists of names that are not ours to choose.
fn is_ours(source: &Source) -> bool {
    let exempt = [RETIRED, "LICENSE-APACHE", "Cargo.lock", "fuzz/Cargo.lock", "xtask/src/check/prose.rs"];
    let text =
        ["rs", "md", "toml", "sh", "yml", "yaml", "smithy", "service", "py", "json", "html", "template"];
    let name = source.path.rsplit('/').next().unwrap_or_default();
    let known = name.rsplit_once('.').is_none_or(|(_, extension)| text.contains(&extension));
    known && !exempt.contains(&source.path.as_str()) && !source.path.contains("/data/")
}

/// A word as it stands, with the parts that it is made of.
struct Word {
    line: usize,
    /// As it is written.
    name: String,
    whole: String,
    parts: Vec<String>,
    in_code: bool,
}

/// The words of a text, in order. `--no-way-back` is one word of three parts, `sendReport` one of
/// two.
fn words(text: &str, is_rust: bool) -> Vec<Word> {
    let mut words = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let in_code = is_rust && !line.trim_start().starts_with("//");
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '\'';
        for word in line.split(|c| !is_word(c)) {
            let word = word.trim_matches(['-', '_', '\'']);
            if word.is_empty() {
                continue;
            }
            let whole = word.to_lowercase();
            words.push(Word { line: index + 1, name: word.to_owned(), whole, parts: parts(word), in_code });
        }
    }
    words
}

/// `snake_case`, `CamelCase` and `kebab-case`, split.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before_is_lower = false;
    for c in word.chars() {
        if c == '-' || c == '_' {
            parts.push(String::new());
        } else {
            if c.is_uppercase() && before_is_lower {
                parts.push(String::new());
            }
            if let Some(last) = parts.last_mut() {
                last.extend(c.to_lowercase());
            }
        }
        before_is_lower = c.is_lowercase();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn found<'r>(words: &[Word], retired: &'r RetiredWords) -> Vec<(usize, &'r Retired)> {
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let single = |text: &String| retired.entries.get(text).into_iter().flatten();
        let mut candidates: Vec<&Retired> = single(&word.whole).collect();
        if word.in_code && word.name != word.whole {
            candidates.extend(single(&word.name));
        }
        if word.parts.len() > 1 {
            candidates.extend(word.parts.iter().flat_map(single).filter(|entry| entry.words.len() == 1));
        }
        for entry in candidates {
            let rest = words.iter().skip(index + 1).map(|word| &word.whole);
            if rest.take(entry.words.len() - 1).eq(entry.words.iter().skip(1)) {
                found.push((word.line, entry));
            }
        }
    }
    found
}

/// Lines of prose that are wider than a page: comments, and Markdown outside code and tables.
pub(crate) fn width(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| !source.is_generated()) {
        for (number, line) in prose_lines(source) {
            // One long word, an address mostly, cannot be wrapped.
            let columns = line.chars().count();
            let wraps =
                line.trim_start().trim_start_matches(['/', '!', '*', '>', '-', '#', ' ']).contains(' ');
            if columns > WIDTH && wraps {
                let rule = format!("prose of {columns} columns, at most {WIDTH}");
                findings.push(Finding::new(source.at(number), rule));
            }
        }
    }
    findings
}

fn prose_lines(source: &Source) -> Vec<(usize, &str)> {
    let lines = source.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    if source.is_rust() {
        let mut in_code = false;
        lines
            .filter(|(_, line)| {
                let comment = line.trim_start().strip_prefix("//");
                let text = comment.map(|text| text.trim_start_matches(['/', '!']).trim_start());
                let fence = text.is_some_and(|text| text.starts_with("```"));
                in_code = text.is_some() && (in_code ^ fence);
                // A row of a table is as wide as its cells.
                text.is_some_and(|text| !text.starts_with('|')) && !in_code && !fence
            })
            .collect()
    } else if source.path.ends_with(".md") {
        let mut in_code = false;
        lines
            .filter(|(_, line)| {
                let fence = line.trim_start().starts_with("```");
                in_code ^= fence;
                !in_code && !fence && !line.trim_start().starts_with(['|', '<']) && !line.starts_with("![")
            })
            .collect()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(list: &str, path: &str, text: &str) -> Vec<String> {
        let retired = RetiredWords::parse(list).unwrap();
        let sources = [Source::new(path, text.to_owned())];
        retired_words(&sources, &retired).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_retired_word_is_found_in_names_and_prose() {
        let text = "/// The tally of it.\nstruct TallyBook;\nfn total(rally: u8) { let the_tally = \"--tally-all\"; }\n";
        let rule = "`tally`: write `counts`";
        assert_eq!(
            shown("# words\ntally\t`counts`\n", "crates/a/src/tally.rs", text),
            [
                format!("crates/a/src/tally.rs: {rule}"),
                format!("crates/a/src/tally.rs:1: {rule}"),
                format!("crates/a/src/tally.rs:2: {rule}"),
                format!("crates/a/src/tally.rs:3: {rule}"),
                format!("crates/a/src/tally.rs:3: {rule}"),
            ]
        );
    }

    #[test]
    fn a_phrase_is_found_over_a_line_break_and_only_where_it_is_retired() {
        let text = "Reads it in place\nof the other, in placeholders of it.\n";
        let list = "in place of\t\"instead of\"\ncore\t`shared`\tcrates/a/\n";
        assert_eq!(shown(list, "README.md", text), ["README.md:1: `in place of`: write \"instead of\""]);
        assert_eq!(shown(list, "README.md", "the core"), Vec::<String>::new());
        assert_eq!(
            shown(list, "crates/a/src/x.rs", "// core\n"),
            ["crates/a/src/x.rs:1: `core`: write `shared`"]
        );
    }

    #[test]
    fn a_capital_letter_stands_for_a_name_in_code() {
        let text = "/// Turn it.\nstruct Turn;\nfn turn() {}\n";
        assert_eq!(shown("Turn\t`Permit`\n", "a.rs", text), ["a.rs:2: `Turn`: write `Permit`"]);
        assert_eq!(shown("Turn\t`Permit`\n", "a.md", "Turn it.\n"), Vec::<String>::new());
    }

    #[test]
    fn hyphens_join_a_phrase() {
        assert_eq!(shown("made-up\t\"fake\"\n", "a.md", "it is made up of\n").len(), 0);
        assert_eq!(
            shown("made-up\t\"fake\"\n", "a.md", "a made-up name\n"),
            ["a.md:1: `made-up`: write \"fake\""]
        );
    }

    #[test]
    fn wide_prose_is_found_and_wide_code_and_tables_are_not() {
        let wide = "x ".repeat(51);
        let page = format!("{wide}\n| {wide} |\n```\n{wide}\n```\n{}\n", "x".repeat(120));
        let rust = format!("//! {wide}\nlet x = \"{wide}\";\n/// ```\n/// {wide}\n/// ```\n/// | {wide} |\n");
        let sources = [Source::new("a.md", page), Source::new("a.rs", rust)];
        let found: Vec<String> = width(&sources).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["a.md:1: prose of 102 columns, at most 100", "a.rs:1: prose of 106 columns, at most 100"]
        );
    }
}
