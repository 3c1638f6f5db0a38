//! The manual pages of a program and of each of its subcommands, and the examples of its help.

use clap::Command;

use crate::manual::{Entry, Manual, examples_help, page};

/// What a page says beyond the declaration, by subcommand: `""` is the program itself,
/// `aws-cli install` a subcommand of a subcommand.
pub type Given<'p> = &'p dyn Fn(&str) -> Manual<'p>;

/// The manual pages of a program.
pub struct Pages<'p> {
    root: Command,
    version: &'static str,
    given: Given<'p>,
}

impl<'p> Pages<'p> {
    /// Returns the pages of a program from its declaration, its version, and what each page says
    /// beyond the declaration.
    #[must_use]
    pub fn new(mut root: Command, version: &'static str, given: Given<'p>) -> Self {
        root.build();
        Self { root, version, given }
    }

    /// Returns the page of a subcommand in roff; that of the program, without one.
    ///
    /// # Errors
    /// Returns an error if there is no such subcommand.
    pub fn page(&self, subcommand: &[String]) -> Result<String, UnknownSubcommand> {
        let mut command = &self.root;
        for name in subcommand {
            command = command.find_subcommand(name).ok_or_else(|| UnknownSubcommand {
                name: name.clone(),
                known: shown(command).map(|known| known.get_name().to_owned()).collect(),
            })?;
        }
        let program = self.root.get_name();
        let name = [&[program.to_owned()], subcommand].concat().join("-");
        let mut see_also: Vec<String> =
            shown(command).map(|other| format!("{name}-{}", other.get_name())).collect();
        if !subcommand.is_empty() {
            see_also.insert(0, program.to_owned());
        }
        let mut see_also: Vec<&str> = see_also.iter().map(String::as_str).collect();
        let manual = (self.given)(&subcommand.join(" "));
        see_also.extend(manual.see_also);
        let command = command.clone().display_name(&name).name(&name).version(self.version);
        Ok(page(&command, &Manual { see_also: &see_also, ..manual }))
    }

    /// Returns what is wrong with the pages, for a test: sections that are empty, and examples that
    /// the program would refuse.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.look_at(&self.root, &[], &mut found);
        found
    }

    fn look_at(&self, command: &Command, path: &[String], found: &mut Vec<String>) {
        let name = [&[self.root.get_name().to_owned()], path].concat().join(" ");
        // A subcommand that runs another program has that program's page.
        if command.is_disable_help_flag_set() {
            return;
        }
        let manual = (self.given)(&path.join(" "));
        for (section, entries) in [
            ("ENVIRONMENT", manual.environment),
            ("FILES", manual.files),
            ("EXIT STATUS", manual.exit_status),
            ("EXAMPLES", manual.examples),
        ] {
            if entries.is_empty() {
                found.push(format!("`{name}` has no {section}"));
            }
        }
        for (example, _) in manual.examples {
            found.extend(self.refused(example, path).map(|why| format!("`{name}`: `{example}`: {why}")));
        }
        for subcommand in shown(command) {
            self.look_at(subcommand, &[path, &[subcommand.get_name().to_owned()]].concat(), found);
        }
    }

    /// Why an example does not show this subcommand.
    fn refused(&self, example: &str, path: &[String]) -> Option<String> {
        let program = self.root.get_name();
        let calls: Vec<Vec<String>> = commands(example)
            .into_iter()
            .filter(|words| words.first().is_some_and(|first| first == program))
            .collect();
        let is_ours = |words: &Vec<String>| words.get(1..).is_some_and(|rest| rest.starts_with(path));
        if !calls.iter().any(is_ours) {
            return Some("it does not call it".to_owned());
        }
        calls.iter().find_map(|words| match self.root.clone().try_get_matches_from(words) {
            Err(error) if error.use_stderr() => Some(error.to_string()),
            _ => None,
        })
    }
}

/// A subcommand that a program has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSubcommand {
    /// The word that names none.
    pub name: String,
    /// The names that there are.
    pub known: Vec<String>,
}

/// Adds the examples of each subcommand to its help, and those of the program to its own.
#[must_use]
pub fn with_examples(command: Command, examples: &dyn Fn(&str) -> &'static [Entry<'static>]) -> Command {
    add_examples(command, "", examples)
}

fn add_examples(
    mut command: Command,
    path: &str,
    examples: &dyn Fn(&str) -> &'static [Entry<'static>],
) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|found| found.get_name().to_owned()).collect();
    for name in names {
        let path = format!("{path} {name}");
        command =
            command.mut_subcommand(&name, |subcommand| add_examples(subcommand, path.trim_start(), examples));
    }
    let own = examples(path);
    if own.is_empty() {
        return command;
    }
    let more = command.get_after_long_help().or(command.get_after_help());
    let text = match more {
        Some(more) => format!("{more}\n\n{}", examples_help(own)),
        None => examples_help(own),
    };
    command.after_help(text.clone()).after_long_help(text)
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|found| !found.is_hide_set() && found.get_name() != "help")
}

/// The simple commands of a shell command line, as words: of pipes, lists and substitutions,
/// without redirections and assignments. It reads what examples need: quotes, and no escapes.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut is_target = false;
    for character in line.chars().chain(['\n']) {
        let is_end = quote.is_none() && (character.is_whitespace() || "|;&()<>".contains(character));
        if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && character == '\'' {
            quote = Some(character);
            word.get_or_insert_default();
        } else if quote.is_none() && matches!(character, '"' | '$') {
            // What a substitution holds is a command too.
        } else if !is_end {
            word.get_or_insert_default().push(character);
        }
        if !is_end {
            continue;
        }
        if let (Some(word), Some(last)) = (word.take(), commands.last_mut()) {
            let is_in_front = last.is_empty() && (word.contains('=') || word == "sudo");
            let is_left_out = std::mem::take(&mut is_target) || is_in_front;
            if !is_left_out {
                last.push(word);
            }
        }
        match character {
            '>' => is_target = true,
            character if character.is_whitespace() => {}
            _ => commands.push(Vec::new()),
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_a_line() {
        for (line, expected) in [
            ("a b 'c d' > e", vec![vec!["a", "b", "c d"]]),
            ("eval \"$(a b)\"", vec![vec!["eval"], vec!["a", "b"]]),
            ("source <(a b)", vec![vec!["source"], vec!["a", "b"]]),
            ("X=1 sudo a | b -l -", vec![vec!["a"], vec!["b", "-l", "-"]]),
            ("a 'x|y' && b", vec![vec!["a", "x|y"], vec!["b"]]),
        ] {
            assert_eq!(commands(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_found() {
        let command = || Command::new("x").subcommand(Command::new("y").arg(clap::arg!(--dry "Do nothing")));
        let full: Manual<'_> = Manual {
            environment: &[("X", "x")],
            files: &[("x", "x")],
            exit_status: &[("0", "done")],
            examples: &[("x y --dry", "Do nothing")],
            see_also: &[],
        };
        assert_eq!(Pages::new(command(), "1", &|_| full).problems(), [""; 0]);
        let wrong = Manual { files: &[], examples: &[("x y --dri", "?"), ("z", "?")], ..full };
        let problems = Pages::new(command(), "1", &|path| if path == "y" { wrong } else { full }).problems();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("`x y` has no FILES"), "{problems:?}");
        let unknown = Pages::new(command(), "1", &|_| full).page(&["z".to_owned()]).unwrap_err();
        assert_eq!(unknown, UnknownSubcommand { name: "z".to_owned(), known: vec!["y".to_owned()] });
        let help = with_examples(command(), &|path| if path == "y" { &[("x y", "Do")] } else { &[] })
            .find_subcommand_mut("y")
            .unwrap()
            .render_help()
            .to_string();
        assert!(help.ends_with("Examples:\n  x y\n      Do\n"), "{help}");
    }
}
