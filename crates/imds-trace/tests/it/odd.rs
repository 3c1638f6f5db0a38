//! Requests of odd forms are judged as the service judges them, in one packet and byte by byte.

use imds_emulator::ImdsVersion;

use crate::harness::{Cgroup, Tracer, emulator, inside};

/// Sends each of its arguments on a connection of its own, whole and then byte by byte.
const CLIENT: &str = r"
import socket, sys
for text in sys.argv[1:]:
    data = text.encode()
    for pieces in [data], [bytes([byte]) for byte in data]:
        link = socket.create_connection(('169.254.169.254', 80), 20)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            link.sendall(piece)
        while link.recv(9999):
            pass
        link.close()
";

const KEEP: &str = "Connection: keep-alive\r\n";
const LAST: &str = "GET /latest/last HTTP/1.1\r\n\r\n";

/// Requests, and how many of them each text holds.
fn odd() -> Vec<(usize, String)> {
    let one = |text: &str| (1, format!("{text}\r\n"));
    let chunked = format!("PUT /latest/api/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n{KEEP}\r\n");
    vec![
        one("GET http://169.254.169.254/latest/meta-data/?x=y HTTP/1.1\r\n"),
        one("PUT HTTP://169.254.169.254//latest/api/token HTTP/1.1\r\n"),
        one("get /latest/meta-data/ HTTP/1.1\r\n"),
        one("put /latest/api/token HTTP/1.1\r\n"),
        one("HEAD /latest/meta-data/ HTTP/1.1\r\n"),
        one("OPTIONS * HTTP/1.1\r\n"),
        one("GET /latest/meta-data/ HTTP/1.0\r\n"),
        one("\r\n\r\nGET /latest/ HTTP/1.1\r\n"),
        (1, "GET /latest/ HTTP/1.1\nX: y\n\n".to_owned()),
        one("GET /latest/ HTTP/1.1\r\nX-AWS-EC2-METADATA-TOKEN: x\r\n"),
        one("GET /latest/ HTTP/1.1\r\nx-aws-ec2-metadata-token:x\r\n"),
        one("GET /latest/ HTTP/1.1\r\nx-aws-ec2-metadata-token:\r\n"),
        one("GET /latest/ HTTP/1.1\r\nX-aws-ec2-metadata-token: a\r\nX-aws-ec2-metadata-token: b\r\n"),
        one("GET /latest/ HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"),
        one(&format!("GET /latest/{} HTTP/1.1\r\n", "x".repeat(3_000))),
        one("GET //latest///meta-data/ HTTP/1.1\r\n"),
        one("PUT //latest//api//token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"),
        one("PUT /latest/api/token/ HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"),
        one("GET /opc/../%6Catest/./meta-data/ HTTP/1.1\r\n"),
        // Refused with 400: folded headers, and lengths that can be read in two ways.
        one("GET /latest/ HTTP/1.1\r\nX: y\r\n x-aws-ec2-metadata-token: x\r\n"),
        one("GET /latest/ HTTP/1.1\r\nx-aws-ec2-metadata-token : x\r\n"),
        one("GET /latest/ HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
        one("GET /latest/ HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n"),
        one("GET /latest/ HTTP/1.1\r\nContent-Length: +0\r\n"),
        one("GET /latest/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
        one("GET /latest/ HTTP/2.0\r\n"),
        // What follows a body is a request, what a body holds is none.
        (2, format!("{chunked}0\r\n\r\n{LAST}")),
        (2, format!("{chunked}18;a=b\r\nGET /secret HTTP/1.1\r\n\r\n\r\n0\r\nX: y\r\n\r\n{LAST}")),
        (2, format!("POST /latest/ HTTP/1.1\r\n{KEEP}Content-Length: 5\r\n\r\nGET /{LAST}")),
        (4, format!("{}{LAST}", format!("GET /latest/meta-data/ HTTP/1.1\r\n{KEEP}\r\n").repeat(3))),
    ]
}

#[test]
fn odd_requests_are_judged_as_the_service_judged_them() {
    if !inside("odd::odd_requests_are_judged_as_the_service_judged_them") {
        return;
    }
    let emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    let odd = odd();
    let count = odd.iter().map(|(count, _)| count).sum::<usize>() * 2;
    let words = ["python3", "-c", CLIENT].into_iter();
    cgroup.run(words.chain(odd.iter().map(|(_, text)| text.as_str())));
    tracer.wait_for("request", count);
    let (requests, end, _) = tracer.stop();
    let recorded: Vec<_> = emulator
        .requests()
        .iter()
        .map(|request| {
            let version = match request.version {
                ImdsVersion::V1 => "v1",
                ImdsVersion::V2 => "v2",
                ImdsVersion::None => "none",
            };
            (version, request.method.to_string(), request.path.to_string(), u64::from(request.status))
        })
        .collect();
    let traced: Vec<_> = requests
        .iter()
        .map(|request| {
            let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
            let version = match request["kind"].as_str().unwrap() {
                "v1" | "other" => "v1",
                "v2" => "v2",
                _ => "none",
            };
            // Of answers to requests that did not wait for each other, the first is seen.
            let status = request["status"].as_u64();
            (version, text("method"), text("path"), status)
        })
        .collect();
    assert_eq!((recorded.len(), traced.len()), (count, count), "{end}");
    for ((version, method, path, status), traced) in recorded.into_iter().zip(&traced) {
        let status = traced.3.map(|_| status);
        assert_eq!(&(version, method, path, status), traced);
    }
    assert_eq!(end["lost"]["requests"], 0);
}
