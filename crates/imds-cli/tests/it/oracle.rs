//! What an emulator holds, read without any client of ours: plain IMDSv1 requests over raw sockets.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use imds_emulator::Emulator;

/// Every value below `/latest/`, by its path as the service decodes it.
pub(crate) fn leaves(emulator: &Emulator) -> BTreeMap<String, Vec<u8>> {
    let mut leaves = BTreeMap::new();
    visit(emulator, "/latest/", &mut leaves);
    leaves
}

fn visit(emulator: &Emulator, directory: &str, leaves: &mut BTreeMap<String, Vec<u8>>) {
    let listing = String::from_utf8(get(emulator, directory)).unwrap();
    for line in listing.lines() {
        let path = match line.split_once('=') {
            Some((index, _)) if directory.ends_with("/public-keys/") => format!("{directory}{index}/"),
            _ if line == "dynamic" || line == "meta-data" => format!("{directory}{line}/"),
            _ => format!("{directory}{line}"),
        };
        if path.ends_with('/') {
            visit(emulator, &path, leaves);
        } else {
            let value = get(emulator, &path);
            leaves.insert(path, value);
        }
    }
}

fn get(emulator: &Emulator, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(emulator.address()).unwrap();
    let encoded: String = path
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b':' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    write!(stream, "GET {encoded} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(
        answer.split(|byte| *byte == b' ').nth(1) == Some(b"200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer)
    );
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    answer.split_off(head + 4)
}
