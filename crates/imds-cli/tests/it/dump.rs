//! `imds dump` and `imds tree`: everything, once, and nothing that was not asked for.

use std::collections::BTreeMap;

use imds_emulator::{Emulator, Instance, Profile};
use imds_emulator::{Preset, read_instance};
use imds_model::CATALOGUE;
use imds_testkit::{Answer, Behaviour, CommandOutput, FaultServer};
use serde_json::{Value, json};

use crate::{oracle, world};

/// An instance that has every category of the model, with the model's example as its value.
fn fullest() -> imds_emulator::Emulator {
    let mut builder = crate::emulator().instance(Preset::MultiInterface.instance());
    for category in CATALOGUE.iter().filter(|category| !category.is_directory()) {
        builder = builder.set(&concrete(category.path()), category.example());
    }
    builder.start().unwrap()
}

fn concrete(path: &str) -> String {
    [
        ("<mac>", "02:29:96:8f:6a:2d"),
        ("<public-ip>", "203.0.113.99"),
        ("<virtual-name>", "ebs1"),
        ("<role-name>", "my-role"),
        ("<index>", "1"),
        ("<key>", "team:a+b=c@d"),
        ("<user>", "ec2-user"),
        ("<fingerprint>", "da39a3ee"),
        ("<gpu-id>", "egpu-1"),
        ("<accelerator-id>", "eia-1"),
    ]
    .iter()
    .fold(path.to_owned(), |path, (label, value)| path.replace(label, value))
}

fn dump(endpoint: &str, arguments: &[&str]) -> CommandOutput {
    let world = world();
    let mut invocation = world.imds(["dump"].iter().chain(arguments)).endpoint(endpoint);
    if !arguments.contains(&"--timeout") {
        // A loaded machine can take a while to answer, and a request that is repeated would be
        // counted twice.
        invocation = invocation.env("AWS_METADATA_SERVICE_TIMEOUT", "100").arg("--timeout").arg("100");
    }
    if arguments.contains(&"--show-secrets") { invocation.prints_secrets().run() } else { invocation.run() }
}

/// The values of a snapshot, by path, the names of launch keys taken off.
fn snapshot(emulator: &Emulator) -> (BTreeMap<String, Vec<u8>>, String) {
    use base64::Engine as _;
    let world = world();
    let file = world.root().join("snapshot.json");
    let command = world.imds(["dump", "--timeout", "100", "--snapshot", file.to_str().unwrap()]);
    let out = command.env("AWS_METADATA_SERVICE_TIMEOUT", "100").endpoint(&emulator.endpoint()).run();
    assert_eq!(out.prints("").stderr(), "");
    let text = std::fs::read_to_string(&file).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let leaves = document["leaves"].as_object().unwrap().iter().map(|(path, value)| {
        let path =
            match path.strip_prefix("/latest/meta-data/public-keys/").and_then(|rest| rest.split_once('/')) {
                Some((key, rest)) => {
                    format!("/latest/meta-data/public-keys/{}/{rest}", key.split('=').next().unwrap())
                }
                None => path.clone(),
            };
        let value = match value {
            Value::String(text) => text.clone().into_bytes(),
            other => {
                base64::engine::general_purpose::STANDARD.decode(other["base64"].as_str().unwrap()).unwrap()
            }
        };
        (path, value)
    });
    (leaves.collect(), text)
}

#[test]
fn the_fullest_instance_leaf_by_leaf() {
    let emulator = fullest();
    let held = oracle::leaves(&emulator);
    for category in CATALOGUE.iter().filter(|category| !category.is_directory()) {
        let path = format!("/latest/{}", concrete(category.path()));
        // Listed nowhere, as on the real service: found by name only.
        let unlisted = ["managed-ssh-keys", "security-credentials-extended"];
        if !unlisted.iter().any(|name| path.contains(name)) {
            assert_eq!(held.get(&path).map(Vec::as_slice), Some(category.example().as_bytes()), "{path}");
        }
    }
    let before = emulator.requests().len();
    let (found, _) = snapshot(&emulator);
    let requests = emulator.requests().split_off(before);
    // IMDSv2 readers are given other role credentials than IMDSv1 readers.
    let without = |leaves: &BTreeMap<String, Vec<u8>>| -> BTreeMap<String, Vec<u8>> {
        let credentials = |path: &str| path.contains("/security-credentials/");
        leaves.iter().filter(|(path, _)| !credentials(path)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    assert_eq!(found.keys().collect::<Vec<_>>(), held.keys().collect::<Vec<_>>());
    assert_eq!(without(&found), without(&held));
    let mut asked: Vec<_> =
        requests.iter().filter(|request| &*request.method == "GET").map(|r| r.path.clone()).collect();
    assert_eq!(requests.len(), asked.len() + 1, "one token PUT and no other request");
    let total = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), total, "each directory and value is asked for once");
}

#[test]
fn a_snapshot_served_again_is_the_same_for_every_profile() {
    for profile in Profile::ALL {
        let preset = if profile == Profile::Snowball { Preset::Snowball } else { Preset::MultiInterface };
        let emulator = crate::emulator().instance(preset.instance()).profile(profile).start().unwrap();
        let (leaves, text) = snapshot(&emulator);
        let world = world();
        let file = world.root().join("instance.json");
        std::fs::write(&file, &text).unwrap();
        let again =
            crate::emulator().described(read_instance(&file).unwrap()).profile(profile).start().unwrap();
        let (leaves_again, text_again) = snapshot(&again);
        assert_eq!(leaves_again, leaves, "{profile:?}");
        assert_eq!(text_again, text, "{profile:?}");
        if profile == Profile::Snowball {
            assert!(leaves.len() < 25, "{}", leaves.len());
            assert!(!leaves.keys().any(|path| path.contains("placement")));
        }
    }
}

#[test]
fn a_snapshot_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let file = world.root().join("snapshot.json");
    std::fs::write(&file, "old").unwrap();
    let command = world.imds(["dump", "--timeout", "100", "--snapshot", file.to_str().unwrap()]);
    let out = command.env("AWS_METADATA_SERVICE_TIMEOUT", "100").endpoint(&emulator.endpoint()).run();
    let _ = out.prints("");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let nowhere = world.root().join("no/such/file");
    let out =
        world.imds(["dump", "--snapshot", nowhere.to_str().unwrap()]).endpoint(&emulator.endpoint()).run();
    let _ = out.fails_with(1).says("error: cannot write `");
}

#[test]
fn no_secret_unless_asked() {
    let emulator = fullest();
    let secrets =
        ["wJalrXUtnFEMI", "je7MtGbClwBF", "IQoJb3JpZ2lu", "my-hook", "MIAGCSqGSIb3", "dExAMPLESIGNATURE"];
    for format in ["json", "flat", "env", "yaml"] {
        let quiet = dump(&emulator.endpoint(), &["--output", format]).exits_with(0);
        for secret in secrets {
            assert!(!quiet.stdout().contains(secret), "{format}: {secret}");
            assert!(!quiet.stderr().contains(secret), "{format}: {secret}");
        }
        let quiet = quiet.says("note: left out as secret, `--show-secrets` prints them: ");
        let quiet =
            quiet.says("`/latest/user-data`").says("`/latest/meta-data/iam/security-credentials/my-role`");
        assert!(quiet.stdout().contains("i-1234567890abcdef0"), "{format}");
        let all = dump(&emulator.endpoint(), &["--output", format, "--show-secrets"]).exits_with(0);
        for secret in secrets {
            assert!(all.stdout().contains(secret), "{format}: {secret}\n{all}");
        }
        assert_eq!(all.stderr(), "");
    }
}

#[test]
fn values_are_typed_and_every_key_and_signature_path_is_there() {
    let emulator = fullest();
    emulator.service().set("security-groups", "default\nweb").unwrap();
    // An account id keeps its leading zero: it is text.
    emulator.service().set("network/interfaces/macs/02:29:96:8f:6a:2d/owner-id", "012345678901").unwrap();
    let found: Value =
        serde_json::from_str(dump(&emulator.endpoint(), &["--show-secrets"]).exits_with(0).stdout()).unwrap();
    let metadata = &found["meta-data"];
    assert_eq!(metadata["ami-launch-index"], json!(0));
    assert_eq!(metadata["security-groups"], json!(["default", "web"]));
    assert_eq!(metadata["iam"]["info"]["Code"], json!("Success"));
    assert_eq!(metadata["public-keys"].as_object().unwrap().len(), 2, "all public keys");
    let mac = &metadata["network"]["interfaces"]["macs"]["02:29:96:8f:6a:2d"];
    assert_eq!((&mac["device-number"], &mac["owner-id"]), (&json!(0), &json!("012345678901")));
    assert_eq!(found["dynamic"]["fws"]["instance-monitoring"], json!("disabled"));
    assert_eq!(found["dynamic"]["instance-identity"]["document"]["region"], json!("us-east-1"));
    assert!(found["dynamic"]["instance-identity"]["pkcs7"].is_string());
}

#[test]
fn nothing_is_cut_and_text_is_utf_8() {
    let long = "x".repeat(100_000);
    let emulator = crate::emulator()
        .set("user-data", long.clone())
        .set("tags/instance/long", long.clone())
        .set("tags/instance/Größe", "5 µm ✓")
        .start()
        .unwrap();
    let found: Value =
        serde_json::from_str(dump(&emulator.endpoint(), &["--show-secrets"]).exits_with(0).stdout()).unwrap();
    assert_eq!(found["user-data"], json!(long));
    assert_eq!(found["meta-data"]["tags"]["instance"]["long"], json!(long));
    assert_eq!(found["meta-data"]["tags"]["instance"]["Größe"], json!("5 µm ✓"));
}

#[test]
fn a_broken_document_stays_text_and_is_named() {
    let emulator = crate::emulator().set("events/maintenance/scheduled", "[{\"Code\":").start().unwrap();
    let out = dump(&emulator.endpoint(), &["events"]).exits_with(0);
    let out = out.says(
        "note: the value of `/latest/meta-data/events/maintenance/scheduled` should be JSON and is not",
    );
    let found: Value = serde_json::from_str(out.stdout()).unwrap();
    assert_eq!(found["maintenance"]["scheduled"], json!("[{\"Code\":"));
    let got = world()
        .imds(["get", "events/maintenance/scheduled", "--output", "json"])
        .endpoint(&emulator.endpoint())
        .run();
    let _ = got.prints("\"[{\\\"Code\\\":\"\n").says("should be JSON and is not");
}

#[test]
fn by_name_by_prefix_and_by_regular_expression() {
    let emulator = crate::emulator().start().unwrap();
    let endpoint = emulator.endpoint();
    let _ = dump(&endpoint, &["--output", "flat", "-E", "region$"])
        .prints("meta-data/placement/region = \"us-east-1\"\n");
    let _ =
        dump(&endpoint, &["placement", "-E", "^meta-data/placement/availability-zone$", "--output", "flat"])
            .prints("meta-data/placement/availability-zone = \"us-east-1a\"\n");
    let _ = dump(&endpoint, &["placement/region"]).prints("\"us-east-1\"\n");
    let _ = dump(&endpoint, &["-E", "("]).fails_with(2).says("it is not a regular expression");
    let _ = dump(&endpoint, &["no-such-thing"]).fails_with(3).says("`/latest/meta-data/no-such-thing`");
    let before = emulator.requests().len();
    let _ = dump(&endpoint, &["placement", "-E", "nothing like it"]).prints("{}\n");
    assert_eq!(
        emulator.requests().len() - before,
        2,
        "the token and the directory: no value that does not match"
    );
}

/// `a/` with one value that fails as told, and one that is fine.
fn one_fails(how: impl Into<Behaviour>) -> FaultServer {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    server.at("/latest/meta-data/a/", Behaviour::Serve(b"bad\nfine".to_vec()));
    server.at("/latest/meta-data/a/fine", Behaviour::Serve(b"1".to_vec()));
    server.at("/latest/meta-data/a/bad", how);
    server
}

#[test]
fn one_value_failing_spoils_nothing_but_the_exit_code() {
    for (how, exit) in [
        (Answer::status(503).into(), 6),
        (Answer::status(403).into(), 5),
        (Answer::status(400).into(), 1),
        (Answer::redirect("http://127.0.0.1:1/").into(), 1),
        (Answer::captive_portal().into(), 1),
        (Behaviour::Stall, 4),
        (Behaviour::Hangup, 4),
    ] {
        let server = one_fails(how.clone());
        let out = dump(&server.endpoint(), &["a/", "--timeout", "2"])
            .exits_with(exit)
            .says("error: ")
            .says("a/bad");
        assert_eq!(out.stdout(), "{\n  \"fine\": \"1\"\n}\n", "{how:?}");
        let strict = dump(&server.endpoint(), &["a/", "--timeout", "2", "--strict"]);
        let _ = strict.fails_with(exit).says("a/bad");
    }
}

#[test]
fn one_odd_name_costs_nothing_of_the_rest() {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    server.at("/latest/meta-data/a/", Behaviour::Serve(b"o\x1b[2Jdd\nfine".to_vec()));
    server.at("/latest/meta-data/a/fine", Behaviour::Serve(b"1".to_vec()));
    server.at("/latest/meta-data/a/o%1B%5B2Jdd", Behaviour::Serve(b"2".to_vec()));
    let out = dump(&server.endpoint(), &["a/"]).exits_with(0);
    assert_eq!(out.stdout(), "{\n  \"fine\": \"1\",\n  \"o\\u001b[2Jdd\": \"2\"\n}\n");
    let listed = world().imds(["list", "a/"]).endpoint(&server.endpoint()).run();
    let _ = listed.prints("o\x1b[2Jdd\nfine\n");
}

#[test]
fn a_listed_value_that_is_gone_is_absent() {
    let server = one_fails(Answer::status(404));
    for strict in [&["a/"][..], &["a/", "--strict"]] {
        let out = dump(&server.endpoint(), strict).exits_with(0);
        assert_eq!(out.stdout(), "{\n  \"fine\": \"1\"\n}\n");
    }
}

#[test]
fn what_listings_promise_for_ever_is_simply_absent() {
    let server = FaultServer::start();
    server.every_get(Answer::status(404));
    server.at("/latest/meta-data/", Behaviour::Serve(b"mac\nmetrics/".to_vec()));
    server.at("/latest/meta-data/mac", Behaviour::Serve(b"02:00".to_vec()));
    server.at("/latest/meta-data/metrics/", Behaviour::Serve(b"vhostmd".to_vec()));
    let out = dump(&server.endpoint(), &["meta-data/"]).prints("{\n  \"mac\": \"02:00\"\n}\n");
    assert_eq!(out.stderr(), "");
}

#[test]
fn a_service_that_is_off_is_told_once() {
    let server = FaultServer::start();
    server.every_token(Answer::status(403));
    let out = dump(&server.endpoint(), &[]).fails_with(5);
    assert_eq!(out.stderr().matches("error: ").count(), 1, "{out}");
}

#[test]
fn a_pin_tells_what_it_hides() {
    let emulator = crate::emulator().start().unwrap();
    let out = dump(&emulator.endpoint(), &["/2021-03-23/meta-data/", "--output", "flat"]).exits_with(0);
    assert!(!out.stdout().contains("meta-data/system"));
    let _ = out.says(
        "note: version `2021-03-23` does not show what came later: meta-data/autoscaling/, \
         meta-data/autoscaling/target-lifecycle-state, meta-data/system\n",
    );
}

#[test]
fn a_tree_on_the_screen() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let tree = |arguments: &[&str]| {
        world.imds(["tree"].iter().chain(arguments)).endpoint(&emulator.endpoint()).run()
    };
    let _ = tree(&["placement", "--values"]).prints(
        "/latest/meta-data/placement\n├── availability-zone = \"us-east-1a\"\n├── availability-zone-id = \"use1-az4\"\n\
         └── region = \"us-east-1\"\n",
    );
    let names = tree(&["iam"]);
    let _ = names
        .prints("/latest/meta-data/iam\n├── info\n└── security-credentials/\n    └── my-role = (secret)\n");
    assert!(
        !emulator.requests().iter().any(|request| request.path.ends_with("/my-role")),
        "no secret is read"
    );
    let values = tree(&["iam", "--values"]).exits_with(0);
    assert!(values.stdout().contains("my-role = (secret)"), "{values}");
    let _ =
        tree(&["iam", "--depth", "1"]).prints("/latest/meta-data/iam\n├── info\n└── security-credentials/\n");
    let _ = tree(&["placement", "--depth", "0"]).fails_with(2).says("'--depth <LEVELS>'");
    let _ = tree(&["instance-id"])
        .fails_with(2)
        .says("cannot show `/latest/meta-data/instance-id` as a tree: it is a value, not a directory\nhint: `imds get ");
    let _ = tree(&["user-data", "--values"]).fails_with(2).says("it is a value, not a directory");
}

#[test]
fn a_directory_that_the_instance_does_not_have() {
    let emulator = crate::emulator()
        .instance(Instance { tags: BTreeMap::new(), ..Instance::default() })
        .start()
        .unwrap();
    let _ = dump(&emulator.endpoint(), &["tags/instance/"]).fails_with(3);
}
