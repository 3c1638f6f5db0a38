//! JUnit XML: every resource is a test case, a finding its failure, an excepted one a skip, what was not scanned an
//! error.

use std::io::Write;

use crate::inventory::resource::{Resource, Scan};
use crate::rules::judge::Finding;

/// Everything up to the first case.
///
/// # Errors
///
/// When it cannot be written.
pub fn head(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"imds-fleet\">")
}

/// The case of one resource.
///
/// # Errors
///
/// When it cannot be written.
pub fn case(out: &mut dyn Write, resource: &Resource, findings: &[Finding]) -> std::io::Result<()> {
    let place = resource.place();
    write!(
        out,
        "<testcase classname=\"{}\" name=\"{}\"",
        escaped(&format!("{}.{}.{}", place.account, place.region, resource.kind())),
        escaped(resource.id())
    )?;
    if findings.is_empty() {
        return writeln!(out, "/>");
    }
    writeln!(out, ">")?;
    let open: Vec<&Finding> = findings.iter().filter(|finding| !finding.excepted).collect();
    // A test case fails once: what is wrong with one resource stands in one failure.
    if let Some(worst) = open.iter().max_by_key(|finding| finding.severity) {
        let lines: Vec<String> = open
            .iter()
            .map(|finding| {
                format!(
                    "{} ({}): {}\n  {}",
                    finding.rule.id,
                    finding.severity.as_str(),
                    finding.message,
                    finding.fix
                )
            })
            .collect();
        writeln!(
            out,
            "<failure type=\"{}\" message=\"{}\">{}</failure>",
            worst.rule.id,
            escaped(&worst.message),
            escaped(&lines.join("\n"))
        )?;
    } else if let Some(exception) = findings.iter().find_map(|finding| finding.exception.as_ref()) {
        let text = format!("{} (owner {}, until {})", exception.reason, exception.owner, exception.expires);
        writeln!(out, "<skipped message=\"{}\"/>", escaped(&text))?;
    }
    writeln!(out, "</testcase>")
}

/// The case of a place that was not scanned.
///
/// # Errors
///
/// When it cannot be written.
pub fn not_scanned(out: &mut dyn Write, scan: &Scan) -> std::io::Result<()> {
    writeln!(
        out,
        "<testcase classname=\"{}.{}\" name=\"scan\"><error message=\"{}\"/></testcase>",
        escaped(&scan.place.account),
        escaped(&scan.place.region),
        escaped(&super::flat::not_scanned(scan))
    )
}

/// Everything after the last case.
///
/// # Errors
///
/// When it cannot be written.
pub fn tail(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "</testsuite>\n</testsuites>")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no way to write most control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
