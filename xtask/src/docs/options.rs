//! Whether the options of our programs in an example exist: read off `--help`.

use std::path::Path;
use std::process::Command;

use super::blocks::Block;
use super::program;

/// Checks every line of a script that begins with one of our programs.
pub(crate) fn check(block: &Block, programs: &Path) -> Result<(), String> {
    let text = block.text().replace("\\\n", " ");
    for line in text.lines() {
        let words: Vec<&str> = line
            .split_whitespace()
            .take_while(|word| !["|", ">", "--", "&&", ";", "#"].contains(word))
            .collect();
        let Some((name, rest)) = words.split_first() else { continue };
        let Some(path) = program(programs, name) else { continue };
        // `imds fleet plan` is `imds-fleet plan`.
        let apart = rest.first().and_then(|word| program(programs, &format!("{name}-{word}")));
        let (path, rest) = match apart {
            Some(other) => (other, &rest[1..]),
            None => (path, rest),
        };
        let subcommands: Vec<&str> = rest
            .iter()
            .take_while(|word| {
                word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-')
            })
            .copied()
            .collect();
        let help = help(&path, &subcommands)?;
        for option in rest.iter().filter(|word| word.starts_with("--")) {
            let option = option.split('=').next().unwrap_or_default();
            let known =
                help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == option);
            if !known {
                return Err(format!("`{line}`: there is no option `{option}`"));
            }
        }
    }
    Ok(())
}

/// The help of the deepest subcommand that these words name.
fn help(path: &Path, words: &[&str]) -> Result<String, String> {
    for length in (0..=words.len()).rev() {
        let output = Command::new(path)
            .args(&words[..length])
            .arg("--help")
            .env(imds_model::env::DISABLED, "true")
            .output()
            .map_err(|error| format!("cannot run `{}`: {error}", path.display()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
    }
    Err(format!("`{}` has no help", path.display()))
}
