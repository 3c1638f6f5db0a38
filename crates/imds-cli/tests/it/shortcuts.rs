//! What `imds get` takes beside plain paths, and the order and names of what it prints.

use imds_emulator::Emulator;
use imds_emulator::instance::Preset;
use imds_testkit::{CommandOutput, TestEnvironment};
use serde_json::Value;

use crate::world;

struct Bench {
    world: TestEnvironment,
    emulator: Emulator,
}

impl Bench {
    fn new(preset: Preset) -> Self {
        let emulator = crate::emulator().instance(preset.instance()).start().unwrap();
        Self { world: world(), emulator }
    }

    fn run(&self, words: &[&str]) -> CommandOutput {
        self.world.imds(words).endpoint(&self.emulator.endpoint()).run()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(self.run(words).exits_with(0).stdout()).unwrap()
    }
}

#[test]
fn short_names_stand_for_values() {
    let bench = Bench::new(Preset::Default);
    let read = |path: &str| bench.run(&["get", path]).exits_with(0).stdout().to_owned();
    assert_eq!(read("region"), read("placement/region"));
    assert_eq!(read("az"), read("placement/availability-zone"));
    assert_eq!(read("role"), read("iam/security-credentials/").lines().next().unwrap());
    assert_eq!(read("vpc-id"), read(&format!("network/interfaces/macs/{}/vpc-id", read("mac"))));
    let document = bench.json(&["get", "dynamic/instance-identity/document", "--output", "json"]);
    assert_eq!(read("account-id"), document["accountId"].as_str().unwrap());
    assert_eq!(
        bench.json(&["get", "account-id", "region", "--output", "json"]),
        serde_json::json!({ "account-id": document["accountId"], "region": read("region") })
    );
    // Spelled as a path, a short name is a path.
    let _ = bench
        .run(&["get", "meta-data/region"])
        .fails_with(3)
        .says("hint: did you mean `imds get placement/region`?");
}

#[test]
fn a_star_stands_for_every_entry() {
    let bench = Bench::new(Preset::MultiInterface);
    let found = bench.json(&["get", "network/interfaces/macs/*/subnet-id", "--output", "json"]);
    let macs = bench.run(&["get", "network/interfaces/macs/"]).exits_with(0);
    let macs: Vec<&str> = macs.stdout().lines().map(|mac| mac.trim_end_matches('/')).collect();
    assert!(macs.len() > 1, "{macs:?}");
    let keys: Vec<String> =
        macs.iter().map(|mac| format!("network/interfaces/macs/{mac}/subnet-id")).collect();
    assert_eq!(found.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), keys);
    let lines = bench.run(&["get", "network/interfaces/macs/*/subnet-id"]).exits_with(0);
    assert_eq!(lines.stdout().lines().count(), macs.len());
    let primary = bench.run(&["get", "network/interfaces/macs/@primary/device-number"]);
    let _ = primary.prints("0");
    // What only some of them have is no error; what none has is.
    let _ = bench.run(&["get", "network/interfaces/macs/*/nonsense"]).fails_with(3);
    let _ = bench.run(&["get", "nonsense/*"]).fails_with(3).says("nothing matches `nonsense/*`");
    let _ = bench.run(&["get", "nonsense/*", "--output", "json"]).prints("{}\n");
    let _ = bench.run(&["get", "network/../*"]).fails_with(2);
}

#[test]
fn every_command_that_takes_a_path_takes_the_primary_interface() {
    let bench = Bench::new(Preset::Default);
    let mac = bench.run(&["get", "mac"]).exits_with(0).stdout().to_owned();
    for command in [&["list"][..], &["tree", "-o", "json"], &["dump"], &["env", "--prefix", "X_"]] {
        let read = |path: &str| bench.run(&[command, &[path]].concat()).exits_with(0).stdout().to_owned();
        let (named, primary) = ("network/interfaces/macs/{}/", "network/interfaces/macs/@primary/");
        assert_eq!(read(&named.replace("{}", &mac)), read(primary), "{command:?}");
    }
}

#[test]
fn variables_have_the_name_that_was_typed() {
    let bench = Bench::new(Preset::Default);
    let words = ["region", "account-id", "vpc-id", "network/interfaces/macs/@primary/subnet-id"];
    let names = |command: &[&str]| -> Vec<String> {
        let output = bench.run(&[command, &words].concat()).exits_with(0);
        output.stdout().lines().map(|line| line.split('=').next().unwrap().to_owned()).collect()
    };
    let expected = ["REGION", "ACCOUNT_ID", "VPC_ID", "NETWORK_INTERFACES_MACS_PRIMARY_SUBNET_ID"];
    assert_eq!(names(&["env"]), expected);
    assert_eq!(names(&["get", "-o", "env"]), expected);
    let out = bench.run(&["exec", "A=account-id", "--", "sh", "-c", "printf %s \"$A\""]).exits_with(0);
    assert_eq!(out.stdout(), bench.run(&["get", "account-id"]).stdout());
}

#[test]
fn a_star_reads_no_value_as_a_listing_and_no_secret_unasked() {
    let emulator = crate::emulator().start().unwrap();
    let world = world();
    let run = |words: &[&str]| world.imds(words).endpoint(&emulator.endpoint()).run();
    // `iam/info` is a value: nothing is below it, and none of its lines is a name.
    let found = run(&["get", "iam/*/*", "-o", "json"]).exits_with(0);
    assert_eq!(found.stdout(), "{}\n");
    assert_eq!(found.stderr().lines().count(), 1, "{found}");
    let _ = found.says("left out as secret: `/latest/meta-data/iam/security-credentials/my-role`");
    let all = run(&["get", "*", "-o", "json"]).exits_with(0);
    assert!(all.stdout().contains("\"instance-id\""), "{all}");
    let asked = world
        .imds(["get", "iam/security-credentials/*", "-o", "json"])
        .endpoint(&emulator.endpoint())
        .prints_secrets()
        .run()
        .exits_with(0);
    assert!(asked.stdout().contains("AccessKeyId"), "asked for by name");
}

#[test]
fn values_come_in_the_order_of_the_command_line() {
    let bench = Bench::new(Preset::Default);
    let all = [
        &["get", "instance-id", "--path", "mac"][..],
        &["get", "--path", "instance-id", "mac"],
        &["get", "--path", "instance-id", "--path", "mac"],
        &["get", "--path=instance-id", "mac"],
    ];
    let expected = bench.run(&["get", "instance-id", "mac"]).exits_with(0).stdout().to_owned();
    for words in all {
        let _ = bench.run(words).prints(&expected);
    }
    let reversed = bench.run(&["get", "mac", "--path", "instance-id"]).exits_with(0);
    assert_eq!(reversed.stdout().lines().rev().collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>());
}

#[test]
fn global_options_stand_in_front_too() {
    let bench = Bench::new(Preset::Default);
    let endpoint = bench.emulator.endpoint();
    for words in [
        &["-v", "get", "mac"][..],
        &["--endpoint", &endpoint, "get", "mac"],
        &[&format!("--endpoint={endpoint}"), "--timeout", "5s", "-v", "get", "mac"],
        &["--endpoint", &endpoint, "latest/meta-data/mac"],
        &["-o", "text", "get", "mac"],
        &["-vv", "get", "mac"],
        &["-vo", "text", "get", "mac"],
        &["-otext", "latest/meta-data/mac"],
    ] {
        let output = bench.run(words).exits_with(0);
        assert_eq!(output.stdout(), bench.run(&["get", "mac"]).stdout(), "{words:?}");
    }
    let _ = bench.run(&["get", "mac", "-o", "json"]).exits_with(0);
}

#[test]
fn two_paths_of_one_variable_name_are_refused() {
    let server = imds_testkit::FaultServer::start();
    let run = |words: &[&str]| world().imds(words).endpoint(&server.endpoint()).run();
    let _ = run(&["get", "d/a-b", "d/a_b", "--output", "env"])
        .fails_with(2)
        .says("`/latest/meta-data/d/a-b` and `/latest/meta-data/d/a_b` would both be variable `D_A_B`");
    let once = run(&["get", "d/a-b", "d/a-b", "--output", "env"]).exits_with(0);
    assert_eq!(once.stdout().lines().count(), 1);
}
