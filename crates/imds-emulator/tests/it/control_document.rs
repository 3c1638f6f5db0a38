//! The OpenAPI document beside what the control API answers.

use std::collections::{BTreeMap, BTreeSet};

use imds_emulator::{ControlToken, Emulator};
use serde_json::Value;

use crate::raw::{body, exchange, status};

const TOKEN: &str = "0123456789abcdef";

/// An answer to a request, whose `HOST` is the emulator's address.
fn call(emulator: &Emulator, request: &str) -> (u16, Value) {
    let address = emulator.control_address().unwrap();
    let answer = exchange(address, &request.replace("HOST", &address.to_string()));
    let answer = String::from_utf8(answer).unwrap();
    (status(&answer), serde_json::from_str(body(&answer)).unwrap_or_default())
}

fn request(method: &str, path: &str, json: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    )
}

/// Whether a value is one by a schema of the document: types, members, words.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(value, &root["components"]["schemas"][name.rsplit('/').next().unwrap()], root);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.is_empty() && !types.contains(&own) {
        return Err(format!("{value} is {own}, not {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, &schema["items"], root)?;
    }
    if let (Some(members), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            fits(member, known.get(name).ok_or(format!("`{name}` is not described"))?, root)?;
        }
    }
    let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match needed.into_iter().find(|name| value[*name].is_null()) {
        Some(name) => Err(format!("`{name}` is missing in {value}")),
        None => Ok(()),
    }
}

/// Every answer that the document names is given, every answer that is given is named, and its body
/// is what the document says.
#[test]
fn every_answer_is_in_the_document_and_every_one_of_the_document_is_given() {
    let control = "127.0.0.1:0".parse().unwrap();
    let open = Emulator::builder().control(control).start().unwrap();
    let token = ControlToken::new(TOKEN).unwrap();
    let closed = Emulator::builder().control(control).control_token(token).start().unwrap();
    let stepped = Emulator::builder().control(control).clock(imds_emulator::Clock::parse("stepped").unwrap());
    let stepped = stepped.start().unwrap();
    let (_, document) = call(&open, &request("GET", "/openapi.json", ""));
    // Something to show.
    assert_eq!(
        crate::raw::status(&crate::raw::get(&open, "/latest/meta-data/mac", "User-Agent: x\r\n")),
        200
    );
    let mut seen: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let (good, bad) = match path.as_str() {
                "/v1/events" => (r#"{"event":"rebalance"}"#, r#"{"event":"nothing"}"#),
                "/v1/clock" => (r#"{"step":"1s"}"#, r#"{"step":"soon"}"#),
                "/v1/assert" => (r#"{"assertion":"v1 == 0"}"#, "{}"),
                _ => ("", ""),
            };
            let whole = |json: &str| request(&method, path, json);
            let mut answers = vec![
                call(&stepped, &whole(good)),
                call(&open, &whole(bad)),
                call(&open, &whole(good)),
                call(&open, &whole(good).replace("HOST", "rebound.example")),
                call(&closed, &whole(good)),
                call(&open, &whole(good).replace("Content-Length: ", "Content-Length: 9999999")),
                call(&open, &whole(good).replace("Content-Length: ", "Transfer-Encoding: chunked\r\nX: ")),
                call(&open, &whole(good).replace("application/json", "text/plain")),
                call(&open, &format!("{method} {path} NONSENSE\r\n\r\n")),
            ];
            if path == "/v1/events" {
                let many = r#"{"event":"fault","fault":"503","path":"/nowhere"}"#;
                let full = (0..2000).map(|_| call(&stepped, &whole(many))).find(|(code, _)| *code != 200);
                answers.push(full.unwrap());
            }
            for (code, body) in answers {
                let described = &operation["responses"][code.to_string()];
                assert!(described.is_object(), "{method} {path}: {code} {body} is not in the document");
                let schema = match described["$ref"].as_str() {
                    Some(name) => {
                        let name = name.rsplit('/').next().unwrap();
                        &document["components"]["responses"][name]["content"]["application/json"]["schema"]
                    }
                    None => &described["content"]["application/json"]["schema"],
                };
                fits(&body, schema, &document)
                    .unwrap_or_else(|wrong| panic!("{method} {path} {code}: {wrong}"));
                seen.entry((method.clone(), path.clone())).or_default().insert(code.to_string());
            }
            let named: BTreeSet<String> =
                operation["responses"].as_object().unwrap().keys().cloned().collect();
            // No system is without random numbers on demand.
            let named: BTreeSet<String> = named.into_iter().filter(|code| code != "500").collect();
            assert_eq!(seen[&(method.clone(), path.clone())], named, "{method} {path}");
        }
    }
    assert_eq!(call(&open, &request("GET", "/v1/nothing", "")).0, 404);
    assert_eq!(call(&open, &request("PUT", "/v1/state", "")).0, 405);
    assert_eq!(call(&closed, &request("GET", "/openapi.json", "")).0, 200, "open without a token");
}

#[test]
fn an_address_that_another_took_is_shown_as_not_listening() {
    let control = "127.0.0.1:0".parse().unwrap();
    let emulator = Emulator::builder().control(control).start().unwrap();
    let address = emulator.address();
    let event = |json: &str| assert_eq!(call(&emulator, &request("POST", "/v1/events", json)).0, 200);
    event(r#"{"event":"terminate"}"#);
    // The port is free once the service has let go of it.
    let taken = loop {
        match std::net::TcpListener::bind(address) {
            Ok(listener) => break listener,
            Err(_) => std::thread::yield_now(),
        }
    };
    event(r#"{"event":"start"}"#);
    let (_, document) = call(&emulator, &request("GET", "/openapi.json", ""));
    loop {
        let (code, state) = call(&emulator, &request("GET", "/v1/state", ""));
        assert_eq!(code, 200);
        if let Some(one) = state["not-listening"].as_array().unwrap().first() {
            assert_eq!(one["address"], address.to_string());
            assert!(one["error"].as_str().unwrap().contains("in use"), "{one}");
            fits(&state, &document["components"]["schemas"]["State"], &document).unwrap();
            break;
        }
        std::thread::yield_now();
    }
    drop(taken);
}
