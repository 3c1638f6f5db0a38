//! Manual pages, with the sections that a command line's declaration does not hold.

use clap::Command;
use clap_mangen::Man;

/// One entry of a section: the term, and what there is to say of it.
pub type Entry<'a> = (&'a str, &'a str);

/// What a page says beyond the declaration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manual<'a> {
    /// Environment variables that are read.
    pub environment: &'a [Entry<'a>],
    /// Files that are read or written.
    pub files: &'a [Entry<'a>],
    /// Exit codes.
    pub exit_status: &'a [Entry<'a>],
    /// Command lines, each with what it does.
    pub examples: &'a [Entry<'a>],
    /// Other pages.
    pub see_also: &'a [&'a str],
}

/// Returns the manual page of a command in roff.
#[must_use]
pub fn page(command: &Command, manual: &Manual<'_>) -> String {
    let command = command.clone().after_help("").after_long_help("");
    let has_subcommands = command.get_subcommands().any(|subcommand| !subcommand.is_hide_set());
    let man = Man::new(command);
    let mut roff = Vec::new();
    // Writing to memory does not fail.
    let _ = man
        .render_title(&mut roff)
        .and_then(|()| man.render_name_section(&mut roff))
        .and_then(|()| man.render_synopsis_section(&mut roff))
        .and_then(|()| man.render_description_section(&mut roff))
        .and_then(|()| man.render_options_section(&mut roff));
    if has_subcommands {
        let _ = man.render_subcommands_section(&mut roff);
    }
    let mut page = String::from_utf8_lossy(&roff).into_owned();
    section(&mut page, "ENVIRONMENT", manual.environment);
    section(&mut page, "FILES", manual.files);
    section(&mut page, "EXIT STATUS", manual.exit_status);
    examples(&mut page, manual.examples);
    if !manual.see_also.is_empty() {
        let pages: Vec<String> =
            manual.see_also.iter().map(|page| format!("\\fB{}\\fR(1)", escaped(page))).collect();
        page.push_str(&format!(".SH \"SEE ALSO\"\n{}\n", pages.join(", ")));
    }
    page
}

/// Returns the examples as the last part of `--help`.
#[must_use]
pub fn examples_help(examples: &[Entry<'_>]) -> String {
    let mut text = String::from("Examples:\n");
    for (command, effect) in examples {
        text.push_str(&format!("  {command}\n      {effect}\n"));
    }
    text.trim_end().to_owned()
}

fn section(page: &mut String, title: &str, entries: &[Entry<'_>]) {
    if entries.is_empty() {
        return;
    }
    page.push_str(&format!(".SH \"{title}\"\n"));
    for (term, text) in entries {
        page.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", escaped(term), escaped(text)));
    }
}

fn examples(page: &mut String, entries: &[Entry<'_>]) {
    if entries.is_empty() {
        return;
    }
    page.push_str(".SH EXAMPLES\n");
    for (command, text) in entries {
        page.push_str(&format!(".PP\n{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE\n", escaped(text), escaped(command)));
    }
}

/// Text for roff: no line of it is a request, and `-` stays what can be copied into a shell.
fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = escaped
        .lines()
        .map(|line| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_sections() {
        let command = Command::new("imds-x").about("Does x").arg(clap::arg!(--dry "Do nothing"));
        let manual = Manual {
            environment: &[("X_HOME", "Where x lives.")],
            files: &[("~/.x", ".hidden")],
            exit_status: &[("0", "done")],
            examples: &[("imds-x --dry", "Shows what x would do")],
            see_also: &["imds"],
        };
        let page = page(&command, &manual);
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
        let order = [
            ".SH NAME",
            ".SH SYNOPSIS",
            ".SH OPTIONS",
            ".SH \"ENVIRONMENT\"\n.TP\n\\fBX_HOME\\fR\nWhere x lives.",
            ".SH \"FILES\"\n.TP\n\\fB~/.x\\fR\n\\&.hidden",
            ".SH \"EXIT STATUS\"",
            ".SH EXAMPLES\n.PP\nShows what x would do:",
            "imds\\-x \\-\\-dry",
            ".SH \"SEE ALSO\"",
        ];
        assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{page}");
    }
}
