//! SARIF 2.1.0 (OASIS), as code scanning services read it.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::rules::catalogue::RULES;

use super::report::{Entry, Report};

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.why },
                "help": { "text": rule.fix },
                "defaultConfiguration": { "level": rule.severity.name() },
            })
        })
        .collect();
    let mut results: Vec<Value> = report.entries.iter().map(result).collect();
    results.extend(report.suppressed.iter().map(result));
    let notifications: Vec<Value> = report
        .not_checked
        .iter()
        .map(|part| {
            let mut place = json!({ "artifactLocation": { "uri": uri(&part.file) } });
            if let Some(line) = part.line {
                place["region"] = json!({ "startLine": line });
            }
            json!({
                "level": "error",
                "message": { "text": format!("not checked: {}", part.reason) },
                "locations": [{ "physicalLocation": place }],
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "imds-lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            // Columns count characters, not UTF-16 units.
            "columnKind": "unicodeCodePoints",
            "results": results,
            "invocations": [{
                "executionSuccessful": report.not_checked.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn result(entry: &Entry<'_>) -> Value {
    let finding = entry.finding;
    let rule = finding.rule();
    let mut message = finding.message.clone();
    if let Some(within) = &finding.within {
        let line = finding.inner_line.map_or_else(String::new, |line| format!(", line {line}"));
        message.push_str(&format!(" (in {within}{line})"));
    }
    let mut result = json!({
        "ruleId": rule.id,
        "ruleIndex": finding.rule as usize,
        "level": rule.severity.name(),
        "message": { "text": message },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&entry.file) },
            "region": {
                "startLine": entry.start.line,
                "startColumn": entry.start.column,
                "endLine": entry.end.line,
                "endColumn": entry.end.column,
            },
        } }],
        // The same line of the next run is the same alert, wherever it has moved to.
        "partialFingerprints": { "line/v1": format!("{}/{}", rule.id, fingerprint(entry.line_text().trim())) },
    });
    if let Some(reason) = entry.suppressed {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

/// A relative or absolute path as a URI reference.
fn uri(path: &str) -> String {
    let path = path.trim_start_matches("./");
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// FNV-1a: the same text gives the same number in every run and release.
fn fingerprint(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(super::uri("./a b/ü.sh"), "a%20b/%C3%BC.sh");
    }
}
