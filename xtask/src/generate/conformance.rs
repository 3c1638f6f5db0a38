//! `crates/imds-testkit/src/conformance/table.rs`: the protocol tests of the model as statics.

use super::ast::{Ast, json_name, local_name, payload_of, text};
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
         /// What a client must make of answers.\npub static RESPONSES: &[ResponseCase] = &[\n{responses}];\n\n\
         /// What a service must refuse.\npub static MALFORMED_REQUESTS: &[MalformedRequestCase] = &[\n{malformed}];\n"
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

/// A value of a case as the wire has it: members by their `jsonName`, and times, which cases give in seconds, as
/// RFC 3339 text.
fn wire(ast: &Ast, target: &str, value: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::Number(seconds) if ast.shape(target)?["type"] == "timestamp" => {
            Value::String(rfc3339(seconds.as_i64().ok_or("a time is no whole number of seconds")?))
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

/// Seconds since 1970 as `2017-09-18T08:22:00Z` (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn rfc3339(seconds: i64) -> String {
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

fn headers(value: &Value) -> Vec<(&str, &str)> {
    let map = value.as_object().into_iter().flatten();
    map.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_of_the_guide() {
        assert_eq!(super::rfc3339(1_505_722_920), "2017-09-18T08:22:00Z");
        assert_eq!(super::rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::rfc3339(951_782_400), "2000-02-29T00:00:00Z");
    }
}
