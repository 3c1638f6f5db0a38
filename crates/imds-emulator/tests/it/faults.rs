//! Every fault, as a client meets it.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use imds_emulator::{Clock, Emulator, Fault, FaultKind, Status};

use crate::raw::{body, connect, get, header, status, token};
use crate::timeline::{accepted, refused};

const MAC: &str = "/latest/meta-data/mac";

fn with(fault: Fault) -> Emulator {
    let clock = Clock::stepped("2027-03-01T12:00:00Z".parse().unwrap());
    Emulator::builder().clock(clock).seed(7).fault(fault).start().unwrap()
}

#[test]
fn refuse_closes_the_port_for_a_while() {
    let emulator = with(Fault::new(FaultKind::Refuse).lasting(Duration::from_secs(5)));
    refused(&emulator);
    assert!(emulator.service().step(Duration::from_secs(5)));
    accepted(&emulator);
    assert_eq!(status(&get(&emulator, MAC, "")), 200);
}

#[test]
fn error_statuses_by_count() {
    for (status_of, code) in [
        (Status::Unauthorized, 401),
        (Status::Forbidden, 403),
        (Status::NotFound, 404),
        (Status::TooManyRequests, 429),
        (Status::InternalServerError, 500),
        (Status::ServiceUnavailable, 503),
    ] {
        let emulator = with(Fault::new(FaultKind::Status(status_of)).count(2));
        let seen: Vec<u16> = (0..3).map(|_| status(&get(&emulator, MAC, ""))).collect();
        assert_eq!(seen, [code, code, 200]);
        assert_eq!(emulator.counters().faults, 2);
    }
}

#[test]
fn a_rate_is_repeated_by_its_seed() {
    let run = || -> Vec<u16> {
        let emulator = with(Fault::new(FaultKind::Status(Status::ServiceUnavailable)).rate(0.5));
        (0..40).map(|_| status(&get(&emulator, MAC, ""))).collect()
    };
    let first = run();
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
    assert_eq!(first, run());
}

#[test]
fn stall_and_the_short_hop_limit_keep_silent() {
    let emulator = with(Fault::new(FaultKind::Stall).path("/latest/api/token").method("PUT"));
    let mut stream = connect(emulator.address());
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream
        .write_all(b"PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")
        .unwrap();
    let error = stream.read(&mut [0; 16]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(status(&get(&emulator, MAC, "")), 200, "a v1 GET is answered");
    let recorded = &emulator.requests()[0];
    assert_eq!((recorded.status, recorded.fault), (0, Some("stall")));
}

#[test]
fn reset_is_a_reset() {
    let emulator = with(Fault::new(FaultKind::Reset));
    let mut stream = connect(emulator.address());
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let error = stream.read(&mut [0; 16]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn truncate_announces_more_than_it_sends() {
    let emulator = with(Fault::new(FaultKind::Truncate));
    let answer = get(&emulator, MAC, "");
    assert_eq!((header(&answer, "Content-Length"), body(&answer)), (Some("17"), "02:29:96"));
}

#[test]
fn slow_sends_the_body_byte_by_byte() {
    let emulator = with(Fault::new(FaultKind::Slow(2000)));
    let mut stream = connect(emulator.address());
    stream.write_all(format!("GET {MAC} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let (mut all, mut part, mut parts) = (Vec::new(), [0; 1024], 0);
    loop {
        match stream.read(&mut part).unwrap() {
            0 => break,
            count => {
                parts += 1;
                all.extend_from_slice(&part[..count]);
            }
        }
    }
    let answer = String::from_utf8(all).unwrap();
    assert_eq!(body(&answer), "02:29:96:8f:6a:2d");
    assert!(parts > 2, "came in {parts} parts");
}

#[test]
fn packets_beyond_the_budget_get_no_answer() {
    let emulator = with(Fault::new(FaultKind::PacketBudget(20)));
    let seen: Vec<u16> = (0..2).map(|_| status(&get(&emulator, MAC, ""))).collect();
    assert_eq!(seen, [200, 200]);
    let mut stream = connect(emulator.address());
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(emulator.service().step(Duration::from_secs(1)));
    assert_eq!(status(&get(&emulator, MAC, "")), 200, "the next second has its own budget");
}

#[test]
fn tokens_of_another_run_are_refused_unless_the_key_is_shared() {
    let first = Emulator::builder().start().unwrap();
    let token_of_first = token(&first, 60);
    let line = format!("X-aws-ec2-metadata-token: {token_of_first}\r\n");
    let second = Emulator::builder().start().unwrap();
    assert_eq!(status(&get(&second, MAC, &line)), 401);
    let key = [9; 32];
    let third = Emulator::builder().token_key(key).start().unwrap();
    let line = format!("X-aws-ec2-metadata-token: {}\r\n", token(&third, 60));
    drop(third);
    let again = Emulator::builder().token_key(key).start().unwrap();
    assert_eq!(status(&get(&again, MAC, &line)), 200);
}
