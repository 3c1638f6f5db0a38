//! Faults of the service and the network, and the errors that a caller gets.

use std::time::Duration;

use imds::ErrorKind;
use imds_testkit::{Answer, Behaviour, FaultServer, Framing, RefusingPort};

use crate::drivers::BOTH;

/// A body with every kind of byte that text handling would change.
fn binary() -> Vec<u8> {
    let mut body: Vec<u8> = (0..1020_u32).map(|at| (at % 256) as u8).collect();
    body.extend(b"\0\n\0\r\n\n\n");
    body
}

#[test]
fn every_framing_gives_the_same_bytes() {
    for driver in BOTH {
        for answer in [
            Answer::ok(binary()),
            Answer::ok(binary()).http_1_0(),
            Answer::ok(binary()).closing(),
            Answer::ok(binary()).lower_case_headers(),
            Answer::ok(binary()).framing(Framing::Chunked(7)),
            Answer::ok(binary()).framing(Framing::UntilClose),
            Answer::ok(Vec::new()),
        ] {
            let server = FaultServer::start();
            server.every_get(answer.clone());
            let client = driver.client(&server.endpoint(), |builder| builder);
            let expected = if answer == Answer::ok(Vec::new()) { Vec::new() } else { binary() };
            assert_eq!(client.get("user-data").unwrap().bytes(), expected, "{driver:?} {answer:?}");
            let counts = server.counts();
            assert_eq!((counts.token_puts, counts.gets, counts.gets_without_token), (1, 1, 0), "{driver:?}");
        }
    }
}

#[test]
fn a_connection_that_is_kept_is_used_again() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        for _ in 0..5 {
            assert_eq!(client.get("instance-id").unwrap().text().unwrap(), "i-0123456789abcdef0");
        }
        assert_eq!((server.counts().gets, server.counts().connections), (5, 1), "{driver:?}");
    }
}

#[test]
fn a_kept_connection_that_the_service_closed_is_replaced() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder.attempts(1));
        client.get("instance-id").unwrap();
        server.next_get([Behaviour::Hangup]);
        client.get("instance-id").unwrap();
        let counts = server.counts();
        assert_eq!((counts.gets, counts.connections), (3, 2), "{driver:?}");
    }
}

#[test]
fn what_is_cut_is_retried_and_never_given_out() {
    for driver in BOTH {
        let server = FaultServer::start();
        let reset = Answer::ok("i-0123456789abcdef0").reset_after(5);
        let short = Answer::ok("i-01234").framing(Framing::LengthSaid(19)).closing();
        server.next_get([reset.clone(), short.clone().into()]);
        let client = driver.client(&server.endpoint(), |builder| builder);
        assert_eq!(client.get("instance-id").unwrap().bytes(), b"i-0123456789abcdef0");
        assert_eq!(server.take_counts().gets, 3);

        server.every_get(reset);
        assert_eq!(client.get("instance-id").unwrap_err().kind(), ErrorKind::Unreachable);
        server.every_get(short);
        assert_eq!(client.get("instance-id").unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(server.counts().gets, 6, "{driver:?}");
    }
}

#[test]
fn silence_ends_with_the_deadline() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_get(Behaviour::Stall);
        let brief = Duration::from_millis(50);
        let client = driver.client(&server.endpoint(), |builder| builder.read_timeout(brief));
        let error = client.get("instance-id").unwrap_err();
        assert_eq!((error.kind(), error.is_token_fetch()), (ErrorKind::Unreachable, false));
        assert_eq!(server.counts().gets, 3, "{driver:?}");

        server.every_token(Behaviour::Stall);
        let client = driver.client(&server.endpoint(), |builder| builder.read_timeout(brief));
        let error = client.get("instance-id").unwrap_err();
        assert!(error.is_stalled_token_fetch(), "{error:?}");
        assert_eq!((server.counts().token_puts, server.counts().gets), (4, 3), "{driver:?}");
    }
}

#[test]
fn a_refused_connection_is_final() {
    for driver in BOTH {
        let port = RefusingPort::take();
        let error = driver.client(&port.endpoint(), |builder| builder).get("instance-id").unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Unreachable, 1));
        assert_eq!(error.to_string(), format!("cannot connect to `{}`", port.endpoint()));
        assert_eq!(error.endpoint(), Some(&*port.endpoint()));
    }
}

#[test]
fn a_name_is_resolved_and_an_answer_too_large_is_an_error() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_get(Answer::ok(vec![b'x'; 1001]));
        let named = server.endpoint().replace("127.0.0.1", "localhost");
        let client = driver.client(&named, |builder| builder.body_limit(1000));
        let error = client.get("user-data").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert_eq!(
            error.to_string(),
            "the answer for `/latest/user-data` is larger than the limit of 1000 bytes"
        );
        server.every_get(Answer::ok(vec![b'x'; 1000]));
        assert_eq!(client.get("user-data").unwrap().bytes().len(), 1000);
    }
}

#[test]
fn no_user_data_is_none() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        server.next_get([Answer::status(404)]);
        assert_eq!(client.user_data().unwrap(), None);
        server.next_get([Answer::ok(binary())]);
        assert_eq!(client.user_data().unwrap(), Some(binary()));
        server.next_get([Answer::status(403)]);
        assert_eq!(client.user_data().unwrap_err().kind(), ErrorKind::Forbidden);
    }
}

#[test]
fn a_value_that_is_not_text_or_json_says_so_and_shows_nothing() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        server.next_get([Answer::ok(b"\xff secret".to_vec())]);
        let response = client.get("user-data").unwrap();
        assert_eq!(
            response.text().unwrap_err().to_string(),
            "the value of `/latest/user-data` is not UTF-8 text"
        );
        server.next_get([Answer::ok("{\"secret\": ")]);
        let response = client.get("user-data").unwrap();
        let error = response.json::<serde_json::Value>().unwrap_err();
        assert_eq!(error.to_string(), "the value of `/latest/user-data` is not JSON");
        assert!(!format!("{response:?} {error:?}").contains("secret"), "{response:?} {error:?}");
    }
}
