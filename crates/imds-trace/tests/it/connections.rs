//! What a connection may look like: headers in pieces, several requests, one that is older than the
//! tracer, bodies.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::json;

use crate::harness::{Cgroup, Tracer, emulator, inside, shown};

/// Runs a Python script that has a connection `link` to the service.
fn script(address: &str, family: &str, body: &str) -> String {
    format!(
        "import socket\nlink = socket.socket(socket.{family})\nlink.connect(('{address}', 80))\n\
         link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n{body}"
    )
}

#[test]
fn a_header_in_pieces_is_judged_when_it_is_whole() {
    if !inside("connections::a_header_in_pieces_is_judged_when_it_is_whole") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    // Byte by byte: the token's header is the last to come.
    let body = "for byte in b'GET /latest/meta-data/ HTTP/1.1\\r\\nX-aws-ec2-metadata-token: bad\\r\\n\\r\\n':\n\
        \x20   link.sendall(bytes([byte]))\nlink.recv(9999)\n";
    for (address, family) in [
        ("169.254.169.254", "AF_INET"),
        ("::ffff:169.254.169.254", "AF_INET6"),
        ("fd00:ec2::254", "AF_INET6"),
    ] {
        cgroup.run(["python3", "-c", &script(address, family, body)]);
    }
    tracer.wait_for("request", 3);
    let (requests, end, _) = tracer.stop();
    let lines: Vec<String> = requests.iter().map(shown).collect();
    assert_eq!(lines, ["v2 GET /latest/meta-data/ 401"; 3]);
    let endpoints: Vec<_> = requests.iter().map(|request| request["endpoint"].clone()).collect();
    assert_eq!(
        json!(endpoints),
        json!(["http://169.254.169.254", "http://169.254.169.254", "http://[fd00:ec2::254]"])
    );
    assert_eq!((&end["refused"], &end["unreadable"]), (&3.into(), &0.into()));
}

#[test]
fn pipelined_requests_and_bodies_are_told_apart() {
    if !inside("connections::pipelined_requests_and_bodies_are_told_apart") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    // The body of the first looks like a request, and the second follows in the same segment.
    let body = "link.sendall(b'PUT /latest/x HTTP/1.1\\r\\nConnection: keep-alive\\r\\nContent-Length: 21\\r\\n\\r\\n'\n\
        \x20   b'GET /secret HTTP/1.1\\n' b'GET /latest/ HTTP/1.1\\r\\n\\r\\n')\n\
        while link.recv(9999): pass\n";
    cgroup.run(["python3", "-c", &script("169.254.169.254", "AF_INET", body)]);
    let large = "link.sendall(b'GET /latest/ HTTP/1.1\\r\\nX-Pad: ' + b'x' * 7000 + b'\\r\\n\\r\\n')\n\
        while link.recv(9999): pass\n";
    cgroup.run(["python3", "-c", &script("169.254.169.254", "AF_INET", large)]);
    tracer.wait_for("request", 3);
    let (requests, _, _) = tracer.stop();
    let kinds: Vec<String> = requests
        .iter()
        .map(|request| {
            format!("{} {} {}", request["kind"].as_str().unwrap(), request["method"], request["path"])
        })
        .collect();
    assert_eq!(kinds[..2], ["v1 \"PUT\" \"/latest/x\"", "v1 \"GET\" \"/latest/\""]);
    // More than the kernel part copies of one packet: said, not guessed.
    assert_eq!(requests[2]["unreadable"], "bytes-missing", "{}", requests[2]);
}

#[test]
fn a_connection_older_than_the_trace_has_no_process() {
    if !inside("connections::a_connection_older_than_the_trace_has_no_process") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let mut cgroup = Cgroup::new();
    let unit = cgroup.below("system.slice/old.service");
    let body = "print('connected', flush=True)\ninput()\n\
        link.sendall(b'GET /latest/ HTTP/1.1\\r\\nConnection: keep-alive\\r\\n\\r\\n')\nlink.recv(9999)\n\
        link.sendall(b'GET /latest/ HTTP/1.1\\r\\n\\r\\n')\nwhile link.recv(9999): pass\n";
    let mut client = crate::harness::command_in(
        &unit,
        [
            "setpriv",
            "--reuid",
            "1234",
            "--clear-groups",
            "python3",
            "-c",
            &script("169.254.169.254", "AF_INET", body),
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut line = String::new();
    BufReader::new(client.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let mut tracer = Tracer::start(&cgroup);
    client.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert!(client.wait().unwrap().success());
    tracer.wait_for("request", 2);
    let (requests, end, _) = tracer.stop();
    for request in &requests {
        let caller = &request["caller"];
        assert_eq!(shown(request), "v1 GET /latest/ 200");
        // The process is not guessed; the socket's user and cgroup are known.
        for absent in ["pid", "name", "command", "executable"] {
            assert!(caller.get(absent).is_none(), "{absent}: {caller}");
        }
        assert_eq!((&caller["uid"], &caller["unit"]), (&1234.into(), &"old.service".into()), "{caller}");
    }
    assert_eq!(end["unknown_process"], 2);
}
