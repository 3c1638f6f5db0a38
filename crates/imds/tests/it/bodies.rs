//! Streaming values.

use std::io::Read as _;

use imds::{BODY_LIMIT, ErrorKind};
use imds_testkit::{Answer, Behaviour, FaultServer, Framing};

use crate::drivers::{BOTH, Caller, Pieces};

/// Three times what a value may be that is read in one piece; no byte like its neighbours.
fn large() -> Vec<u8> {
    (0..3 * BODY_LIMIT as u64).map(|at| (at.wrapping_mul(2_654_435_761) >> 16) as u8).collect()
}

fn whole(client: &Caller, path: &str) -> (Vec<u8>, Vec<usize>) {
    let Pieces { pieces, error } = client.open(path).unwrap();
    assert!(error.is_none(), "{error:?}");
    (pieces.concat(), pieces.iter().map(Vec::len).collect())
}

#[test]
fn a_body_larger_than_the_limit_comes_in_pieces_of_a_few_kilobytes_whatever_its_framing() {
    for driver in BOTH {
        for (answer, connections) in [
            (Answer::ok(large()), 1),
            (Answer::ok(large()).framing(Framing::Chunked(70_000)), 1),
            (Answer::ok(large()).framing(Framing::UntilClose), 2),
        ] {
            let server = FaultServer::start();
            server.every_get(answer);
            let client = driver.client(&server.endpoint(), |builder| builder);
            assert_eq!(client.get("user-data").unwrap_err().kind(), ErrorKind::Protocol, "over the limit");
            let before = server.counts();
            let (body, pieces) = whole(&client, "user-data");
            assert_eq!((body.len(), body == large()), (3 * BODY_LIMIT, true), "{driver:?}");
            assert!(pieces.iter().all(|length| (1..=8 * 1024).contains(length)), "{driver:?}: {pieces:?}");
            // One that was read to its end is on a connection that is used again.
            server.every_get(Answer::ok("v"));
            client.get("instance-id").unwrap();
            let after = server.counts();
            let made = after.connections - before.connections;
            assert_eq!((made, after.gets - before.gets), (connections, 2), "{driver:?}");
        }
    }
}

#[test]
fn a_small_value_and_an_empty_one_come_too() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        assert_eq!(whole(&client, "instance-id").0, b"i-0123456789abcdef0");
        server.every_get(Answer::ok(""));
        assert_eq!(whole(&client, "user-data"), (Vec::new(), Vec::new()));
        assert_eq!((server.counts().connections, server.counts().token_puts), (1, 1), "{driver:?}");
    }
}

#[test]
fn before_the_head_tokens_are_renewed_and_requests_repeated() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_get(Answer::ok(large()));
        let behaviours =
            [Behaviour::Answer(Answer::status(401)), Answer::status(503).into(), Behaviour::Hangup];
        server.next_get(behaviours);
        let client = driver.client(&server.endpoint(), |builder| builder);
        assert_eq!(whole(&client, "user-data").0.len(), 3 * BODY_LIMIT);
        let counts = server.counts();
        assert_eq!((counts.token_puts, counts.gets), (2, 4), "{driver:?}");
    }
}

#[test]
fn after_the_head_nothing_is_repeated_and_an_early_end_is_an_error() {
    let half = BODY_LIMIT;
    for driver in BOTH {
        for (behaviour, kind, told) in [
            (Answer::ok(large()).reset_after(half), ErrorKind::Unreachable, "lost the connection to"),
            (
                Answer::ok(large()).framing(Framing::LengthSaid(4 * BODY_LIMIT)).closing().into(),
                ErrorKind::Protocol,
                "the answer for `/latest/user-data` ended before its stated length",
            ),
        ] {
            let server = FaultServer::start();
            server.every_get(behaviour);
            let client = driver.client(&server.endpoint(), |builder| builder);
            let Pieces { pieces, error } = client.open("user-data").unwrap();
            let error = error.unwrap();
            assert!(error.kind() == kind && error.to_string().contains(told), "{driver:?}: {error}");
            assert!(large().starts_with(&pieces.concat()), "{driver:?}");
            assert_eq!(server.counts().gets, 1, "{driver:?}");
        }
    }
}

#[test]
fn what_is_no_value_is_an_error_before_anything_is_read() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder.attempts(1));
        for (answer, kind) in [
            (Answer::status(404), ErrorKind::NotFound),
            (Answer::status(403), ErrorKind::Forbidden),
            (Answer::status(503), ErrorKind::Throttled),
            // The status counts, however long the body of the error is.
            (Answer::status(404).body(large()), ErrorKind::NotFound),
        ] {
            server.every_get(answer.clone());
            let found = client.open("user-data").unwrap_err().kind();
            let expected = if answer == Answer::status(503) { found } else { kind };
            assert_eq!(found, expected, "{driver:?}");
        }
        server.every_get(Answer::status(404));
        assert!(client.no_user_data(), "{driver:?}");
    }
}

#[test]
fn bodies_that_are_dropped_half_way_give_their_turn_back() {
    let server = FaultServer::start();
    server.every_get(Answer::ok(large()));
    let Caller::Blocking(client) = BOTH[0].client(&server.endpoint(), |builder| builder) else {
        panic!("the first one blocks")
    };
    let open = || {
        let mut body = client.open("user-data").unwrap();
        assert_eq!(body.read(&mut [0; 16]).unwrap(), 16);
        assert_eq!(body.path().as_str(), "/latest/user-data");
        body
    };
    // As many as may be in flight, and as many again.
    for _ in 0..2 {
        let bodies: Vec<_> = (0..4).map(|_| open()).collect();
        assert!(!format!("{bodies:?}").contains("piece"));
    }
    let mut all = Vec::new();
    client.open_user_data().unwrap().unwrap().read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 3 * BODY_LIMIT);
    assert_eq!(server.counts().gets, 9);
}

#[test]
fn a_reader_is_told_of_the_library_s_own_error() {
    let server = FaultServer::start();
    server.every_get(Answer::ok("12345").framing(Framing::LengthSaid(9)).closing());
    let Caller::Blocking(client) = BOTH[0].client(&server.endpoint(), |builder| builder) else {
        panic!("the first one blocks")
    };
    let mut body = client.open("user-data").unwrap();
    let mut read = Vec::new();
    for _ in 0..2 {
        let error = body.read_to_end(&mut read).unwrap_err();
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<imds::Error>()).unwrap();
        assert_eq!((error.kind(), inner.kind()), (std::io::ErrorKind::InvalidData, ErrorKind::Protocol));
    }
    assert_eq!(read, b"12345");
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_reads_a_body_as_any_async_reader() {
    use tokio::io::AsyncReadExt as _;

    let server = FaultServer::start();
    server.every_get(Answer::ok(large()).framing(Framing::Chunked(70_000)));
    let client = imds::AsyncClient::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let mut body = client.open("user-data").await.unwrap();
    // Smaller than a chunk, so that the rest of one is kept; then by `chunk`, which continues
    // there.
    let mut first = [0; 1000];
    body.read_exact(&mut first).await.unwrap();
    let mut rest = body.chunk().await.unwrap().unwrap();
    body.read_to_end(&mut rest).await.unwrap();
    assert!([first.as_slice(), &rest].concat() == large());
    assert_eq!(body.chunk().await.unwrap(), None);
}
