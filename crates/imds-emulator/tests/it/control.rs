//! The control API over a socket.

use imds_emulator::Emulator;

use crate::raw::{body, exchange, get, status};

fn call(emulator: &Emulator, request: &str) -> String {
    let address = emulator.control_address().unwrap();
    let request = request.replace("HOST", &address.to_string());
    String::from_utf8(exchange(address, &request)).unwrap()
}

fn emulator() -> Emulator {
    Emulator::builder().control("127.0.0.1:0".parse().unwrap()).start().unwrap()
}

#[test]
fn an_event_by_json_is_seen_on_the_metadata_port() {
    let emulator = emulator();
    let json = r#"{"event":"interrupt"}"#;
    let answer = call(
        &emulator,
        &format!(
            "POST /v1/events HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        ),
    );
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(status(&get(&emulator, "/latest/meta-data/spot/instance-action", "")), 200);
    let answer = call(&emulator, "GET /v1/requests HTTP/1.1\r\nHost: HOST\r\n\r\n");
    assert!(
        body(&answer).contains(r#""path":"/latest/meta-data/spot/instance-action","version":"v1""#),
        "{answer}"
    );
}

#[test]
fn foreign_pages_are_refused() {
    let emulator = emulator();
    for head in [
        "Host: rebound.example",
        "Host: HOST\r\nOrigin: http://evil.example",
        "Host: HOST\r\nSec-Fetch-Site: cross-site",
    ] {
        let answer = call(&emulator, &format!("GET /v1/state HTTP/1.1\r\n{head}\r\n\r\n"));
        assert_eq!(status(&answer), 403, "{head}");
        assert_eq!(
            body(&answer),
            r#"{"error":"`Host` and `Origin` have to be this loopback address, once each"}"#
        );
    }
    let form =
        "POST /v1/events HTTP/1.1\r\nHost: HOST\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(status(&call(&emulator, form)), 415);
}

#[test]
fn the_control_api_is_on_its_own_port_only() {
    let emulator = emulator();
    assert_eq!(status(&get(&emulator, "/v1/state", "")), 404);
    let error = Emulator::builder().control("0.0.0.0:0".parse().unwrap()).start().unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on `0.0.0.0:0`");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "the control API listens on loopback addresses only, unless it has a control token");
}

#[test]
fn a_port_in_use_is_named() {
    let emulator = emulator();
    let error = Emulator::builder().listen(emulator.address()).start().unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on `{}`", emulator.address()));
}
