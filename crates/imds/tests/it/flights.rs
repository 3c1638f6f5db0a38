//! One token fetch serves all, and so does its failure.

use std::time::Duration;

use imds::{ErrorKind, MemoryStore};
use imds_testkit::{Answer, Behaviour, FaultServer};

use crate::drivers::BOTH;

#[test]
fn two_hundred_at_once_fetch_one_token() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        let results = client.get_all_at_once("instance-id", 200);
        let failures: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert!(failures.is_empty(), "{driver:?}: {failures:?}");
        let counts = server.counts();
        assert_eq!((counts.token_puts, counts.gets, counts.gets_without_token), (1, 200, 0), "{driver:?}");
        assert!(counts.connections <= 4, "{driver:?}: {} connections", counts.connections);
    }
}

#[test]
fn a_failure_is_shared_and_not_queued_up() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_token(Behaviour::Stall);
        let brief = Duration::from_millis(200);
        let client = driver.client(&server.endpoint(), |builder| builder.read_timeout(brief).attempts(1));
        let results = client.get_all_at_once("instance-id", 50);
        assert!(results.iter().all(|result| result.as_ref().is_err_and(imds::Error::is_stalled_token_fetch)));
        // A call that came after the first flight had ended began another; most waited for it.
        let counts = server.counts();
        assert!(counts.token_puts <= 5 && counts.gets == 0, "{driver:?}: {counts:?}");
    }
}

#[test]
fn two_hundred_whose_token_is_refused_fetch_one_new_one() {
    for driver in BOTH {
        let server = FaultServer::start();
        let client = driver.client(&server.endpoint(), |builder| builder);
        client.get("instance-id").unwrap();
        server.revoke_tokens();
        let results = client.get_all_at_once("instance-id", 200);
        assert!(results.iter().all(|result| result.is_ok()), "{driver:?}");
        assert_eq!(server.counts().token_puts, 2, "{driver:?}");
    }
}

#[test]
fn clients_that_share_a_store_share_its_token() {
    for driver in BOTH {
        let server = FaultServer::start();
        let store = MemoryStore::new();
        let first = driver.client(&server.endpoint(), |builder| builder.store(store.clone()));
        let second = driver.client(&server.endpoint(), |builder| builder.store(store));
        assert_eq!(first.token().unwrap().token, second.token().unwrap().token);
        assert!(second.token().unwrap().remaining > Duration::from_secs(21_000));
        second.get("instance-id").unwrap();
        assert_eq!((server.counts().token_puts, server.counts().gets), (1, 1), "{driver:?}");
    }
}

#[test]
fn a_service_that_is_turned_off_is_asked_once_for_all() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.every_token(Answer::status(403)).every_get(Answer::status(403));
        let client = driver.client(&server.endpoint(), |builder| builder);
        let error = client.get("instance-id").unwrap_err();
        assert_eq!((error.kind(), error.status(), error.attempts()), (ErrorKind::Forbidden, Some(403), 1));
        assert_eq!((server.counts().token_puts, server.counts().gets), (1, 0), "{driver:?}");
    }
}

#[test]
fn a_task_that_is_cancelled_in_flight_leaves_the_others_served() {
    let server = FaultServer::start();
    server.next_token([Behaviour::Stall]);
    let crate::drivers::Caller::Tokio(runtime, client) =
        crate::drivers::Driver::Tokio.client(&server.endpoint(), |builder| builder)
    else {
        panic!("a tokio driver makes a tokio client")
    };
    runtime.block_on(async {
        let leader = tokio::spawn({
            let client = client.clone();
            async move { client.get("instance-id").await }
        });
        let server = &server;
        tokio::task::block_in_place(|| server.wait_for(|counts| counts.token_puts == 1));
        let follower = tokio::spawn({
            let client = client.clone();
            async move { client.get("instance-id").await }
        });
        leader.abort();
        assert!(leader.await.unwrap_err().is_cancelled());
        assert_eq!(follower.await.unwrap().unwrap().bytes(), b"i-0123456789abcdef0");
    });
    assert_eq!((server.counts().token_puts, server.counts().gets), (2, 1));
}

#[test]
fn an_observer_may_call_the_client() {
    for driver in BOTH {
        let server = FaultServer::start();
        server.next_get([imds_testkit::Answer::status(503)]);
        let inner = imds::Client::builder()
            .environment(imds::EmptyEnvironment)
            .endpoint(server.endpoint())
            .no_store();
        // The client is known only after it was built.
        let client = std::sync::Arc::new(std::sync::OnceLock::<imds::Client>::new());
        let (known, seen) = (client.clone(), std::sync::Arc::new(std::sync::Mutex::new(Vec::new())));
        let values = seen.clone();
        let built = inner
            .observer(move |_| {
                let value = known.get().unwrap().get("instance-id").map(|value| value.into_bytes());
                values.lock().unwrap().push(value.unwrap_or_default());
            })
            .build()
            .unwrap();
        client.set(built.clone()).unwrap();
        assert_eq!(built.get("instance-id").unwrap().bytes(), b"i-0123456789abcdef0", "{driver:?}");
        let seen = seen.lock().unwrap();
        assert!(seen.len() >= 3 && seen.iter().filter(|value| value.is_empty()).count() == 0, "{seen:?}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_that_is_not_polled_does_not_hold_up_the_others() {
    let server = FaultServer::start();
    let client = imds::AsyncClient::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let mut leader = Box::pin(client.get("instance-id"));
    std::future::poll_fn(|context| {
        assert!(leader.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    assert_eq!(client.get("instance-id").await.unwrap().bytes(), b"i-0123456789abcdef0");
    assert_eq!(leader.await.unwrap().bytes(), b"i-0123456789abcdef0");
}
