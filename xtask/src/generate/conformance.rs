//! `crates/imds-testkit/src/conformance/table.rs`: the protocol tests of the model as statics.

use super::ast::{Ast, json_name, local_name, payload_of, text};
use imds_model::calendar::DateTime;
use serde_json::{Map, Value};
use std::fmt::Write;

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let mut requests = String::new();
    let mut responses = String::new();
    let mut malformed = String::new();
    for (id, shape) in ast.shapes()? {
        let traits = &shape["traits"];
        for case in cases(&traits["smithy.test#httpRequestTests"]) {
            request(&mut requests, ast, id, shape, case)?;
        }
        for case in cases(&traits["smithy.test#httpResponseTests"]) {
            response(&mut responses, ast, id, shape, case)?;
        }
        for case in cases(&traits["smithy.test#httpMalformedRequestTests"]) {
            malformed_request(&mut malformed, id, case)?;
        }
    }
    Ok(format!(
        "//! The cases. Written by `cargo xtask generate` from `model/ast.json`; edit `model/conformance.smithy`.\n\n\
         use super::{{MalformedRequestCase, RequestCase, ResponseCase}};\n\n\
         /// What a client must send.\npub static REQUESTS: &[RequestCase] = &[\n{requests}];\n\n\
         /// What a client must make of answers.\n\
         pub static RESPONSES: &[ResponseCase] = &[\n{responses}];\n\n\
         /// What a service must refuse.\n\
         pub static MALFORMED_REQUESTS: &[MalformedRequestCase] = &[\n{malformed}];\n"
    ))
}

fn cases(tests: &Value) -> impl Iterator<Item = &Value> {
    tests.as_array().into_iter().flatten()
}

fn request(out: &mut String, ast: &Ast, id: &str, shape: &Value, case: &Value) -> Result<(), String> {
    let uri = text(&shape["traits"]["smithy.api#http"]["uri"], "uri")?;
    let input = ast.members(text(&shape["input"]["target"], "input")?)?;
    let _ = writeln!(
        out,
        "    RequestCase {{\n        id: {:?}, operation: {:?},\n        documentation: {:?},\n        path: {:?},\n        \
         method: {:?}, uri: {:?},\n        headers: &{:?}, require_headers: &{:?}, forbid_headers: &{:?},\n    }},",
        text(&case["id"], "id")?,
        local_name(id),
        text(&case["documentation"], "documentation")?,
        expand(uri, input, &case["params"]),
        text(&case["method"], "method")?,
        text(&case["uri"], "uri")?,
        headers(&case["headers"]),
        names(&case["requireHeaders"]),
        names(&case["forbidHeaders"]),
    );
    Ok(())
}

fn response(out: &mut String, ast: &Ast, id: &str, shape: &Value, case: &Value) -> Result<(), String> {
    let members = match shape["output"]["target"].as_str() {
        Some(output) => ast.members(output)?,
        None => ast.members(id)?,
    };
    let (payload, member) = payload_of(members).ok_or("no payload")?;
    let value = wire(ast, text(&member["target"], payload)?, &case["params"][payload])?;
    let _ = writeln!(
        out,
        "    ResponseCase {{\n        id: {:?}, shape: {:?},\n        documentation: {:?},\n        code: {}, headers: &{:?},\n        \
         body: {:?},\n        format: {:?},\n        value: {:?},\n    }},",
        text(&case["id"], "id")?,
        local_name(id),
        text(&case["documentation"], "documentation")?,
        case["code"],
        headers(&case["headers"]),
        case["body"].as_str().unwrap_or_default(),
        shape["traits"]["imds.traits#bodyFormat"].as_str(),
        value.to_string(),
    );
    Ok(())
}

fn malformed_request(out: &mut String, id: &str, case: &Value) -> Result<(), String> {
    let _ = writeln!(
        out,
        "    MalformedRequestCase {{\n        id: {:?}, operation: {:?},\n        documentation: {:?},\n        \
         method: {:?}, uri: {:?}, headers: &{:?}, code: {},\n    }},",
        text(&case["id"], "id")?,
        local_name(id),
        text(&case["documentation"], "documentation")?,
        text(&case["request"]["method"], "method")?,
        text(&case["request"]["uri"], "uri")?,
        headers(&case["request"]["headers"]),
        case["response"]["code"],
    );
    Ok(())
}

/// A URI pattern with its labels filled in as they are.
fn expand(uri: &str, input: &Map<String, Value>, params: &Value) -> String {
    input.keys().fold(uri.to_owned(), |uri, label| match params[label].as_str() {
        Some(value) => uri.replace(&format!("{{{label}}}"), value).replace(&format!("{{{label}+}}"), value),
        None => uri,
    })
}

/// A value of a case as the wire has it: members by their `jsonName`, and times, which cases give
/// in seconds, as RFC 3339 text.
fn wire(ast: &Ast, target: &str, value: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::Number(seconds) if ast.shape(target)?["type"] == "timestamp" => {
            let seconds = seconds.as_i64().ok_or("a time is not a whole number of seconds")?;
            Value::String(DateTime::from_unix_seconds(seconds).rfc3339())
        }
        Value::Object(map) => {
            let mut wire_map = Map::new();
            for (name, value) in map {
                let member = ast.member(target, name)?;
                wire_map.insert(
                    json_name(member, name).to_owned(),
                    wire(ast, text(&member["target"], name)?, value)?,
                );
            }
            Value::Object(wire_map)
        }
        Value::Array(items) => {
            let member = text(&ast.shape(target)?["member"]["target"], target)?;
            Value::Array(items.iter().map(|item| wire(ast, member, item)).collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn headers(value: &Value) -> Vec<(&str, &str)> {
    let map = value.as_object().into_iter().flatten();
    map.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
