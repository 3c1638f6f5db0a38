//! The control API's routes: pure functions of the service and a request.

use imds_model::duration;
use serde_json::{Value, json};

use super::message::{Answer, Request};
use crate::event::text::EventText;
use crate::identity::SignatureKind;
use crate::server::{Assertion, Service};

const JSON: &str = "application/json";
/// Whose answer needs keys, which are made first.
pub(crate) const CERTIFICATES: &str = "/v1/certificates";

/// Every route: method and path. The OpenAPI document describes the same ones.
pub(crate) const ROUTES: [(&str, &str); 9] = [
    ("GET", "/v1/state"),
    ("GET", "/v1/tree"),
    ("GET", "/v1/requests"),
    ("DELETE", "/v1/requests"),
    ("POST", "/v1/events"),
    ("POST", "/v1/clock"),
    ("POST", "/v1/assert"),
    ("GET", CERTIFICATES),
    ("GET", "/openapi.json"),
];

/// Answers a request.
pub(crate) fn answer(service: &Service, endpoint: &str, request: &Request) -> Answer {
    if request.method == "POST" && !request.json {
        // A form of a foreign page cannot send this type without asking first.
        return problem("415 Unsupported Media Type", "the body has to be `application/json`");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => {
            Answer { status: "200 OK", content_type: "text/html; charset=utf-8", body: super::PAGE.into() }
        }
        ("GET", "/openapi.json") => {
            Answer { status: "200 OK", content_type: JSON, body: super::OPENAPI.into() }
        }
        ("GET", "/v1/state") => ok(&state(service, endpoint)),
        ("GET", "/v1/tree") => ok(&tree(service)),
        ("GET", "/v1/requests") => {
            let after = request.query.split('&').find_map(|pair| pair.strip_prefix("after="));
            match after.unwrap_or("0").parse() {
                Ok(after) => ok(&json!({
                    "counters": service.counters(),
                    "requests": service.requests(after),
                })),
                Err(_) => problem("400 Bad Request", "`after` is a request's number"),
            }
        }
        ("GET", CERTIFICATES) => match service.certificates() {
            Some(certificates) => {
                let region = service.instance().placement.region;
                let pkcs7 = match SignatureKind::pkcs7_of(&region) {
                    SignatureKind::Pkcs7China => certificates.pkcs7_china,
                    _ => certificates.pkcs7,
                };
                ok(&json!({
                    "authority": certificates.authority,
                    "rsa2048": certificates.rsa2048,
                    "signature": certificates.signature,
                    "pkcs7": pkcs7,
                }))
            }
            None => problem("500 Internal Server Error", "no key can be made"),
        },
        ("DELETE", "/v1/requests") => {
            service.forget_requests();
            ok(&json!({}))
        }
        ("POST", "/v1/events") => event(service, &request.body),
        ("POST", "/v1/clock") => clock(service, &request.body),
        ("POST", "/v1/assert") => assert(service, &request.body),
        (method, path) if ROUTES.iter().any(|(_, known)| *known == path) => {
            problem("405 Method Not Allowed", &format!("`{path}` knows no `{}`", method.escape_debug()))
        }
        _ => problem("404 Not Found", "there is no such path; see `/openapi.json`"),
    }
}

/// An error: `{"error": "..."}`.
pub(crate) fn problem(status: &'static str, message: &str) -> Answer {
    Answer { status, content_type: JSON, body: json!({ "error": message }).to_string() }
}

fn ok(value: &Value) -> Answer {
    Answer { status: "200 OK", content_type: JSON, body: value.to_string() }
}

fn state(service: &Service, endpoint: &str) -> Value {
    let options = service.options();
    let timeline: Vec<Value> = service
        .timeline()
        .iter()
        .map(|(time, event)| json!({ "time": time, "event": event.name() }))
        .collect();
    let unbound: Vec<Value> = service
        .unbound()
        .iter()
        .map(|(address, error)| json!({ "address": address, "error": error }))
        .collect();
    json!({
        "endpoint": endpoint,
        "instance-id": service.instance().instance_id,
        "time": service.clock().now(),
        "clock": service.clock().name(),
        "options": {
            "tokens": options.http_tokens.as_str(),
            "endpoint": options.http_endpoint.as_str(),
            "hop-limit": options.http_put_response_hop_limit.get(),
            "ipv6": options.http_protocol_ipv6.as_str(),
            "tags": options.instance_metadata_tags.as_str(),
            "state": options.state.as_str(),
        },
        "lifecycle-state": service.lifecycle_state(),
        "faults": service.faults(),
        "not-listening": unbound,
        "seed": service.seed(),
        "timeline": timeline,
        "counters": service.counters(),
    })
}

/// Every leaf's text; what is secret, or no text, is `null` with the reason beside it.
fn tree(service: &Service) -> Value {
    let leaves: Vec<Value> = service
        .leaves()
        .into_iter()
        .map(|(path, value)| {
            let secret = path.parse().is_ok_and(|path| {
                imds_model::catalogue::find(&path).is_some_and(|found| found.category.secret())
            });
            match String::from_utf8(value) {
                _ if secret => json!({ "path": path, "value": null, "why": "secret" }),
                Ok(text) => json!({ "path": path, "value": text }),
                Err(error) => {
                    let why = format!("{} bytes", error.as_bytes().len());
                    json!({ "path": path, "value": null, "why": why })
                }
            }
        })
        .collect();
    json!({ "leaves": leaves })
}

fn event(service: &Service, body: &[u8]) -> Answer {
    let text = match EventText::from_json(&String::from_utf8_lossy(body)) {
        Ok(text) => text,
        Err(message) => return problem("400 Bad Request", &message),
    };
    match text.after().and_then(|after| Ok((after, text.event()?))) {
        Ok((after, event)) => match service.apply_bounded(after, event) {
            Ok(()) => ok(&json!({})),
            Err(message) => problem("507 Insufficient Storage", &message),
        },
        Err(message) => problem("400 Bad Request", &message),
    }
}

fn clock(service: &Service, body: &[u8]) -> Answer {
    let json: Value = serde_json::from_str(&String::from_utf8_lossy(body)).unwrap_or_default();
    let Some(step) = json["step"].as_str() else {
        return problem("400 Bad Request", "the body has to be `{\"step\": \"30s\"}`");
    };
    match duration::parse(step) {
        Ok(by) if service.step(by) => ok(&json!({ "time": service.clock().now() })),
        Ok(_) => problem("409 Conflict", "the clock moves by itself; start with `--clock stepped`"),
        Err(error) => problem("400 Bad Request", &error.to_string()),
    }
}

fn assert(service: &Service, body: &[u8]) -> Answer {
    let json: Value = serde_json::from_str(&String::from_utf8_lossy(body)).unwrap_or_default();
    let Some(text) = json["assertion"].as_str() else {
        return problem("400 Bad Request", "the body has to be `{\"assertion\": \"v1 == 0\"}`");
    };
    match Assertion::parse(text) {
        Ok(assertion) => {
            let failures = assertion.failures(service);
            ok(&json!({ "holds": failures.is_empty(), "failures": failures }))
        }
        Err(message) => problem("400 Bad Request", &message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(service: &Service, method: &str, path: &str, body: &str) -> (String, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            body: body.into(),
            json: true,
        };
        let answer = answer(service, "http://127.0.0.1:1338", &request);
        (answer.status.to_owned(), serde_json::from_str(&answer.body).unwrap_or_default())
    }

    #[test]
    fn the_document_describes_every_route() {
        let document: Value = serde_json::from_str(super::super::OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut described: Vec<(String, String)> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                described.push((method.to_uppercase(), path.clone()));
            }
        }
        let mut routes = ROUTES.map(|(method, path)| (method.to_owned(), path.to_owned())).to_vec();
        routes.sort();
        described.sort();
        assert_eq!(described, routes);
        // So is every event, with the parameters that it takes.
        let of: Value = EventText::parameters().map(|(name, all)| (name.to_owned(), json!(all))).collect();
        assert_eq!(document["components"]["schemas"]["Event"]["x-parameters"], of);
        let names: Vec<&str> = EventText::parameters().map(|(name, _)| name).collect();
        assert_eq!(document["components"]["schemas"]["Event"]["properties"]["event"]["enum"], json!(names));
        // Every parameter of an event is in the document, and no other.
        let properties = document["components"]["schemas"]["Event"]["properties"].as_object().unwrap();
        let error = serde_json::from_str::<EventText>(r#"{"?":0}"#).unwrap_err().to_string();
        for name in properties.keys() {
            assert!(error.contains(&format!("`{name}`")), "{name}: {error}");
        }
        assert_eq!(error.matches("`, `").count() + 1, properties.len(), "{error}");
    }

    #[test]
    fn events_change_what_is_served() {
        let service = crate::Emulator::builder().seed(5).build().unwrap();
        assert_eq!(call(&service, "POST", "/v1/events", r#"{"event":"interrupt"}"#).0, "200 OK");
        let (_, tree) = call(&service, "GET", "/v1/tree", "");
        let leaves = tree["leaves"].as_array().unwrap();
        assert!(leaves.iter().any(|leaf| leaf["path"] == "/latest/meta-data/spot/instance-action"));
        let secret = leaves.iter().find(|leaf| leaf["path"].as_str().unwrap().ends_with("/my-role")).unwrap();
        assert_eq!((&secret["value"], &secret["why"]), (&Value::Null, &Value::from("secret")));
        let (status, answer) = call(&service, "POST", "/v1/events", r#"{"event":"nothing"}"#);
        assert_eq!(status, "400 Bad Request");
        assert!(
            answer["error"].as_str().unwrap().starts_with("`nothing` is not an event; one of"),
            "{answer}"
        );
        let (_, state) = call(&service, "GET", "/v1/state", "");
        assert_eq!((&state["seed"], &state["options"]["hop-limit"]), (&Value::from(5), &Value::from(1)));
    }

    #[test]
    fn clocks_and_assertions() {
        let service = crate::Emulator::builder()
            .clock(crate::Clock::stepped(crate::Timestamp::default()))
            .build()
            .unwrap();
        let (_, answer) = call(&service, "POST", "/v1/clock", r#"{"step":"90s"}"#);
        assert_eq!(answer["time"], "1970-01-01T00:01:30Z");
        let (_, answer) = call(&service, "POST", "/v1/assert", r#"{"assertion":"v1 == 1"}"#);
        assert_eq!(answer, json!({ "holds": false, "failures": ["`v1 == 1` does not hold: it is 0"] }));
        let real = crate::Emulator::builder().build().unwrap();
        assert_eq!(call(&real, "POST", "/v1/clock", r#"{"step":"1s"}"#).0, "409 Conflict");
        assert_eq!(call(&real, "PUT", "/v1/clock", "").0, "405 Method Not Allowed");
        assert_eq!(call(&real, "GET", "/v2", "").0, "404 Not Found");
        assert_eq!(call(&real, "GET", "/v1/requests?after=x", "").0, "400 Bad Request");
    }
}
