//! `imds-trace completions`: the scripts in real shells.

use imds_testkit::Completions;

const SCRIPTS: Completions = Completions {
    program: "imds-trace",
    binary: env!("CARGO_BIN_EXE_imds-trace"),
    lines: &[
        ("imds-trace --v1", &["--v1-only"]),
        ("imds-trace --output ", &["json"]),
        ("imds-trace adv", &["advise"]),
        ("imds-trace completions ", &["bash", "fish", "zsh"]),
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
