//! `aws-sdk-s3` with the credentials of the instance, against a fake of S3 that checks signatures.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_async::time::TimeSource;
use imds::{AsyncClient, EmptyEnvironment};
use imds_aws::{ImdsCredentials, ImdsRegion};
use imds_aws_s3::{FakeS3, time_of};
use imds_emulator::{Clock, Emulator, Event, Fault, FaultKind, Instance, Status};

/// The lifetime of the role's credentials.
const LIFETIME: Duration = Duration::from_secs(3600);

const THREADS: usize = 8;

/// The emulator's clock, for the SDK, the provider and the fake.
#[derive(Clone, Debug)]
struct Time(Clock);

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        time_of(self.0.now())
    }
}

struct World {
    emulator: Emulator,
    clock: Clock,
    s3: FakeS3,
    imds: AsyncClient,
}

impl World {
    fn new() -> Self {
        let clock = Clock::stepped("2026-01-15T09:00:00Z".parse().unwrap());
        let mut instance = Instance::default();
        instance.role.as_mut().unwrap().lifetime_seconds = LIFETIME.as_secs().try_into().unwrap();
        let emulator =
            Emulator::builder().instance(instance).set("placement/region", "eu-north-1").clock(clock.clone());
        let emulator = emulator.start().unwrap();
        let imds = AsyncClient::builder()
            .environment(EmptyEnvironment)
            .endpoint(emulator.endpoint())
            .no_store()
            .build_async()
            .unwrap();
        let s3 = FakeS3::start(clock.clone(), &emulator.endpoint());
        Self { emulator, clock, s3, imds }
    }

    fn provider(&self) -> ImdsCredentials {
        ImdsCredentials::builder(self.imds.clone()).time_source(Time(self.clock.clone())).build()
    }

    async fn client(&self, provider: impl ProvideCredentials + 'static) -> Client {
        let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region(ImdsRegion::new(self.imds.clone()))
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(60)).build())
            .endpoint_url(self.s3.endpoint())
            .time_source(Time(self.clock.clone()))
            .load()
            .await;
        Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
    }

    fn step(&self, by: Duration) {
        assert!(self.emulator.service().step(by));
    }
}

async fn put(client: &Client, key: &str, value: &'static [u8]) -> Result<(), String> {
    let request = client.put_object().bucket("example").key(key).body(ByteStream::from_static(value));
    request.send().await.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
}

async fn get(client: &Client, key: &str) -> Result<Vec<u8>, String> {
    let response = client.get_object().bucket("example").key(key).send().await;
    let response = response.map_err(|error| error.code().unwrap_or("no answer").to_owned())?;
    Ok(response.body.collect().await.unwrap().to_vec())
}

#[tokio::test]
async fn s3_accepts_what_the_instance_signs() {
    let world = World::new();
    let client = world.client(world.provider()).await;
    put(&client, "a folder/über & more", b"value").await.unwrap();
    assert_eq!(get(&client, "a folder/über & more").await.unwrap(), b"value");
    let role = world.imds.role_name().await.unwrap().unwrap();
    let issued = world.imds.role_credentials(&role).await.unwrap();
    assert_eq!(world.s3.accepted(), [&*issued.access_key_id; 2]);
    // The provider's and the fake's.
    let counters = world.emulator.counters();
    assert_eq!((counters.token_puts, counters.v1), (2, 0));
}

#[tokio::test]
async fn s3_refuses_what_aws_refuses() {
    let world = World::new();
    let role = world.imds.role_name().await.unwrap().unwrap();
    let issued = world.imds.role_credentials(&role).await.unwrap();
    let (key, secret, token) = (&issued.access_key_id, &issued.secret_access_key, &issued.token);
    let test = String::from("test");
    for (key, secret, token, code) in [
        (&test, secret, token, "InvalidAccessKeyId"),
        (key, &test, token, "SignatureDoesNotMatch"),
        (key, secret, &test, "InvalidToken"),
    ] {
        let given = Credentials::new(key, secret, Some(token.clone()), None, "test");
        assert_eq!(put(&world.client(given).await, "key", b"value").await.unwrap_err(), code);
    }
    world.step(LIFETIME);
    let expired = Credentials::new(key, secret, Some(token.clone()), None, "test");
    assert_eq!(put(&world.client(expired).await, "key", b"value").await.unwrap_err(), "ExpiredToken");
    assert_eq!(world.s3.accepted(), [""; 0]);
}

/// How many requests each of some threads has finished.
struct Finished {
    counts: Mutex<[u64; THREADS]>,
    changed: Condvar,
}

impl Finished {
    fn count(&self, thread: usize) {
        self.counts.lock().unwrap()[thread] += 1;
        self.changed.notify_all();
    }

    /// Waits until each of them has finished another one, so that what is under way was begun
    /// after this call.
    fn wait_for_each(&self) {
        let counts = self.counts.lock().unwrap();
        let before = *counts;
        let missing = |now: &mut [u64; THREADS]| now.iter().zip(before).any(|(now, before)| *now == before);
        let (_counts, waited) =
            self.changed.wait_timeout_while(counts, Duration::from_secs(60), missing).unwrap();
        assert!(!waited.timed_out(), "a thread finished no request in a minute");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn eight_threads_sign_while_hours_pass_and_no_request_fails() {
    let world = World::new();
    let client = world.client(world.provider()).await;
    put(&client, "key", b"value").await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let finished = Arc::new(Finished { counts: Mutex::new([0; THREADS]), changed: Condvar::new() });
    let signing: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (client, stop, finished) = (client.clone(), Arc::clone(&stop), Arc::clone(&finished));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    get(&client, "key").await?;
                    finished.count(thread);
                }
                Ok::<(), String>(())
            })
        })
        .collect();
    // Four and a half hours, a minute for each request of each thread.
    for _ in 0..270 {
        let finished = Arc::clone(&finished);
        tokio::task::spawn_blocking(move || finished.wait_for_each()).await.unwrap();
        world.step(Duration::from_secs(60));
    }
    stop.store(true, Ordering::Relaxed);
    for task in signing {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    assert_eq!(world.s3.refused(), [""; 0]);
    let keys: BTreeSet<_> = world.s3.accepted().into_iter().collect();
    // New ones exist every 55 minutes.
    assert!((5..=6).contains(&keys.len()), "{keys:?}");
    let counters = world.emulator.counters();
    assert_eq!((counters.token_puts, counters.v1), (2, 0));
}

#[tokio::test]
async fn the_sdk_signs_through_an_outage_of_the_service() {
    let world = World::new();
    let client = world.client(world.provider()).await;
    put(&client, "key", b"value").await.unwrap();
    let fault = Fault::new(FaultKind::Status(Status::InternalServerError));
    world.emulator.service().apply(Event::Fault(fault));
    world.s3.accept_expired();
    for _ in 0..6 {
        world.step(Duration::from_secs(30 * 60));
        assert_eq!(get(&client, "key").await.unwrap(), b"value");
    }
    world.emulator.service().apply(Event::ClearFaults);
    world.step(Duration::from_secs(11 * 60));
    get(&client, "key").await.unwrap();
    let accepted = world.s3.accepted();
    assert_eq!(accepted.iter().collect::<BTreeSet<_>>().len(), 2, "the old ones, then the new ones");
    assert_ne!(accepted.first(), accepted.last());
}

#[tokio::test]
async fn an_instance_without_a_role_sends_nothing() {
    let world = World::new();
    world.emulator.service().unset("iam").unwrap();
    let client = world.client(world.provider()).await;
    assert_eq!(put(&client, "key", b"value").await.unwrap_err(), "no answer");
    assert_eq!((world.s3.accepted().len(), world.s3.refused().len()), (0, 0));
}
