//! The typed documents and collections, against the emulator.

use std::collections::BTreeMap;

use imds::{Client, EmptyEnvironment, ErrorKind};
use imds_emulator::Emulator;

fn client(emulator: &Emulator) -> Client {
    Client::builder().environment(EmptyEnvironment).endpoint(emulator.endpoint()).no_store().build().unwrap()
}

#[test]
fn documents_of_the_built_in_instance() {
    let emulator = Emulator::builder().start().unwrap();
    let imds = client(&emulator);
    let document = imds.identity_document().unwrap();
    assert_eq!(document.region.as_deref(), Some("us-east-1"));
    assert_eq!(document.account_id.as_deref(), Some("123456789012"));
    let role = imds.role_name().unwrap().unwrap();
    assert_eq!(role, "my-role");
    assert!(
        imds.iam_info()
            .unwrap()
            .unwrap()
            .instance_profile_arn
            .unwrap()
            .starts_with("arn:aws:iam::123456789012:")
    );
    assert!(!imds.role_credentials(&role).unwrap().secret_access_key.is_empty());
    assert_eq!(
        imds.identity_credentials_info().unwrap().unwrap().account_id.as_deref(),
        Some("123456789012")
    );
    assert!(!imds.identity_credentials().unwrap().token.is_empty());
    assert_eq!(imds.role_credentials("other").unwrap_err().kind(), ErrorKind::NotFound);
    let keys = imds.public_keys().unwrap();
    assert_eq!((keys[0].index.as_str(), keys[0].name.as_str()), ("0", "my-key"));
    assert_eq!(imds.tags().unwrap()["Name"], "my-instance");
    assert_eq!(imds.block_devices().unwrap()["root"], "/dev/xvda");
}

#[test]
fn what_is_not_announced_is_none() {
    let emulator =
        Emulator::builder().unset("iam").unset("events").unset("tags").unset("public-keys").start().unwrap();
    let imds = client(&emulator);
    assert_eq!(imds.spot_instance_action().unwrap(), None);
    assert_eq!(imds.rebalance_recommendation().unwrap(), None);
    assert_eq!(imds.scheduled_maintenance().unwrap(), []);
    assert_eq!(imds.maintenance_history().unwrap(), []);
    assert_eq!(imds.iam_info().unwrap(), None);
    assert_eq!(imds.role_name().unwrap(), None);
    assert_eq!(imds.tags().unwrap(), BTreeMap::new());
    assert_eq!(imds.public_keys().unwrap(), []);
}

#[test]
fn announcements_are_typed() {
    let event = r#"[ {"Code":"system-reboot","Description":"scheduled reboot","EventId":"instance-event-0d59937288b749b32",
        "NotBefore":"1 Jan 2021 02:00:00 GMT","State":"active"} ]"#;
    let emulator = Emulator::builder()
        .set("spot/instance-action", r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"}"#)
        .set("events/recommendations/rebalance", r#"{"noticeTime": "2020-10-27T08:22:00Z"}"#)
        .set("events/maintenance/scheduled", event)
        .start()
        .unwrap();
    let imds = client(&emulator);
    assert_eq!(imds.spot_instance_action().unwrap().unwrap().action, "stop");
    assert_eq!(imds.rebalance_recommendation().unwrap().unwrap().notice_time, "2020-10-27T08:22:00Z");
    let events = imds.scheduled_maintenance().unwrap();
    assert_eq!(
        (events[0].not_before.as_str(), events[0].not_after.as_deref()),
        ("1 Jan 2021 02:00:00 GMT", None)
    );
}

#[test]
fn every_key_and_interface_is_there() {
    let base = "network/interfaces/macs/02:aa:00:00:00:02";
    let emulator = Emulator::builder()
        .set("public-keys/1/openssh-key", "ssh-ed25519 AAAA second")
        .set(&format!("{base}/device-number"), "1")
        .set(&format!("{base}/interface-id"), "eni-2")
        .set(&format!("{base}/ipv6-prefix"), "2001:db8::/80\n2001:db8:1::/80")
        .set(&format!("{base}/ipv4-associations/198.51.100.7"), "10.0.0.2\n10.0.0.3")
        .start()
        .unwrap();
    let imds = client(&emulator);
    assert_eq!(imds.public_keys().unwrap().len(), 2);
    let interfaces = imds.interfaces().unwrap();
    let [first, second] = interfaces.as_slice() else { panic!("{interfaces:?}") };
    assert_eq!((first.device_number, second.device_number), (Some(0), Some(1)));
    assert_eq!(first.security_groups, ["default"]);
    assert_eq!(second.interface_id.as_deref(), Some("eni-2"));
    assert_eq!(second.ipv6_prefixes, ["2001:db8::/80", "2001:db8:1::/80"]);
    assert_eq!(
        second.ipv4_associations,
        [("198.51.100.7".to_owned(), vec!["10.0.0.2".to_owned(), "10.0.0.3".to_owned()])]
    );
}

#[test]
fn a_value_that_is_no_number_says_so() {
    let emulator = Emulator::builder()
        .set("network/interfaces/macs/02:29:96:8f:6a:2d/device-number", "many")
        .start()
        .unwrap();
    let error = client(&emulator).interfaces().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of `/latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/device-number` is not a number"
    );
}
