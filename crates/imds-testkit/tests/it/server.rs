//! The fault server, spoken to in plain bytes.

use std::io::{Read, Write};
use std::net::TcpStream;

use imds_testkit::{Answer, Behaviour, Counts, FaultServer, Framing};

/// Sends `request` on a connection of its own; gives what came back until the end, and how it
/// ended.
fn exchange(server: &FaultServer, request: &str) -> (String, std::io::Result<()>) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map(drop);
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

const PUT: &str = "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
const GET: &str = "GET /latest/meta-data/instance-id HTTP/1.1\r\n\r\n";

fn token(server: &FaultServer) -> String {
    let (answer, _) = exchange(server, PUT);
    assert!(answer.contains("X-aws-ec2-metadata-token-ttl-seconds: 60\r\n"), "{answer}");
    answer.rsplit("\r\n").next().unwrap().to_owned()
}

fn get(server: &FaultServer, token: &str) -> String {
    exchange(server, &GET.replace("\r\n\r\n", &format!("\r\nX-AWS-EC2-Metadata-Token: {token}\r\n\r\n"))).0
}

#[test]
fn issues_tokens_and_serves_those_who_carry_one() {
    let server = FaultServer::start();
    let (first, second) = (token(&server), token(&server));
    assert_eq!(first.len(), 56, "the service's tokens have 56 characters");
    assert_ne!(first, second);
    assert!(get(&server, &first).ends_with("\r\n\r\ni-0123456789abcdef0"));
    assert!(get(&server, &second).starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(exchange(&server, GET).0.starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    assert!(get(&server, "no token of ours").starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    server.revoke_tokens();
    assert!(get(&server, &first).starts_with("HTTP/1.1 401 Unauthorized\r\n"));
    let counts = Counts { token_puts: 2, gets: 5, gets_without_token: 1, others: 0, connections: 7 };
    assert_eq!(server.take_counts(), counts);
    assert_eq!(server.counts(), Counts::default());
}

#[test]
fn does_what_was_ordered_then_the_steady_thing() {
    let server = FaultServer::start();
    server
        .next_get([Answer::status(503), Answer::status(429).header("Retry-After", "1")])
        .every_get(Answer::ok("value").lower_case_headers());
    assert!(
        exchange(&server, GET).0.starts_with("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n")
    );
    assert!(exchange(&server, GET).0.contains("\r\nRetry-After: 1\r\n"));
    for _ in 0..2 {
        let (answer, _) = exchange(&server, GET);
        assert_eq!(
            answer,
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\nserver: EC2ws\r\n\
             connection: close\r\n\r\nvalue"
        );
    }
}

#[test]
fn keeps_a_connection_for_those_who_ask_for_it() {
    let server = FaultServer::start();
    server.every_get(Answer::ok("v"));
    let twice = GET.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n") + GET;
    let (answer, _) = exchange(&server, &twice);
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 2, "{answer}");
    assert_eq!((server.counts().connections, server.counts().gets), (1, 2));
}

#[test]
fn tells_the_end_of_a_body_in_every_way() {
    let server = FaultServer::start();
    server.next_get([
        Answer::ok("abcde").framing(Framing::Chunked(2)),
        Answer::ok("abcde").framing(Framing::UntilClose),
        Answer::ok("abcde").framing(Framing::LengthSaid(9)),
        Answer::ok("abcde").http_1_0(),
    ]);
    assert!(exchange(&server, GET).0.ends_with("\r\n\r\n2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\n\r\n"));
    let (until_close, _) = exchange(&server, GET);
    assert!(
        until_close.ends_with("\r\n\r\nabcde") && !until_close.contains("Content-Length"),
        "{until_close}"
    );
    let (short, _) = exchange(&server, GET);
    assert!(short.ends_with("\r\n\r\nabcde") && short.contains("Content-Length: 9\r\n"), "{short}");
    assert!(exchange(&server, GET).0.starts_with("HTTP/1.0 200 OK\r\n"));
}

#[test]
fn resets_in_the_middle_of_a_body() {
    let server = FaultServer::start();
    server.every_get(Answer::ok("abcde").reset_after(2));
    let (answer, end) = exchange(&server, GET);
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\nab"), "{answer}");
}

#[test]
fn stalls_until_it_is_dropped() {
    let server = FaultServer::start();
    server.every_token(Behaviour::Stall).every_get(Behaviour::Hangup);
    assert_eq!(exchange(&server, GET).0, "");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(PUT.as_bytes()).unwrap();
    assert_eq!(server.wait_for(|counts| counts.token_puts == 1).gets, 1);
    drop(server);
    let mut bytes = Vec::new();
    assert_eq!(stream.read_to_end(&mut bytes).unwrap(), 0);
}

#[test]
#[should_panic(expected = "the fault server's threads panicked: [\"not a request line: \\\"HELO\\\"\"]")]
fn a_client_that_speaks_no_http_fails_the_test() {
    let server = FaultServer::start();
    assert_eq!(exchange(&server, "HELO\r\n").0, "");
}
