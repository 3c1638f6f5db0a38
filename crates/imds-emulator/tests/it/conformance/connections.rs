//! Connections: when they stay open, and what is refused.

use std::io::{Read as _, Write as _};

use imds_emulator::Emulator;

use crate::raw::{self, connect, exchange, read_answer, status};

#[test]
fn close_unless_the_client_asks_to_keep_it() {
    let emulator = Emulator::builder().start().unwrap();
    let answer = raw::get(&emulator, "/latest/meta-data/mac", "");
    assert_eq!(raw::header(&answer, "Connection"), Some("close"));

    let mut stream = connect(emulator.address());
    for _ in 0..3 {
        stream.write_all(b"GET /latest/meta-data/mac HTTP/1.1\r\nConnection: keep-alive\r\n\r\n").unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!((status(&answer), raw::header(&answer, "Connection")), (200, None));
    }
    stream.write_all(b"GET /latest/meta-data/mac HTTP/1.1\r\n\r\n").unwrap();
    let mut last = String::new();
    stream.read_to_string(&mut last).unwrap();
    assert!(last.contains("\r\nConnection: close\r\n"), "{last}");
    let connections: Vec<u64> = emulator.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 2, 2, 2]);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let emulator = Emulator::builder().start().unwrap();
    let paths = ["instance-id", "mac", "nothing", "placement/region"];
    let requests: String = paths
        .iter()
        .map(|path| format!("GET /latest/meta-data/{path} HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"))
        .collect();
    let mut stream = connect(emulator.address());
    stream.write_all(requests.as_bytes()).unwrap();
    let statuses: Vec<u16> = paths.iter().map(|_| status(&read_answer(&mut stream))).collect();
    assert_eq!(statuses, [200, 200, 404, 200]);
}

#[test]
fn a_request_in_pieces_is_one_request() {
    let emulator = Emulator::builder().start().unwrap();
    let mut stream = connect(emulator.address());
    stream.set_nodelay(true).unwrap();
    for byte in b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 5\r\nContent-Length: 2\r\n\r\nok" {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
}

#[test]
fn ambiguous_requests_are_refused_and_end_the_connection() {
    let emulator = Emulator::builder().start().unwrap();
    let smuggled = "GET /latest/meta-data/iam/info HTTP/1.1\r\n\r\n";
    for head in [
        "PUT /latest/api/token HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 0, 44\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "GET / HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n",
        "not http\r\n\r\n",
    ] {
        let request = format!("{head}{smuggled}");
        let answer = String::from_utf8(exchange(emulator.address(), &request)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head:?}: {answer}");
    }
    assert_eq!(emulator.counters().gets, 0, "nothing was smuggled");
}

#[test]
fn an_oversized_head_is_refused() {
    let emulator = Emulator::builder().start().unwrap();
    let request = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(32 * 1024));
    let answer = String::from_utf8(exchange(emulator.address(), &request)).unwrap();
    assert_eq!(status(&answer), 400);
}
