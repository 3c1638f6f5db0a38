//! The manual's tables.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema;
use crate::control::OPENAPI;
use crate::event::fault::FAULTS;
use crate::event::text::{EVENTS, EventText};
use crate::files::instance_file::File;
use crate::instance::types::TYPES;
use crate::instance::{Instance, Preset};
use crate::server::assertion::COUNTERS;

/// Every table with its name.
pub(super) fn all() -> Vec<(&'static str, String)> {
    vec![
        ("instance", instance()),
        ("types", types()),
        ("presets", presets()),
        ("events", events()),
        ("parameters", parameters()),
        ("faults", faults()),
        ("counters", counters()),
        ("endpoints", endpoints()),
    ]
}

fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut out = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
    for row in rows {
        let _ =
            writeln!(out, "| {} |", row.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).join(" | "));
    }
    out
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A doc comment as a cell: rustdoc's links and the period at the end are not for a table.
fn what(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.trim_end_matches('.').to_owned()
}

/// The type of a member, in words of TOML.
fn kind(schema: &Value, root: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return match name {
            "Timestamp" => "time".to_owned(),
            "UserData" => "text, or `{ base64 }`".to_owned(),
            _ => kind(&root["$defs"][name], root),
        };
    }
    let words: Vec<String> = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .chain(schema["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]))
        .filter_map(|one| one.as_str().map(code))
        .collect();
    if !words.is_empty() {
        return words.join(", ");
    }
    let inner = schema["anyOf"].as_array().into_iter().flatten().find(|one| one["type"] != "null");
    if let Some(inner) = inner {
        return kind(inner, root);
    }
    let types = &schema["type"];
    let name = types.as_str().or_else(|| types[0].as_str()).unwrap_or_default();
    match name {
        "string" => "text".to_owned(),
        "integer" | "number" => match (&schema["minimum"], &schema["maximum"]) {
            (Value::Number(least), Value::Number(most)) if most.as_u64() < Some(256) => {
                format!("number, {least} to {most}")
            }
            _ => "number".to_owned(),
        },
        "boolean" => "`true`, `false`".to_owned(),
        "array" => format!("list of {}", kind(&schema["items"], root)),
        "object" if schema["additionalProperties"].is_object() => {
            format!("{} by name", kind(&schema["additionalProperties"], root))
        }
        _ => "table".to_owned(),
    }
}

/// The schema behind references, `null` and lists, if it has members of its own.
fn object<'v>(schema: &'v Value, root: &'v Value) -> Option<&'v Value> {
    if let Some(name) = schema["$ref"].as_str() {
        return object(&root["$defs"][name.trim_start_matches("#/$defs/")], root);
    }
    if schema["properties"].is_object() {
        // Written as one value.
        return (schema["properties"]["base64"].is_null()).then_some(schema);
    }
    if schema["items"].is_object() {
        return object(&schema["items"], root);
    }
    schema["anyOf"].as_array()?.iter().find_map(|one| object(one, root))
}

fn keys(schema: &Value, root: &Value, prefix: &str, rows: &mut Vec<[String; 4]>, defaults: &Value) {
    let needed: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let inner = object(member, root);
        let is_list = kind(member, root).starts_with("list");
        let default = match &defaults[name] {
            _ if needed.contains(&name.as_str()) => "needed".to_owned(),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
            value if inner.is_some() || value.as_str().is_some_and(|text| text.len() > 40) => String::new(),
            value => code(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        };
        rows.push([code(&path), kind(member, root), default, what(member)]);
        if let Some(inner) = inner {
            let below = if is_list { format!("{path}[].") } else { format!("{path}.") };
            let defaults = if is_list { &Value::Null } else { &defaults[name] };
            keys(inner, root, &below, rows, defaults);
        }
    }
}

fn instance() -> String {
    let root = schema::of::<File>();
    let defaults = serde_json::json!({ "instance": Instance::default(), "preset": "default" });
    let mut rows = Vec::new();
    keys(&root, &root, "", &mut rows, &defaults);
    table(["key", "value", "default", "what"], rows)
}

fn types() -> String {
    let rows = TYPES.iter().map(|limits| {
        [
            code(limits.name),
            code(limits.architecture),
            limits.cards.to_string(),
            limits.interfaces_per_card.to_string(),
            limits.addresses_per_interface.to_string(),
        ]
    });
    let head = [
        "type",
        "architecture",
        "network cards",
        "interfaces per card",
        "IPv4 and IPv6 addresses per interface, each",
    ];
    table(head, rows)
}

fn presets() -> String {
    let root = schema::of::<Preset>();
    let said = |name: &str| {
        let all = root["oneOf"].as_array().unwrap();
        what(all.iter().find(|one| one["const"] == name).unwrap())
    };
    let rows = Preset::ALL.map(|preset| {
        let instance = preset.instance();
        [
            code(preset.as_str()),
            said(preset.as_str()),
            code(&instance.instance_type),
            instance.interfaces.len().to_string(),
            code(preset.profile().as_str()),
            code(preset.options().http_tokens.as_str()),
        ]
    });
    table(["preset", "what", "instance type", "interfaces", "profile", "tokens"], rows)
}

fn events() -> String {
    let rows = EVENTS.map(|(name, parameters, what)| {
        let parameters: Vec<String> = parameters.iter().map(|name| code(name)).collect();
        [code(name), what.to_owned(), parameters.join(", ")]
    });
    table(["event", "what happens", "parameters"], rows)
}

fn parameters() -> String {
    let root = schema::of::<EventText>();
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let described = &document["components"]["schemas"]["Event"]["properties"];
    let rows = root["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "event").map(
        |(name, own)| {
            let whole = &described[name];
            let mut value = kind(whole, &root);
            if whole["format"] == "date-time" {
                value = "time".to_owned();
            }
            let durations = ["after", "notice", "pending", "drain", "wait", "proceed", "pooled", "for"];
            let is_duration = durations.contains(&name.as_str());
            let value = if is_duration { "duration: `30s`".to_owned() } else { value };
            let of: Vec<String> = EVENTS
                .iter()
                .filter(|(_, takes, _)| takes.contains(&name.as_str()))
                .map(|(event, ..)| code(event))
                .collect();
            let of = if name == "after" { "every event".to_owned() } else { of.join(", ") };
            [code(name), of, value, what(own)]
        },
    );
    table(["parameter", "of", "value", "what"], rows)
}

fn faults() -> String {
    table(["fault", "what a client sees"], FAULTS.map(|(name, what)| [code(name), what.to_owned()]))
}

fn counters() -> String {
    table(["name", "counts"], COUNTERS.map(|(name, what)| [code(name), what.to_owned()]))
}

fn endpoints() -> String {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let mut rows = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers: Vec<&str> =
                operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
            let summary = operation["summary"].as_str().unwrap().to_owned();
            rows.push([code(&format!("{} {path}", method.to_uppercase())), summary, answers.join(", ")]);
        }
    }
    table(["endpoint", "what", "answers"], rows)
}
