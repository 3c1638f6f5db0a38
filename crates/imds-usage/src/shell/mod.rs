//! The table in the language of each shell.

pub(crate) mod bash;
pub(crate) mod fish;
pub(crate) mod zsh;

use crate::table::{Level, Values};

/// The trees and versions that a path may be written with.
const PREFIXES: [&str; 5] = ["/latest/meta-data/", "latest/meta-data/", "meta-data/", "/latest/", "latest/"];

/// A word in single quotes, as POSIX shells read it: nothing in it is expanded.
fn posix_quoted(text: &str) -> String {
    format!("'{}'", one_line(text).replace('\'', r"'\''"))
}

fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The spellings under which a level is reached from the one above it, the level's own key last.
fn spellings(level: &Level) -> Option<(Vec<String>, &str)> {
    let (above, name) = level.key.rsplit_once(' ')?;
    let aliases = level.aliases.iter().map(|alias| format!("{above} {alias}"));
    Some((aliases.chain([format!("{above} {name}")]).collect(), &level.key))
}

/// Every place where a value is wanted: `KEY OPTION` or `KEY NUMBER`, with what it is. The last
/// position that repeats is `KEY more`.
fn places(level: &Level) -> Vec<(Vec<String>, &Values)> {
    let mut places = Vec::new();
    for (options, values) in &level.option_values {
        places.push((options.iter().map(|option| format!("{} {option}", level.key)).collect(), values));
    }
    for (number, values) in level.positions.iter().enumerate() {
        let mut keys = vec![format!("{} {number}", level.key)];
        if level.last_repeats && number + 1 == level.positions.len() {
            keys.push(format!("{} more", level.key));
        }
        places.push((keys, values));
    }
    places
}

/// The options of a level that take a value, as `KEY OPTION`.
fn valued(level: &Level) -> impl Iterator<Item = String> {
    level
        .option_values
        .iter()
        .flat_map(|(options, _)| options)
        .map(|option| format!("{} {option}", level.key))
}
