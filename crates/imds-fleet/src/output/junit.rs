//! JUnit XML: every account and Region is a suite, every resource a test case, a finding its
//! failure, an excepted one a skip, what was not scanned an error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use crate::inventory::resource::{AccountRegion, Resource, Scan};
use crate::rules::judge::Finding;

/// Cases that a suite holds before it is written: its head says how many there are, so they come
/// first. A place that has more fills several suites.
const SUITE: u64 = 1000;

/// The suites that are not written yet.
#[derive(Debug, Default)]
pub struct Suites {
    open: BTreeMap<AccountRegion, Suite>,
}

#[derive(Debug, Default)]
struct Suite {
    cases: String,
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
}

/// Everything up to the first suite.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn head(out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"imds-fleet\">")
}

impl Suites {
    /// Takes in a resource and what is wrong with it.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn judged(
        &mut self,
        out: &mut dyn Write,
        resource: &Resource,
        findings: &[Finding],
    ) -> std::io::Result<()> {
        let place = resource.place();
        let suite = self.open.entry(place.clone()).or_default();
        suite.case(resource, findings);
        if suite.tests < SUITE {
            return Ok(());
        }
        self.write(out, &place.clone())
    }

    /// Takes in how the scan of a place ended.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn scanned(&mut self, out: &mut dyn Write, scan: &Scan) -> std::io::Result<()> {
        if !scan.is_complete() {
            self.open.entry(scan.place.clone()).or_default().not_scanned(scan);
        }
        self.write(out, &scan.place)
    }

    /// Everything that is left, and the end.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be written.
    pub fn finish(&mut self, out: &mut dyn Write) -> std::io::Result<()> {
        while let Some(place) = self.open.keys().next().cloned() {
            self.write(out, &place)?;
        }
        writeln!(out, "</testsuites>")
    }

    fn write(&mut self, out: &mut dyn Write, place: &AccountRegion) -> std::io::Result<()> {
        let Some(suite) = self.open.remove(place) else { return Ok(()) };
        let name = escaped(&class(place));
        let Suite { cases, tests, failures, errors, skipped } = suite;
        writeln!(
            out,
            "<testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
             skipped=\"{skipped}\">\n{cases}</testsuite>"
        )
    }
}

/// What a place is called where programs have packages.
fn class(place: &AccountRegion) -> String {
    format!("{}.{}", place.account, place.region)
}

impl Suite {
    fn case(&mut self, resource: &Resource, findings: &[Finding]) {
        self.tests += 1;
        let text = &mut self.cases;
        let class = escaped(&format!("{}.{}", class(resource.place()), resource.kind()));
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "<testcase classname=\"{class}\" name=\"{}\"", escaped(resource.id()));
        if findings.is_empty() {
            text.push_str("/>\n");
            return;
        }
        text.push_str(">\n");
        let open: Vec<&Finding> = findings.iter().filter(|finding| !finding.excepted).collect();
        // A test case fails once: what is wrong with one resource stands in one failure.
        if let Some(worst) = open.iter().max_by_key(|finding| finding.severity) {
            self.failures += 1;
            let lines: Vec<String> = open
                .iter()
                .map(|finding| {
                    format!(
                        "{} ({}): {}\n  {}",
                        finding.rule.id,
                        finding.severity.as_str(),
                        finding.message,
                        finding.advice()
                    )
                })
                .collect();
            let _ = writeln!(
                text,
                "<failure type=\"{}\" message=\"{}\">{}</failure>",
                worst.rule.id,
                escaped(&worst.message),
                escaped(&lines.join("\n"))
            );
        } else if let Some(exception) = findings.iter().find_map(|finding| finding.exception.as_ref()) {
            self.skipped += 1;
            let why =
                format!("{} (owner {}, until {})", exception.reason, exception.owner, exception.expires);
            let _ = writeln!(text, "<skipped message=\"{}\"/>", escaped(&why));
        }
        text.push_str("</testcase>\n");
    }

    fn not_scanned(&mut self, scan: &Scan) {
        self.tests += 1;
        self.errors += 1;
        let _ = writeln!(
            self.cases,
            "<testcase classname=\"{}\" name=\"scan\"><error message=\"{}\"/></testcase>",
            escaped(&class(&scan.place)),
            escaped(&super::flat::not_scanned(scan))
        );
    }
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
