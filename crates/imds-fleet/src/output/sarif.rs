//! SARIF 2.1.0 (OASIS). Cloud resources have no files: they are logical locations.

use std::io::Write;

use serde_json::{Value, json};

use crate::counts::Counts;
use crate::inventory::resource::Scan;
use crate::rules::catalogue::{RULES, Severity};
use crate::rules::judge::Finding;

/// Everything up to the first result.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn head(out: &mut dyn Write) -> std::io::Result<()> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.explanation },
                "help": { "text": rule.advice() },
                "defaultConfiguration": { "level": level(rule.severity) },
                "properties": { "configRule": rule.config_rule, "securityHubControl": rule.security_hub },
            })
        })
        .collect();
    let driver =
        json!({ "name": "imds-fleet", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules });
    write!(
        out,
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\
         \"tool\":{{\"driver\":{driver}}},\"results\":["
    )
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Informational => "note",
    }
}

/// One result.
#[must_use]
pub fn result(finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| rule.id == finding.rule.id);
    let place = &finding.place;
    let full = format!("{}/{}/{}/{}", place.account, place.region, finding.kind, finding.id);
    let mut result = json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}", finding.rule.title, finding.message) },
        "locations": [{
            "logicalLocations": [{ "name": finding.id, "fullyQualifiedName": full, "kind": "resource" }],
        }],
        // The same finding of the next run is the same alert.
        "partialFingerprints": { "resource/v1": format!("{full}/{}", finding.rule.id) },
    });
    if let Some(exception) = finding.exception.as_ref().filter(|_| finding.excepted) {
        let text = format!("{} (owner {}, until {})", exception.reason, exception.owner, exception.expires);
        result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": text }]);
    }
    result
}

/// Everything after the last result: what was not scanned is a failed invocation.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn tail(out: &mut dyn Write, counts: &Counts) -> std::io::Result<()> {
    let notifications: Vec<Value> = counts.incomplete.iter().map(notification).collect();
    let invocation = json!({
        "executionSuccessful": counts.incomplete.is_empty(),
        "toolExecutionNotifications": notifications,
    });
    writeln!(out, "\n],\"invocations\":[{invocation}]}}]}}")
}

fn notification(scan: &Scan) -> Value {
    let text = format!("{} not scanned: {}", scan.place, super::flat::not_scanned(scan));
    json!({ "level": "error", "message": { "text": text } })
}
