//! The model's request and malformed-request cases, run against the emulator.

use std::collections::BTreeMap;

use imds_emulator::{Emulator, HttpTokens};
use imds_testkit::conformance::{MALFORMED_REQUESTS, REQUESTS};

use crate::raw;

/// Sends a request with these headers, as bytes.
fn send(emulator: &Emulator, method: &str, uri: &str, headers: &BTreeMap<&str, &str>) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("{method} {uri} HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    String::from_utf8_lossy(&raw::exchange(emulator.address(), &request)).into_owned()
}

#[test]
fn requests_of_the_model_are_understood() {
    let emulator = Emulator::builder()
        .tokens(HttpTokens::Required)
        .set("tags/instance/team:a+b=c@d,e.f_g-h", "1")
        .set("tags/instance/Größe", "2")
        .start()
        .unwrap();
    let token = raw::token(&emulator, 60);
    for case in REQUESTS {
        let mut headers: BTreeMap<&str, &str> = case.headers.iter().copied().collect();
        headers.extend(case.require_headers.iter().map(|name| (*name, token.as_str())));
        let answer = send(&emulator, case.method, case.uri, &headers);
        // Not every instance has what a case asks for; that a request was understood shows in the
        // status all the same.
        let absent = case.uri.ends_with("/rsa2048");
        let status = raw::status(&answer);
        assert!(status == 200 || (absent && status == 404), "{}: {}\n{answer}", case.id, case.documentation);
    }
}

#[test]
fn malformed_requests_of_the_model_are_refused() {
    let emulator = Emulator::builder().tokens(HttpTokens::Required).start().unwrap();
    for case in MALFORMED_REQUESTS {
        let answer = send(&emulator, case.method, case.uri, &case.headers.iter().copied().collect());
        assert_eq!(raw::status(&answer), case.code, "{}: {}\n{answer}", case.id, case.documentation);
    }
}
