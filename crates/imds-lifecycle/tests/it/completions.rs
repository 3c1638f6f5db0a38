//! `imds-lifecycle completions`: the scripts in real shells.

use imds_testkit::Completions;

const SCRIPTS: Completions = Completions {
    program: "imds-lifecycle",
    binary: env!("CARGO_BIN_EXE_imds-lifecycle"),
    lines: &[
        ("imds-lifecycle ", &["run", "completions"]),
        ("imds-lifecycle run --when ", &["waiting", "announced"]),
        ("imds-lifecycle run --exec prin", &["printenv", "printf"]),
        ("imds-lifecycle run --on-", &["--on-failure"]),
        ("imds-lifecycle completions ", &["bash", "fish", "zsh"]),
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
