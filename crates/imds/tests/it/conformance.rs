//! The model's request and response cases, run against the client.

use std::time::Duration;

use imds::{Client, EmptyEnvironment, ErrorKind};
use imds_testkit::conformance::{REQUESTS, RESPONSES, RequestCase, ResponseCase};
use imds_testkit::{Answer, FaultServer};

fn client(server: &FaultServer) -> imds::ClientBuilder {
    Client::builder().environment(EmptyEnvironment).endpoint(server.endpoint()).no_store()
}

#[test]
fn requests_are_sent_as_the_model_says() {
    for case in REQUESTS {
        let server = FaultServer::start();
        if case.operation == "CreateToken" {
            let ttl = case.headers.iter().find(|(name, _)| name.ends_with("Ttl-Seconds")).unwrap().1;
            let ttl = Duration::from_secs(ttl.parse().unwrap());
            client(&server).token_ttl(ttl).build().unwrap().token().unwrap();
        } else {
            client(&server).build().unwrap().get(case.path).unwrap();
        }
        check(case, &server);
    }
}

fn check(case: &RequestCase, server: &FaultServer) {
    let requests = server.requests();
    let sent = requests.iter().find(|request| request.method == case.method);
    let sent = sent.unwrap_or_else(|| panic!("{}: no {} was sent: {requests:?}", case.id, case.method));
    assert_eq!(sent.target, case.uri, "{}: {}", case.id, case.documentation);
    for (name, value) in case.headers {
        assert_eq!(sent.header(name), Some(*value), "{}: {name}", case.id);
    }
    for name in case.require_headers {
        assert!(sent.header(name).is_some(), "{}: {name} is not there", case.id);
    }
    for name in case.forbid_headers {
        assert_eq!(sent.header(name), None, "{}: {name}", case.id);
    }
}

#[test]
fn answers_are_read_as_the_model_says() {
    for case in RESPONSES {
        let server = FaultServer::start();
        let answer =
            case.headers.iter().fold(Answer::status(case.code).body(case.body), |answer, (name, value)| {
                answer.header(name, value)
            });
        let client = client(&server).attempts(1).build().unwrap();
        if case.shape == "CreateToken" {
            server.next_token([answer]);
            let token = client.token().unwrap();
            assert_eq!(serde_json::json!(token.token.expose()).to_string(), case.value, "{}", case.id);
            continue;
        }
        server.every_get(answer);
        match client.get("conformance") {
            Ok(response) => {
                assert_eq!(value(case, &response), case.value, "{}: {}", case.id, case.documentation)
            }
            Err(error) => assert_eq!(Some(error.kind()), kind(case), "{}: {}", case.id, case.documentation),
        }
    }
}

/// The value as the case's format reads it, as JSON.
fn value(case: &ResponseCase, response: &imds::Response) -> String {
    match case.format {
        Some("text" | "integer" | "opaque") => serde_json::json!(response.text().unwrap()),
        Some("lines" | "directory") => response.lines().unwrap().collect::<Vec<_>>().into(),
        Some("json") => response.json().unwrap(),
        other => panic!("{}: an answer of format {other:?} is no value", case.id),
    }
    .to_string()
}

/// The error that a client makes of an error of the model.
fn kind(case: &ResponseCase) -> Option<ErrorKind> {
    match case.shape {
        // Not an answer to a read, so not one that a metadata service gives.
        "BadRequest" => Some(ErrorKind::Protocol),
        "Unauthorized" => Some(ErrorKind::Unauthorized),
        "Forbidden" => Some(ErrorKind::Forbidden),
        "NotFound" => Some(ErrorKind::NotFound),
        "InternalError" | "ServiceUnavailable" => Some(ErrorKind::Server),
        _ => None,
    }
}
