//! The check itself, and the rewrites.

use std::io::{self, IsTerminal as _, Read as _, Write};
use std::path::PathBuf;

use imds_files::Mode;

use crate::check::{self, Settings};
use crate::cli::{CheckArgs, Format};
use crate::extract::kind::Kind;
use crate::files::walk::{self, FileReport, Found, Selection};
use crate::fix::apply;
use crate::output;
use crate::output::report::Report;
use crate::rules::catalogue::{RULES, RuleId};
use crate::text::limits;

use super::{CLEAN, FINDINGS, Failure, UNREAD, baseline};

pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> io::Result<Result<u8, Failure>> {
    let rules = match rules(args) {
        Ok(rules) => rules,
        Err(failure) => return Ok(Err(failure)),
    };
    let settings = Settings { style: args.style };
    let stdin = args.paths.iter().any(|path| path.as_os_str() == "-");
    let mut found = if stdin {
        if args.paths.len() > 1 {
            return Ok(Err(Failure::new("`-` cannot be checked together with other paths")));
        }
        match standard_input(args, settings) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        }
    } else {
        let selection = Selection { ignored: args.no_ignore };
        walk::check_all(&args.paths, selection, settings)
    };
    if args.fix || args.diff {
        let before = Report::new(&found, &rules, args.severity);
        let mut before = before;
        if let Some(path) = &args.baseline
            && let Err(failure) = baseline::subtract(path, &mut before)
        {
            return Ok(Err(failure));
        }
        let rewritten = rewritten(&before);
        drop(before);
        if args.diff {
            for (index, text) in &rewritten {
                if let Some(report) = found.reports.get(*index) {
                    diff(report, text, out)?;
                }
            }
        } else if stdin {
            let text = rewritten.first().map(|(_, text)| text.as_str());
            let original = found.reports.first().map_or("", |report| report.checked.text.as_str());
            out.write_all(text.unwrap_or(original).as_bytes())?;
        } else if let Err(failure) = replace(&mut found, rewritten, settings) {
            return Ok(Err(failure));
        }
        if args.diff || stdin {
            let report = Report::new(&found, &rules, args.severity);
            return Ok(Ok(status(&report)));
        }
    }
    let mut report = Report::new(&found, &rules, args.severity);
    if let Some(path) = &args.write_baseline {
        let text = match baseline::write(&report) {
            Ok(text) => text,
            Err(failure) => return Ok(Err(failure)),
        };
        if let Err(error) = imds_files::write_output(path, Mode::Shared, text.as_bytes()) {
            return Ok(Err(Failure::new(error.to_string())));
        }
        report.entries.clear();
        return Ok(Ok(status(&report)));
    }
    if let Some(path) = &args.baseline
        && let Err(failure) = baseline::subtract(path, &mut report)
    {
        return Ok(Err(failure));
    }
    output::write(args.output, &report, out)?;
    if args.output != Format::Text && args.output != Format::Github && !io::stdout().is_terminal() {
        out.flush()?;
    }
    Ok(Ok(status(&report)))
}

fn rules(args: &CheckArgs) -> Result<Vec<RuleId>, Failure> {
    args.rules
        .iter()
        .map(|id| {
            RuleId::named(id.trim()).ok_or_else(|| Failure {
                message: format!("no rule is called `{id}`"),
                hint: Some(format!(
                    "the rules are {}",
                    RULES.iter().map(|rule| rule.id).collect::<Vec<_>>().join(", ")
                )),
            })
        })
        .collect()
}

const fn status(report: &Report<'_>) -> u8 {
    if !report.not_checked.is_empty() {
        UNREAD
    } else if report.entries.is_empty() {
        CLEAN
    } else {
        FINDINGS
    }
}

fn standard_input(args: &CheckArgs, settings: Settings) -> Result<Found, Failure> {
    let mut bytes = Vec::new();
    io::stdin()
        .take(limits::FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("cannot read standard input: {error}")))?;
    let name = args.stdin_name.as_deref().unwrap_or("<stdin>");
    let known = crate::extract::kind::by_name(name).or_else(|| crate::extract::kind::by_content(&bytes));
    // Without a name and a first line that says more, what comes through a pipe is shell.
    let checked = match known {
        Some(_) => check::check(name, &bytes, settings),
        None => check::check_as(Kind::Shell, &bytes, settings),
    };
    let mut checked = checked;
    if checked.text.is_empty() {
        checked.text = String::from_utf8_lossy(&bytes).into_owned();
    }
    Ok(Found {
        reports: vec![FileReport { path: PathBuf::from(name), checked }],
        failures: Vec::new(),
        files: 1,
    })
}

/// The new text of each file that changes, by the number of its report.
fn rewritten(report: &Report<'_>) -> Vec<(usize, String)> {
    let mut files: Vec<(usize, String)> = Vec::new();
    let mut start = 0;
    let entries = &report.entries;
    while let Some(first) = entries.get(start) {
        let count =
            entries.iter().skip(start).take_while(|entry| std::ptr::eq(entry.text, first.text)).count();
        let of_file = entries.get(start..start + count).unwrap_or_default();
        let groups: Vec<_> = of_file
            .iter()
            .map(|entry| entry.finding.edits.as_slice())
            .filter(|edits| !edits.is_empty())
            .collect();
        let chosen = apply::choose(&groups);
        if !chosen.is_empty() {
            files.push((first.report, apply::apply(first.text, &chosen)));
        }
        start += count.max(1);
    }
    files
}

fn diff(report: &FileReport, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = report.path.to_string_lossy();
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let diff = similar::TextDiff::from_lines(report.checked.text.as_str(), text);
    let mut unified = diff.unified_diff();
    let (from, to) = (format!("a/{name}"), format!("b/{name}"));
    write!(out, "{}", unified.context_radius(3).header(&from, &to))
}

/// Writes the new texts and checks them once more.
fn replace(found: &mut Found, rewritten: Vec<(usize, String)>, settings: Settings) -> Result<(), Failure> {
    for (index, text) in rewritten {
        let Some(report) = found.reports.get_mut(index) else { continue };
        let path = report.path.clone();
        imds_files::write_output(&path, Mode::Shared, text.as_bytes())
            .map_err(|error| Failure::new(error.to_string()))?;
        report.checked = check::check(&path.to_string_lossy(), text.as_bytes(), settings);
    }
    Ok(())
}
