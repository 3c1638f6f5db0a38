//! JUnit XML: one test case per finding, and one per part that was not checked.

use std::io::{self, Write};

use imds_model::printable;

use super::report::Report;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let failures = report.entries.len();
    let errors = report.not_checked.len();
    // A run without findings is one case that passes: an empty suite reads as "nothing ran".
    let passed = usize::from(failures + errors == 0);
    let tests = failures + errors + passed;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")?;
    writeln!(
        out,
        "  <testsuite name=\"imds-lint\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\">"
    )?;
    if passed == 1 {
        writeln!(out, "    <testcase classname=\"imds-lint\" name=\"{} files\"/>", report.files)?;
    }
    for entry in &report.entries {
        let rule = entry.finding.rule();
        let place = format!("{}:{}:{}", entry.file, entry.start.line, entry.start.column);
        writeln!(out, "    <testcase classname=\"{}\" name=\"{}\">", rule.id, xml(&place))?;
        writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">{}</failure>",
            rule.severity.name(),
            xml(&entry.finding.message),
            xml(rule.fix)
        )?;
        writeln!(out, "    </testcase>")?;
    }
    for part in &report.not_checked {
        let line = part.line.map_or_else(String::new, |line| format!(":{line}"));
        let place = xml(&format!("{}{line}", part.file));
        writeln!(out, "    <testcase classname=\"not-checked\" name=\"{place}\">")?;
        writeln!(out, "      <error message=\"{}\"/>\n    </testcase>", xml(&part.reason))?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn xml(text: &str) -> String {
    let text = printable::escape(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
