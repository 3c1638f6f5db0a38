//! Faults of the service and the network, and the errors that a caller gets.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use imds::{ClientEvent, ErrorKind, ImdsVersion};
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
        // The first went over the kept connection of the token PUT, which costs no attempt.
        assert_eq!(server.counts().gets, 4, "{driver:?}");

        server.every_token(Behaviour::Stall);
        let client = driver.client(&server.endpoint(), |builder| builder.read_timeout(brief));
        let error = client.get("instance-id").unwrap_err();
        assert!(error.is_stalled_token_fetch(), "{error:?}");
        assert_eq!((server.counts().token_puts, server.counts().gets), (4, 4), "{driver:?}");
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

#[test]
fn a_200_that_the_service_never_sends_is_no_value_anywhere() {
    let page = "<html><body>Log in</body></html>";
    for driver in BOTH {
        for answer in [
            Answer::ok(page).header("Content-Type", "text/html"),
            Answer::ok(page).header("Content-Type", "Text/HTML; charset=utf-8"),
            Answer::ok("\u{1f}\u{8b}").header("Content-Encoding", "gzip"),
            Answer::ok("x").header("Transfer-Encoding", "gzip, chunked").framing(Framing::UntilClose),
            Answer::ok("x").framing(Framing::Chunked(1)).http_1_0(),
        ] {
            let server = FaultServer::start();
            server.every_get(answer.clone());
            for version in [ImdsVersion::V1, ImdsVersion::V2] {
                let client = driver.client(&server.endpoint(), |builder| builder.version(version));
                for path in ["instance-id", "user-data", "iam/security-credentials/web"] {
                    let error = client.get(path).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Protocol, "{driver:?} {answer:?}");
                    assert!(!error.is_retryable(), "{error}");
                    assert_eq!(client.open(path).unwrap_err().kind(), ErrorKind::Protocol);
                }
            }
            server.every_token(answer.clone());
            let client = driver.client(&server.endpoint(), |builder| builder);
            let error = client.get("instance-id").unwrap_err();
            assert!(error.kind() == ErrorKind::Protocol && error.is_token_fetch(), "{driver:?} {answer:?}");
        }
    }
}

#[test]
fn a_page_without_a_content_type_is_a_value_only_where_its_owner_may_write_one() {
    let page = "\r\n<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Log in</body></html>";
    for driver in BOTH {
        for answer in [
            Answer::ok(page),
            Answer::ok(page).header("Content-Type", "text/plain"),
            Answer::ok(page).framing(Framing::Chunked(7)),
            Answer::ok(page).framing(Framing::UntilClose),
        ] {
            let server = FaultServer::start();
            server.every_get(answer);
            let client = driver.client(&server.endpoint(), |builder| builder);
            for path in ["instance-id", "meta-data/", "iam/security-credentials/", "a-category-of-next-year"]
            {
                let error = client.get(path).unwrap_err();
                assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Protocol, false), "{error}");
                assert!(error.to_string().contains("it is a web page"), "{error}");
                // As the head came alone or with the page.
                let error = match client.open(path) {
                    Ok(opened) => opened.error.filter(|_| opened.pieces.is_empty()).unwrap(),
                    Err(error) => error,
                };
                assert_eq!(error.kind(), ErrorKind::Protocol, "{driver:?} {path}");
            }
            assert_eq!(client.list("meta-data/").unwrap_err().kind(), ErrorKind::Protocol);
            for path in ["user-data", "tags/instance/Snippet"] {
                assert_eq!(client.get(path).unwrap().bytes(), page.as_bytes());
                assert_eq!(client.open(path).unwrap().pieces.concat(), page.as_bytes());
            }
        }
    }
}

#[test]
fn the_status_of_an_error_counts_whatever_its_body_is() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder.body_limit(100).attempts(1));
        for (status, kind) in
            [(404, ErrorKind::NotFound), (503, ErrorKind::Server), (403, ErrorKind::Forbidden)]
        {
            for framing in
                [Framing::Length, Framing::Chunked(5000), Framing::UntilClose, Framing::LengthSaid(99)]
            {
                let answer = Answer::status(status).body(vec![b'x'; 50_000]).framing(framing);
                server.next_get([answer.closing()]);
                assert_eq!(client.get("instance-id").unwrap_err().kind(), kind, "{driver:?} {framing:?}");
            }
        }
        server.next_get([Answer::status(500).body(r#"{"message": "no such host"}"#)]);
        let error = client.get("instance-id").unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "the service says `no such host`");
    }
}

/// A server that answers the requests of its connections one after the other with what the test
/// gives: bytes to send after each request, and bytes to send unasked after that.
fn scripted(answers: Vec<(&'static str, &'static str)>) -> (String, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(Mutex::new(0));
    let (answers, counted) = (Arc::new(Mutex::new(answers.into_iter())), connections.clone());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            *counted.lock().unwrap() += 1;
            let answers = answers.clone();
            std::thread::spawn(move || serve(stream, &answers));
        }
    });
    (endpoint, connections)
}

fn serve(mut stream: TcpStream, answers: &Mutex<impl Iterator<Item = (&'static str, &'static str)>>) {
    let mut request = Vec::new();
    loop {
        let mut byte = [0; 1];
        match stream.read(&mut byte) {
            Ok(1) => request.push(byte[0]),
            _ => return,
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            let Some((answer, unasked)) = answers.lock().unwrap().next() else { return };
            if stream
                // In one piece, so that both are there before the next request.
                .write_all([answer, unasked].concat().as_bytes())
                .is_err()
            {
                return;
            }
        }
    }
}

const ONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
const TWO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";

#[test]
fn bytes_that_come_unasked_are_never_the_next_answer() {
    let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";
    let timeout = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    for driver in BOTH {
        for unasked in [stray, timeout, "\r\n"] {
            let (endpoint, connections) = scripted(vec![(ONE, unasked), (TWO, "")]);
            let client = driver.client(&endpoint, |builder| builder.version(ImdsVersion::V1).attempts(1));
            assert_eq!(client.get("instance-id").unwrap().bytes(), b"one");
            assert_eq!(client.get("instance-id").unwrap().bytes(), b"two", "{driver:?} {unasked:?}");
            assert_eq!(*connections.lock().unwrap(), 2);
        }
    }
}

#[test]
fn a_proxy_that_gave_up_on_an_idle_connection_costs_no_attempt() {
    let timeout = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    for driver in BOTH {
        let (endpoint, connections) = scripted(vec![(ONE, ""), (timeout, ""), (TWO, "")]);
        let client = driver.client(&endpoint, |builder| builder.version(ImdsVersion::V1).attempts(1));
        assert_eq!(client.get("instance-id").unwrap().bytes(), b"one");
        assert_eq!(client.get("instance-id").unwrap().bytes(), b"two", "{driver:?}");
        assert_eq!(*connections.lock().unwrap(), 2);
    }
}

#[test]
fn a_dead_kept_connection_costs_no_attempt_and_empties_the_pool() {
    for driver in BOTH {
        let server = FaultServer::start();
        let brief = Duration::from_millis(300);
        let client = driver.client(&server.endpoint(), |builder| builder.read_timeout(brief).attempts(1));
        let results = client.get_all_at_once("instance-id", 4);
        assert!(results.iter().all(Result::is_ok));
        let before = server.counts();
        server.next_get([Behaviour::Stall]);
        assert_eq!(client.get("instance-id").unwrap().bytes(), b"i-0123456789abcdef0", "{driver:?}");
        let after = server.counts();
        assert_eq!((after.gets - before.gets, after.connections - before.connections), (2, 1));
    }
}

#[test]
fn localhost_has_no_case_and_a_name_failure_says_what_it_is() {
    for driver in BOTH {
        let server = FaultServer::start();
        for name in ["LOCALHOST", "LocalHost", "localhost.", "imds.localhost"] {
            let endpoint = server.endpoint().replace("127.0.0.1", name);
            let client = driver.client(&endpoint, |builder| builder);
            assert_eq!(client.get("instance-id").unwrap().bytes(), b"i-0123456789abcdef0", "{name}");
        }
        for (url, told) in [
            ("http://[fe80::1%nosuch0]", "there is no network interface `nosuch0`"),
            ("http://nosuch.invalid", "lookup"),
        ] {
            let client = driver.client(url, |builder| builder);
            let error = client.get("instance-id").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreachable);
            let cause = std::error::Error::source(&error).unwrap().to_string();
            assert!(cause.contains(told), "{driver:?} {url}: {cause}");
        }
    }
}

#[test]
fn every_answered_request_is_an_event() {
    for driver in BOTH {
        let server = FaultServer::start();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = seen.clone();
        let client = driver.client(&server.endpoint(), |builder| {
            builder.attempts(2).observer(move |event| {
                if let ClientEvent::Answered { method, path, status, reused, .. } = event {
                    events.lock().unwrap().push(format!("{method} {path} {status} {reused}"));
                }
            })
        });
        server.next_get([Answer::status(503), Answer::status(404)]);
        assert_eq!(client.get("instance-id").unwrap_err().kind(), ErrorKind::NotFound);
        client.open("instance-id").unwrap();
        let path = "/latest/meta-data/instance-id";
        assert_eq!(
            *seen.lock().unwrap(),
            [
                "PUT /latest/api/token 200 false".to_owned(),
                format!("GET {path} 503 true"),
                format!("GET {path} 404 true"),
                format!("GET {path} 200 true"),
            ],
            "{driver:?}"
        );
    }
}
