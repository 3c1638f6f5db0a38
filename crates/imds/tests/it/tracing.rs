//! The feature `tracing`: what a subscriber sees of a call.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ::tracing::field::{Field, Visit};
use ::tracing::span::{Attributes, Id, Record};
use ::tracing::{Event, Metadata, Subscriber};
use imds::{Client, EmptyEnvironment};
use imds_testkit::{Answer, FaultServer, secrets};

use crate::drivers::BOTH;

/// Keeps each span and event as one line of its fields.
#[derive(Clone, Default)]
struct Recorder {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
    /// Spans that are entered.
    depth: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl Recorder {
    fn push(&self, kind: &str, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(format!("{kind} {}", metadata.level()));
        record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "imds"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.push(span.metadata().name(), span.metadata(), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let inside = self.depth.load(Ordering::Relaxed);
        self.push(if inside > 0 { "  event" } else { "event" }, event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {
        self.depth.fetch_add(1, Ordering::Relaxed);
    }

    fn exit(&self, _: &Id) {
        self.depth.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs the steps with the subscriber, twice, and returns the result of the second run.
///
/// A callsite that another test registers at the moment when a subscriber is installed misses it
/// until the interests are computed again.
fn subscribed<T>(subscriber: impl Subscriber + Send + Sync + 'static, mut steps: impl FnMut() -> T) -> T {
    ::tracing::subscriber::with_default(subscriber, || {
        steps();
        ::tracing::callsite::rebuild_interest_cache();
        steps()
    })
}

/// The line without its times, which differ from run to run.
fn timeless(line: &str) -> String {
    line.split(' ').filter(|word| !word.contains("_ms=")).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_answered_request_is_one_event_in_the_span_of_its_call() {
    for driver in BOTH {
        let server = FaultServer::start();
        let recorder = Recorder::default();
        subscribed(recorder.clone(), || {
            recorder.taken();
            server.next_get([Answer::status(503)]);
            let client = driver.client(&server.endpoint(), |builder| builder);
            client.get("instance-id").unwrap();
            client.get("iam/security-credentials/web").unwrap();
            client.token().unwrap();
        });
        let lines: Vec<_> = recorder.taken().iter().map(|line| timeless(line)).collect();
        let about = |text: &str| lines.iter().filter(|line| line.contains(text)).cloned().collect::<Vec<_>>();
        let answered = about("message=answered");
        assert_eq!(answered.len(), 4, "{driver:?}: {lines:#?}");
        for (line, words) in answered.iter().zip([
            "event DEBUG message=answered method=\"PUT\" path=\"/latest/api/token\" status=200 reused=false",
            "event DEBUG message=answered method=\"GET\" path=\"/latest/meta-data/instance-id\" status=503 reused=true",
            "event DEBUG message=answered method=\"GET\" path=\"/latest/meta-data/instance-id\" status=200 reused=true",
            "event DEBUG message=answered method=\"GET\" path=\"/latest/meta-data/iam/security-credentials/...\" \
             status=200 reused=true",
        ]) {
            // Within a span.
            assert_eq!(*line, format!("  {words}"), "{driver:?}: {lines:#?}");
        }
        let retried = about("retrying");
        assert!(
            retried.len() == 1 && retried[0].contains("attempt=2 reason=\"answered 503\""),
            "{driver:?}: {lines:#?}"
        );
        let spans: Vec<_> = lines.iter().filter(|line| line.starts_with("imds.")).collect();
        assert_eq!(
            spans,
            [
                "imds.read DEBUG path=\"/latest/meta-data/instance-id\"",
                "imds.read DEBUG path=\"/latest/meta-data/iam/security-credentials/...\"",
                "imds.token DEBUG",
            ],
            "{driver:?}"
        );
        secrets::assert_none_in(lines.concat().as_bytes(), "tracing", "a client");
    }
}

#[test]
fn settings_and_stores_that_do_not_serve_are_warnings() {
    #[derive(Clone, Copy)]
    struct Unreadable;
    impl imds::Environment for Unreadable {
        fn variable_os(&self, name: &str) -> Option<std::ffi::OsString> {
            (name == "HOME").then(|| "/nonexistent".into())
        }

        fn is_root(&self) -> bool {
            false
        }

        fn read_file(&self, _: &std::path::Path) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::PermissionDenied.into())
        }
    }
    let recorder = Recorder::default();
    subscribed(recorder.clone(), || {
        recorder.taken();
        Client::builder().environment(Unreadable).endpoint("http://127.0.0.1:1").no_store().build().unwrap();
    });
    let lines = recorder.taken();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.starts_with("event WARN message=cannot read AWS ")), "{lines:?}");
}

#[test]
fn a_subscriber_that_calls_the_client_does_not_wait_for_itself() {
    /// Calls the client on each event.
    struct Caller(Client, Arc<AtomicU64>);
    impl Subscriber for Caller {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "imds"
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            let served = self.0.get("instance-id").is_ok();
            self.1.fetch_add(u64::from(served), Ordering::Relaxed);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }
    let server = FaultServer::start();
    let client = Client::builder()
        .environment(EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    let served = Arc::new(AtomicU64::new(0));
    subscribed(Caller(client.clone(), served.clone()), || {
        served.store(0, Ordering::Relaxed);
        client.forget_token().unwrap();
        client.get("instance-id").unwrap();
    });
    // The token's answer, the token, the value's answer.
    assert_eq!(served.load(Ordering::Relaxed), 3);
}
