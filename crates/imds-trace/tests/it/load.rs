//! Many callers and many requests: none is missing, and each is judged as the service judged it.

use std::collections::BTreeMap;

use imds_emulator::ImdsVersion;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Cgroup, Tracer, emulator, inside};

const CURLS: usize = 400;

#[test]
fn short_lived_callers_are_all_attributed() {
    if !inside("load::short_lived_callers_are_all_attributed") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    // Each says its own process id and user in the path.
    let one = "exec setpriv --reuid $((1000 + $1 % 3)) --clear-groups \
        curl -s -o /dev/null http://169.254.169.254/latest/meta-data/$$/$((1000 + $1 % 3))";
    let all = format!("seq {CURLS} | xargs -P 8 -I N sh -c '{one}' sh N");
    cgroup.run(["sh", "-c", &all]);
    tracer.wait_for("request", CURLS);
    let (requests, end, _) = tracer.stop();
    assert_eq!(requests.len(), CURLS);
    let mut commands = 0;
    for request in &requests {
        let caller = &request["caller"];
        let path = format!("/latest/meta-data/{}/{}", caller["pid"], caller["uid"]);
        assert_eq!(request["path"], path, "{request}");
        assert_eq!((&caller["name"], &request["status"]), (&"curl".into(), &404.into()), "{request}");
        if let Some(command) = caller["command"].as_array() {
            assert_eq!(command[0], "curl", "{request}");
            commands += 1;
        }
    }
    // What is missing is counted.
    assert_eq!(end["command_gone"], CURLS - commands, "{end}");
    assert!(commands * 10 >= CURLS * 9, "only {commands} of {CURLS} have their command line");
    assert_eq!((&end["lost"]["requests"], &end["unknown_process"]), (&0.into(), &0.into()), "{end}");
}

const MIXED: usize = 10_000;
/// Clients at the same time.
const CLIENTS: usize = 16;

/// Sends a mixture of requests, from a seed: kept connections and new ones, both addresses, headers
/// in one segment and in several, good tokens, bad ones and none, and what is no request at all.
const CLIENT: &str = r#"
import random, socket, sys
draw = random.Random(int(sys.argv[1]))
left = int(sys.argv[2])
def ask(link, method, path, headers, end=b"\r\n\r\n"):
    text = f"{method} {path} HTTP/1.1\r\nHost: imds\r\nConnection: keep-alive"
    for name, value in headers:
        text += f"\r\n{name}: {value}"
    data = text.encode() + end
    cuts = sorted(draw.randrange(1, len(data)) for _ in range(draw.choice([0, 0, 0, 1, 3])))
    for start, end in zip([0] + cuts, cuts + [len(data)]):
        link.sendall(data[start:end])
def answer(link, head):
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(65536)
        if not more:
            return None
        data += more
    top, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in top.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while not head and len(body) < length:
        body += link.recv(65536)
    return top, body
token = None
while left:
    family, address = draw.choice([
        (socket.AF_INET, "169.254.169.254"), (socket.AF_INET6, "fd00:ec2::254"),
        (socket.AF_INET6, "::ffff:169.254.169.254")])
    link = socket.socket(family)
    link.settimeout(20)
    link.connect((address, 80))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(min(left, draw.choice([1, 1, 5, 40]))):
        left -= 1
        kind = draw.randrange(10)
        path = draw.choice(["/latest/meta-data/instance-id", "/2021-01-03/meta-data/", "/latest/nothing",
                            "/computeMetadata/v1/instance/", "/", "/latest/user-data?x=1", "/latest/dynamic"])
        method = draw.choice(["GET", "GET", "GET", "HEAD"])
        if kind == 0 or token is None:
            ask(link, "PUT", "/latest/api/token", [("X-aws-ec2-metadata-token-ttl-seconds", "300")])
            token = answer(link, False)[1].decode()
            continue
        if kind == 1 and draw.randrange(20) == 0:
            link.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
            answer(link, False)
            break
        if kind < 4:
            ask(link, method, path, [("x-AWS-ec2-metadata-TOKEN", token)])
        elif kind == 4:
            ask(link, method, path, [("X-aws-ec2-metadata-token", "bad")])
        elif kind == 5:
            method = "PUT"
            ask(link, method, path, [("Content-Length", "5")], b"\r\n\r\nGET /")
        elif kind == 6:
            method = "GET"
            ask(link, method, "/latest/api/token", [])
        else:
            ask(link, method, path, [("User-Agent", "aws-sdk-go/1.25.37 (go1.13.4; linux; amd64)")])
        if answer(link, method == "HEAD") is None:
            break
    link.close()
"#;

/// Requests by connection; connections in order of what was asked on them, as their numbers are
/// each side's own.
type Connections = Vec<Vec<(String, String, String, u64)>>;

fn sorted(by_connection: BTreeMap<u64, Vec<(String, String, String, u64)>>) -> Connections {
    let mut connections: Connections = by_connection.into_values().collect();
    connections.sort();
    connections
}

#[test]
fn the_trace_is_what_the_service_recorded() {
    if !inside("load::the_trace_is_what_the_service_recorded") {
        return;
    }
    let emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    let each = (MIXED / CLIENTS).to_string();
    let mut clients = Vec::new();
    for seed in 0..CLIENTS {
        let words = ["python3", "-c", CLIENT, &seed.to_string(), &each];
        clients.push(cgroup.command(words).spawn().unwrap());
    }
    for mut client in clients {
        assert!(client.wait().unwrap().success());
    }
    tracer.wait_for("request", MIXED);
    let (requests, end, _) = tracer.stop();

    let mut recorded: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for request in emulator.requests() {
        let version = match request.version {
            ImdsVersion::V1 => "v1",
            ImdsVersion::V2 => "v2",
            ImdsVersion::None => "none",
        };
        let line = (
            version.to_owned(),
            request.method.to_string(),
            request.path.to_string(),
            u64::from(request.status),
        );
        recorded.entry(request.connection).or_default().push(line);
    }
    let mut traced: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for request in &requests {
        let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
        let version = match request["kind"].as_str().unwrap() {
            // Another cloud's path without a token is a request by IMDSv1 to the service.
            "v1" | "other" => "v1",
            "v2" => "v2",
            _ => "none",
        };
        let line = (
            version.to_owned(),
            text("method"),
            text("path"),
            request["status"].as_u64().unwrap_or_default(),
        );
        let connection = request["connection"].as_u64().unwrap();
        traced.entry(connection).or_default().push(line);
    }
    let (recorded, traced) = (sorted(recorded), sorted(traced));
    assert_eq!(recorded.iter().map(Vec::len).sum::<usize>(), MIXED);
    for (recorded, traced) in recorded.iter().zip(&traced) {
        assert_eq!(recorded, traced);
    }
    assert_eq!(recorded.len(), traced.len());
    assert_eq!(end["lost"], serde_json::json!({"connects": 0, "requests": 0, "answers": 0, "ends": 0}));
    let unattributed: Vec<&Value> =
        requests.iter().filter(|request| request["caller"]["name"] != "python3").collect();
    assert_eq!(unattributed, Vec::<&Value>::new());
}

/// Requests on one connection, each in a packet of its own.
const ON_ONE: usize = 4_000;

#[test]
fn events_that_the_kernel_had_no_room_for_are_counted() {
    if !inside("load::events_that_the_kernel_had_no_room_for_are_counted") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let tracer = Tracer::with(&cgroup, &["--buffer", "1", "--fail-on-v1"]);
    // Nobody reads while the requests are made, and they need more than a MiB.
    let pid = Pid::from_raw(i32::try_from(tracer.id()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let client = format!(
        "import socket\nlink = socket.create_connection(('169.254.169.254', 80))\n\
         for _ in range({ON_ONE}):\n\
         \x20   link.sendall(b'GET /latest/ HTTP/1.1\\r\\nConnection: keep-alive\\r\\n\\r\\n')\n\
         \x20   link.recv(9999)\n"
    );
    cgroup.run(["python3", "-c", &client]);
    kill_process(pid, Signal::CONT).unwrap();
    let (requests, end, code) = tracer.stop();
    let lost = end["lost"]["requests"].as_u64().unwrap();
    let read = requests.iter().filter(|request| request["kind"] == "v1").count();
    assert!(lost > 0, "{end}");
    assert_eq!(read + usize::try_from(lost).unwrap(), ON_ONE, "{end}");
    // What was seen is enough to fail; that it was not all is said.
    assert_eq!(code, 1);
}
