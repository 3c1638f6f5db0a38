//! One JSON document; its form is described in `docs/lint.md`.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::excerpt;
use super::report::{Entry, Report};

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = json!({
        "version": 1,
        "findings": report.entries.iter().map(finding).collect::<Vec<_>>(),
        "suppressed": report.suppressed.iter().map(finding).collect::<Vec<_>>(),
        "not_checked": report.not_checked.iter().map(|part| json!({
            "file": part.file, "line": part.line, "reason": part.reason,
        })).collect::<Vec<_>>(),
        "files": report.files,
        "in_baseline": report.in_baseline,
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn finding(entry: &Entry<'_>) -> Value {
    let rule = entry.finding.rule();
    let mut value = json!({
        "rule": rule.id,
        "severity": rule.severity,
        "file": entry.file,
        "line": entry.start.line,
        "column": entry.start.column,
        "end_line": entry.end.line,
        "end_column": entry.end.column,
        "message": entry.finding.message,
        "within": entry.finding.within,
        "inner_line": entry.finding.inner_line,
        "source": excerpt::shown(entry.line_text()),
        "fixable": !entry.finding.edits.is_empty(),
    });
    if let Some(reason) = entry.suppressed {
        value["reason"] = json!(reason);
    }
    value
}
