//! `imds completions`: the scripts in real shells.

use imds_testkit::Completions;

use crate::world;

const SCRIPTS: Completions = Completions {
    program: "imds",
    binary: env!("CARGO_BIN_EXE_imds"),
    lines: &[
        ("imds ", &["get", "tree", "watch", "aws-cli", "fleet", "completions"]),
        ("imds cred", &["credentials"]),
        (
            "imds get ",
            &["region", "account-id", "instance-id", "placement/region", "user-data", "meta-data/"],
        ),
        ("imds get place", &["placement/", "placement/region", "placement/availability-zone"]),
        ("imds get meta-data/pl", &["meta-data/placement/region"]),
        ("imds get latest/meta-data/pl", &["latest/meta-data/placement/region"]),
        ("imds get /latest/meta-data/inst", &["/latest/meta-data/instance-id"]),
        ("imds get instance-id --path place", &["placement/region"]),
        ("imds get instance-id plac", &["placement/region"]),
        ("imds get --output ", &["text", "json", "env", "yaml"]),
        ("imds get -o j", &["json"]),
        ("imds get --def", &["--default"]),
        ("imds get --endpoint-mode ", &["IPv4", "IPv6", "auto"]),
        ("imds list plac", &["placement/"]),
        ("imds tree plac", &["placement/"]),
        ("imds dump plac", &["placement/"]),
        ("imds wait spot/", &["spot/instance-action"]),
        ("imds watch ", &["spot-interruption", "rebalance", "lifecycle"]),
        ("imds watch spot-interruption re", &["rebalance"]),
        ("imds watch autosc", &["autoscaling/target-lifecycle-state"]),
        ("imds credentials --output ", &["process", "env", "json"]),
        ("imds aws-cli ", &["install", "uninstall", "status"]),
        ("imds aws-cli status --", &["--output", "--alias-file"]),
        ("imds identity verify --kind ", &["rsa2048", "signature", "pkcs7"]),
        ("imds serve --preset ", &["default", "spot", "ipv6-only"]),
        ("imds emulate --fault ", &["stall", "503", "refuse"]),
        ("imds exec -- prin", &["printenv", "printf"]),
        ("imds exec AWS_REGION=placement/region -- printen", &["printenv"]),
        ("imds completions ", &["bash", "fish", "zsh"]),
        ("imds man ", &["get", "watch"]),
    ],
};

#[test]
fn bash() {
    SCRIPTS.in_bash();
}

#[test]
fn fish() {
    SCRIPTS.in_fish();
}

#[test]
fn zsh() {
    SCRIPTS.in_zsh();
}

#[test]
fn no_help_text_is_expanded() {
    let world = world();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.imds(["completions", shell]).disabled().run().exits_with(0);
        // Outside single quotes, which nothing expands, no help text stands: an `eval` example is
        // the proof.
        for line in script.stdout().lines().filter(|line| line.contains("imds credentials")) {
            let outside: String = line.split('\'').step_by(2).collect();
            assert!(!outside.contains("imds credentials"), "{shell}: {line}");
        }
    }
}
