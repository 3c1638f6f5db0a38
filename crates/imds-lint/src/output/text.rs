//! For people: the message, the line, a caret under what is meant, and the fix.

use std::io::{self, Write};

use imds_model::printable;

use super::excerpt;
use super::report::{Entry, Report};

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for entry in &report.entries {
        finding(entry, out)?;
    }
    for part in &report.not_checked {
        let file = printable::escape(&part.file);
        let place = part.line.map_or_else(|| file.to_string(), |line| format!("{file}:{line}"));
        writeln!(out, "{place}: not checked: {}\n", printable::escape(&part.reason))?;
    }
    summary(report, out)
}

fn finding(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rule = entry.finding.rule();
    let file = printable::escape(&entry.file);
    let message = printable::escape(&entry.finding.message);
    writeln!(
        out,
        "{file}:{}:{}: {}[{}]: {message}",
        entry.start.line,
        entry.start.column,
        rule.severity.name(),
        rule.id
    )?;
    let line = excerpt::shown(entry.line_text());
    let number = entry.start.line.to_string();
    let margin = " ".repeat(number.len());
    if !line.is_empty() {
        let width = line.chars().count();
        let start = entry.start.column.saturating_sub(1).min(width);
        let end = if entry.end.line == entry.start.line { entry.end.column - 1 } else { width };
        let carets = "^".repeat(end.clamp(start + 1, width.max(start + 1)) - start);
        writeln!(out, "{margin} |\n{number} | {line}\n{margin} | {}{carets}", " ".repeat(start))?;
    }
    if let Some(within) = &entry.finding.within {
        let line = entry.finding.inner_line.map_or_else(String::new, |line| format!(", line {line}"));
        writeln!(out, "{margin} = in {}{line}", printable::escape(within))?;
    }
    let by_itself = if entry.finding.edits.is_empty() { "" } else { " (`--fix` does it)" };
    writeln!(out, "{margin} = fix: {}{by_itself}\n", rule.fix)
}

fn summary(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let fixable = report.entries.iter().filter(|entry| !entry.finding.edits.is_empty()).count();
    let mut parts = vec![match report.entries.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    }];
    if fixable > 0 {
        parts.push(format!("{fixable} that `--fix` rewrites"));
    }
    if !report.suppressed.is_empty() {
        parts.push(format!("{} suppressed", report.suppressed.len()));
    }
    if report.in_baseline > 0 {
        parts.push(format!("{} in the baseline", report.in_baseline));
    }
    if !report.not_checked.is_empty() {
        parts.push(format!("{} not checked", report.not_checked.len()));
    }
    let files = if report.files == 1 { "file" } else { "files" };
    writeln!(out, "{} in {} {files}", parts.join(", "), report.files)
}
