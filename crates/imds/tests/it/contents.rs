//! The typed documents and collections, against the emulator.

use std::collections::BTreeMap;

use imds::{AsyncClient, Client, EmptyEnvironment, ErrorKind};
use imds_emulator::Emulator;
use imds_model::calendar::DateTime;

fn rfc3339(text: &str) -> std::time::SystemTime {
    DateTime::parse_rfc3339(text).unwrap().system_time()
}

fn client(emulator: &Emulator) -> Client {
    Client::builder().environment(EmptyEnvironment).endpoint(emulator.endpoint()).no_store().build().unwrap()
}

#[test]
fn documents_of_the_built_in_instance() {
    let emulator = crate::emulator().start().unwrap();
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
        crate::emulator().unset("iam").unset("events").unset("tags").unset("public-keys").start().unwrap();
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
    let emulator = crate::emulator()
        .set("spot/instance-action", r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"}"#)
        .set("events/recommendations/rebalance", r#"{"noticeTime": "2020-10-27T08:22:00Z"}"#)
        .set("events/maintenance/scheduled", event)
        .start()
        .unwrap();
    let imds = client(&emulator);
    assert_eq!(imds.spot_instance_action().unwrap().unwrap().action, "stop");
    assert_eq!(
        imds.rebalance_recommendation().unwrap().unwrap().notice_time,
        rfc3339("2020-10-27T08:22:00Z")
    );
    let events = imds.scheduled_maintenance().unwrap();
    assert_eq!((events[0].not_before, events[0].not_after), (rfc3339("2021-01-01T02:00:00Z"), None));
}

#[test]
fn every_key_and_interface_is_there() {
    let base = "network/interfaces/macs/02:aa:00:00:00:02";
    let emulator = crate::emulator()
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
    let emulator = crate::emulator()
        .set("network/interfaces/macs/02:29:96:8f:6a:2d/device-number", "many")
        .start()
        .unwrap();
    let error = client(&emulator).interfaces().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of `/latest/meta-data/network/interfaces/macs/02:29:96:8f:6a:2d/device-number` is not a number"
    );
}

#[test]
fn a_time_that_is_none_says_so_without_quoting_it() {
    let emulator = crate::emulator()
        .set("spot/instance-action", r#"{"action": "stop", "time": "half past nine"}"#)
        .start()
        .unwrap();
    let error = client(&emulator).spot_instance_action().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the value of `/latest/meta-data/spot/instance-action` is not the expected document"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!((error.kind(), cause.as_str()), (ErrorKind::Protocol, "line 1, column 44"));
}

#[tokio::test(flavor = "current_thread")]
async fn the_client_for_tasks_has_every_read_of_the_blocking_one() {
    let emulator = crate::emulator()
        .set("spot/instance-action", r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"}"#)
        .start()
        .unwrap();
    let blocking = client(&emulator);
    let tasks: AsyncClient = AsyncClient::builder()
        .environment(EmptyEnvironment)
        .endpoint(emulator.endpoint())
        .no_store()
        .build_async()
        .unwrap();
    let role = tasks.role_name().await.unwrap().unwrap();
    assert_eq!(tasks.role_name().await.unwrap(), blocking.role_name().unwrap());
    assert_eq!(
        tasks.role_credentials(&role).await.unwrap().access_key_id,
        blocking.role_credentials(&role).unwrap().access_key_id
    );
    macro_rules! same {
        ($($read:ident)*) => { $(
            assert_eq!(tasks.$read().await.unwrap(), blocking.$read().unwrap(), stringify!($read));
        )* };
    }
    same!(identity_document iam_info identity_credentials_info identity_credentials);
    same!(spot_instance_action rebalance_recommendation scheduled_maintenance maintenance_history);
    same!(interfaces tags block_devices public_keys);
    // Another task may await a read: the future is `Send`.
    let tags = tokio::spawn(async move { tasks.tags().await }).await.unwrap().unwrap();
    assert_eq!(tags["Name"], "my-instance");
}

#[test]
fn a_path_may_be_any_text() {
    let emulator = crate::emulator().start().unwrap();
    let imds = client(&emulator);
    let key = "Name";
    let owned: String = format!("tags/instance/{key}");
    assert_eq!(imds.get(&owned).unwrap().text().unwrap(), "my-instance");
    assert_eq!(imds.get(std::borrow::Cow::from(&owned)).unwrap().text().unwrap(), "my-instance");
    assert_eq!(imds.get(owned).unwrap().text().unwrap(), "my-instance");
}

#[test]
fn a_builder_may_be_sent_to_another_thread() {
    let emulator = crate::emulator().start().unwrap();
    let builder = Client::builder().environment(EmptyEnvironment).endpoint(emulator.endpoint()).no_store();
    let region = std::thread::spawn(move || builder.build()?.get("placement/region")).join().unwrap();
    assert_eq!(region.unwrap().text().unwrap(), "us-east-1");
}

#[test]
fn json_is_any_type_that_can_be_deserialized() {
    #[derive(serde::Deserialize)]
    struct Document {
        region: String,
    }
    let emulator = crate::emulator().start().unwrap();
    let response = client(&emulator).get("/latest/dynamic/instance-identity/document").unwrap();
    assert_eq!(response.json::<Document>().unwrap().region, "us-east-1");
    assert_eq!(response.json::<serde_json::Value>().unwrap()["region"], "us-east-1");
}

/// A credentials document; the extended path's has an account.
fn credentials_document(account: bool) -> Vec<u8> {
    let account = if account { r#""AccountId":"123456789012","# } else { "" };
    let times = r#""LastUpdated":"2026-01-15T09:00:00Z","Expiration":"2026-01-15T15:00:00Z""#;
    let keys = r#""AccessKeyId":"ASIAIOSFODNN7EXAMPLE","SecretAccessKey":"test","Token":"test""#;
    format!(r#"{{"Code":"Success",{account}{times},{keys}}}"#).into_bytes()
}

fn asked(server: &imds_testkit::FaultServer) -> Vec<String> {
    let requests = server.requests();
    let gets = requests.iter().filter(|request| request.method == "GET");
    gets.map(|request| request.target.trim_start_matches("/latest/meta-data/iam/").to_owned()).collect()
}

#[test]
fn credentials_come_from_the_extended_path_and_from_the_old_one_if_it_is_not_there() {
    use imds_testkit::{Answer, Behaviour, FaultServer};
    let iam = "/latest/meta-data/iam";
    for extended in [true, false] {
        let server = FaultServer::start();
        server.every_get(Answer::status(404));
        let directory = if extended { "security-credentials-extended" } else { "security-credentials" };
        server.at(&format!("{iam}/{directory}/"), Behaviour::Serve(b"web".to_vec()));
        server.at(&format!("{iam}/{directory}/web"), Behaviour::Serve(credentials_document(extended)));
        let builder = || imds::Client::builder().endpoint(server.endpoint()).no_store();
        let client = builder().environment(imds::EmptyEnvironment).build().unwrap();
        let found = client.instance_credentials().unwrap().unwrap();
        assert_eq!((&*found.role, found.credentials.account_id.is_some()), ("web", extended));
        let expected: &[&str] = if extended {
            &["security-credentials-extended/", "security-credentials-extended/web"]
        } else {
            &[
                "security-credentials-extended/",
                "security-credentials/",
                "security-credentials-extended/web",
                "security-credentials/web",
            ]
        };
        assert_eq!(asked(&server), expected);
        // A role that is known asks no listing.
        client.role_credentials("web").unwrap();
        assert_eq!(asked(&server).len(), expected.len() + if extended { 1 } else { 2 });
    }
    let server = FaultServer::start();
    server.every_get(Answer::status(403));
    let client = imds::Client::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    assert_eq!(client.role_credentials("web").unwrap_err().kind(), imds::ErrorKind::Forbidden);
    assert_eq!(asked(&server), ["security-credentials-extended/web"], "only a 404 leads to the old path");
}

#[test]
fn credentials_that_are_not_whole_are_read_again_and_a_code_is_told() {
    use imds_testkit::{Answer, Behaviour, FaultServer};
    let server = FaultServer::start();
    let client = imds::Client::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    let whole = credentials_document(true);
    server.next_get([Answer::ok(""), Answer::ok(&whole[..40])]);
    server.every_get(Behaviour::Serve(whole));
    assert_eq!(client.role_credentials("web").unwrap().access_key_id, "ASIAIOSFODNN7EXAMPLE");
    assert_eq!(server.counts().gets, 3);

    let message = "EC2 cannot assume the role web.  Please see documentation";
    let refused = format!(r#"{{"Code":"AssumeRoleUnauthorizedAccess","Message":"{message}"}}"#);
    server.every_get(Behaviour::Serve(refused.into_bytes()));
    let error = client.role_credentials("web").unwrap_err();
    assert_eq!(error.service_code(), Some("AssumeRoleUnauthorizedAccess"));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), message);
    assert_eq!(server.counts().gets, 4, "what the service says is not asked again");

    server.every_get(Behaviour::Serve(b"{}".to_vec()));
    assert_eq!(client.role_credentials("web").unwrap_err().kind(), imds::ErrorKind::Protocol);
    assert_eq!(server.counts().gets, 7);
}

#[test]
fn a_role_that_changes_after_it_was_listed_is_listed_again() {
    use imds_testkit::{Answer, FaultServer};
    let server = FaultServer::start();
    let client = imds::Client::builder()
        .environment(imds::EmptyEnvironment)
        .endpoint(server.endpoint())
        .no_store()
        .build()
        .unwrap();
    server.next_get([
        Answer::ok(""),
        Answer::ok("old"),
        Answer::status(404),
        Answer::status(404),
        Answer::ok("new"),
        Answer::ok(credentials_document(true)),
    ]);
    assert_eq!(client.instance_credentials().unwrap().unwrap().role, "new");
}
