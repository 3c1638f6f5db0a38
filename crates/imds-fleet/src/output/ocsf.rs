//! Open Cybersecurity Schema Framework: Compliance Finding (class 2003).

use serde_json::{Value, json};

use crate::rules::catalogue::Severity;
use crate::rules::judge::Finding;

/// The version of the schema that the events follow.
pub const VERSION: &str = "1.4.0";

/// One event.
#[must_use]
pub fn event(finding: &Finding, now: jiff::Timestamp) -> Value {
    let severity_id = match finding.severity {
        Severity::Informational => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
    };
    let place = &finding.place;
    let uid =
        format!("{}/{}/{}/{}/{}", place.account, place.region, finding.kind, finding.id, finding.rule.id);
    // 3 is suppressed, 1 new; 3 of `compliance` is a failure.
    let (status_id, status) = if finding.excepted { (3, "Suppressed") } else { (1, "New") };
    let requirements: Vec<&str> = finding.config_rule.into_iter().chain(finding.security_hub).collect();
    let mut resource = json!({
        "uid": finding.id,
        "type": finding.kind,
        "region": place.region,
        "cloud_partition": "aws",
    });
    // What is not known is left out: the schema has no null.
    if let Some(name) = &finding.name {
        resource["name"] = json!(name);
    }
    json!({
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200_301,
        "type_name": "Compliance Finding: Create",
        "time": now.as_millisecond(),
        "severity_id": severity_id,
        "severity": capitalised(finding.severity),
        "status_id": status_id,
        "status": status,
        "message": finding.message,
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {
                "name": "imds-fleet", "vendor_name": "imds", "version": env!("CARGO_PKG_VERSION"), "uid": "imds-fleet",
            },
        },
        "finding_info": {
            "uid": uid,
            "title": finding.rule.title,
            "desc": finding.rule.explanation,
            "types": ["Software and Configuration Checks"],
        },
        "compliance": {
            "control": finding.rule.id,
            "standards": ["imds-fleet"],
            "requirements": requirements,
            "status": "Fail",
            "status_id": 3,
        },
        "resources": [resource],
        "cloud": { "provider": "AWS", "region": place.region, "account": { "uid": place.account, "type_id": 10 } },
        "remediation": { "desc": finding.advice() },
    })
}

const fn capitalised(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
    }
}
