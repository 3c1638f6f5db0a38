//! Workflow commands of GitHub Actions: annotations on the lines of a pull request.

use std::io::{self, Write};

use crate::rules::catalogue::Severity;

use super::report::Report;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for entry in &report.entries {
        let rule = entry.finding.rule();
        let command = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        writeln!(
            out,
            "::{command} file={},line={},endLine={},col={},title={}::{}",
            property(entry.file.trim_start_matches("./")),
            entry.start.line,
            entry.end.line,
            entry.start.column,
            property(rule.id),
            data(&format!("{}. {}", entry.finding.message, rule.fix)),
        )?;
    }
    for part in &report.not_checked {
        let line = part.line.map_or_else(String::new, |line| format!(",line={line}"));
        let file = property(part.file.trim_start_matches("./"));
        writeln!(out, "::error file={file}{line},title=not checked::{}", data(&part.reason))?;
    }
    Ok(())
}

/// As the runner's own toolkit escapes messages.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
