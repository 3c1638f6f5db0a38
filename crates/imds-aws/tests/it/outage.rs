//! Static stability: what callers get while the service fails, on a clock that the tests set.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::ProvideCredentials as _;
use aws_smithy_async::time::TimeSource;
use imds::{AsyncClient, EmptyEnvironment};
use imds_aws::ImdsCredentials;
use imds_testkit::{Answer, FaultServer};

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const ROLE: &str = "/latest/meta-data/iam/security-credentials/web";

#[derive(Clone, Debug)]
struct Clock(Arc<Mutex<SystemTime>>);

impl Clock {
    /// 2026-01-15T09:00:00Z.
    fn start() -> Self {
        Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_467_600))))
    }

    fn advance(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

fn document(key: &str, expiration: &str) -> Answer {
    Answer::ok(format!(
        r#"{{"Code":"Success","LastUpdated":"2026-01-15T08:00:00Z","Type":"AWS-HMAC","AccessKeyId":"{key}",
        "SecretAccessKey":"test","Token":"test","Expiration":"{expiration}"}}"#
    ))
}

struct Outage {
    server: FaultServer,
    clock: Clock,
    provider: ImdsCredentials,
}

impl Outage {
    fn new() -> Self {
        let server = FaultServer::start();
        server.every_get(Answer::status(404));
        server.at(ROLES, Answer::ok("web"));
        server.at(ROLE, document("FIRST", "2026-01-15T10:00:00Z"));
        let client = AsyncClient::builder()
            .environment(EmptyEnvironment)
            .endpoint(server.endpoint())
            .attempts(1)
            .no_store()
            .build_async()
            .unwrap();
        let clock = Clock::start();
        let provider = ImdsCredentials::builder(client).time_source(clock.clone()).build();
        Self { server, clock, provider }
    }

    async fn key(&self) -> String {
        self.provider.credentials().await.unwrap().access_key_id().to_owned()
    }

    /// Requests for the role's document or listing since the last call.
    fn reads(&self) -> u64 {
        self.server.take_counts().gets
    }
}

#[tokio::test]
async fn credentials_outlive_failures_and_their_expiration_with_few_requests() {
    let outage = Outage::new();
    assert_eq!(outage.key().await, "FIRST");
    assert!(outage.reads() > 0);
    outage.clock.advance(3300);
    assert_eq!((outage.key().await.as_str(), outage.reads()), ("FIRST", 0), "not due");
    // Within the last two minutes, and the service fails, the extended path included.
    outage.server.every_get(Answer::status(500));
    outage.server.at(ROLES, Answer::status(500));
    outage.server.at(ROLE, Answer::status(500));
    outage.clock.advance(200);
    for _ in 0..50 {
        assert_eq!(outage.key().await, "FIRST");
    }
    assert_eq!(outage.reads(), 1, "one request, then a pause");
    // An hour past the expiration: at most one request in five minutes.
    let mut reads = 0;
    for _ in 0..60 {
        outage.clock.advance(60);
        let extended = outage.provider.credentials().await.unwrap();
        assert_eq!(extended.access_key_id(), "FIRST");
        assert!(extended.expiry().unwrap() > outage.clock.now());
        reads += outage.reads();
    }
    assert!((6..=15).contains(&reads), "{reads}");
    // It recovers.
    outage.server.every_get(Answer::status(404));
    outage.server.at(ROLES, Answer::ok("web"));
    outage.server.at(ROLE, document("SECOND", "2026-01-15T18:00:00Z"));
    outage.clock.advance(600);
    assert_eq!(outage.key().await, "SECOND");
}

#[tokio::test]
async fn an_answer_that_has_expired_is_used_and_asked_for_seldom() {
    let outage = Outage::new();
    outage.server.at(ROLE, document("OLD", "2026-01-15T08:59:00Z"));
    let extended = outage.provider.credentials().await.unwrap();
    assert_eq!(extended.access_key_id(), "OLD");
    let ahead = extended.expiry().unwrap().duration_since(outage.clock.now()).unwrap().as_secs();
    assert!((300..=600).contains(&ahead), "{ahead}");
    outage.reads();
    outage.clock.advance(299);
    assert_eq!((outage.key().await.as_str(), outage.reads()), ("OLD", 0));
}

#[tokio::test]
async fn a_role_that_was_taken_away_ends_with_its_credentials() {
    let outage = Outage::new();
    outage.key().await;
    outage.server.at(ROLES, Answer::status(404));
    outage.server.at(ROLE, Answer::status(404));
    outage.clock.advance(3500);
    assert_eq!(outage.key().await, "FIRST", "valid until 10:00:00");
    outage.clock.advance(101);
    let error = outage.provider.credentials().await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the instance has no role");
}

#[tokio::test]
async fn an_sdk_that_does_not_wait_gets_the_last_ones() {
    let outage = Outage::new();
    assert!(outage.provider.fallback_on_interrupt().is_none());
    outage.key().await;
    outage.clock.advance(7200);
    let last = outage.provider.fallback_on_interrupt().unwrap();
    assert_eq!(last.access_key_id(), "FIRST");
    assert!(last.expiry().unwrap() > outage.clock.now());
}
