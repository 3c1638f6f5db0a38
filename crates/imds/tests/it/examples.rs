//! Every example, run against the emulator.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use imds::{AsyncClient, Client, ClientBuilder, EmptyEnvironment};
use imds_emulator::Emulator;

#[allow(dead_code)]
#[path = "../../examples/async.rs"]
mod async_example;
#[allow(dead_code)]
#[path = "../../examples/blocking.rs"]
mod blocking;
#[allow(dead_code)]
#[path = "../../examples/own_store.rs"]
mod own_store;
#[allow(dead_code)]
#[path = "../../examples/verify_identity.rs"]
mod verify_identity;
#[allow(dead_code)]
#[path = "../../examples/watch_value.rs"]
mod watch_value;

fn builder(emulator: &Emulator) -> ClientBuilder {
    Client::builder().environment(EmptyEnvironment).endpoint(emulator.endpoint()).no_store()
}

fn printed(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap()
}

#[test]
fn blocking_prints_what_the_instance_is() {
    let emulator = crate::emulator().start().unwrap();
    let mut out = Vec::new();
    blocking::run(&builder(&emulator).build().unwrap(), &mut out).unwrap();
    let out = printed(out);
    for line in ["instance i-", "region us-east-1\n", "tag Name = my-instance\n", "bytes of user data\n"] {
        assert!(out.contains(line), "{out}");
    }
    assert!(out.ends_with("nothing ends it\n"), "{out}");
}

#[tokio::test]
async fn async_reads_with_one_token() {
    let emulator = crate::emulator().start().unwrap();
    let mut out = Vec::new();
    async_example::run(&builder(&emulator).build_async().unwrap(), &mut out).await.unwrap();
    let out = printed(out);
    assert!(out.starts_with("region us-east-1, zone us-east-1a\ninterface "), "{out}");
    assert!(out.ends_with("values below placement/\n"), "{out}");
    let puts = emulator.requests().iter().filter(|request| *request.method == *"PUT").count();
    assert_eq!(puts, 1);
}

#[tokio::test]
async fn watch_value_tells_the_first_value_and_each_change() {
    const ACTION: &str = r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#;
    let emulator = Arc::new(crate::emulator().start().unwrap());
    let imds: AsyncClient = builder(&emulator).build_async().unwrap();
    let mut told = Vec::new();
    watch_value::watch(&imds, "spot/instance-action", Duration::ZERO, |value| {
        told.push(value.map(str::to_owned));
        match told.len() {
            1 => emulator.service().set("spot/instance-action", ACTION).unwrap(),
            2 => emulator.service().unset("spot/instance-action").unwrap(),
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    assert_eq!(told, [None, Some(ACTION.to_owned()), None]);
}

#[test]
fn own_store_gives_the_second_client_the_token_of_the_first() {
    let emulator = crate::emulator().start().unwrap();
    let mut out = Vec::new();
    own_store::run(|| builder(&emulator), &mut out).unwrap();
    assert!(printed(out).ends_with("\nregion us-east-1\n"));
    let puts = emulator.requests().iter().filter(|request| *request.method == *"PUT").count();
    assert_eq!(puts, 1);
}

#[test]
fn verify_identity_believes_the_emulator_only_with_its_certificate() {
    let emulator = crate::emulator().start().unwrap();
    let pem = emulator.service().certificates().unwrap().rsa2048;
    let certificate = imds::Certificate::parse(pem.as_bytes()).unwrap();
    let mut out = Vec::new();
    let imds = builder(&emulator).identity_certificate(certificate).build().unwrap();
    verify_identity::run(&imds, &mut out).unwrap();
    assert_eq!(printed(out), "account 123456789012, signed in us-east-1\n");
    let mut out = Vec::new();
    verify_identity::run(&builder(&emulator).build().unwrap(), &mut out).unwrap();
    assert_eq!(printed(out), "not believed: the instance identity document is not verified\n");
}
