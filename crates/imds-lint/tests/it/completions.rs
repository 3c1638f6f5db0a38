//! `imds-lint completions`: the scripts in real shells.

use imds_testkit::Completions;

const SCRIPTS: Completions = Completions {
    program: "imds-lint",
    binary: env!("CARGO_BIN_EXE_imds-lint"),
    lines: &[
        ("imds-lint --out", &["--output"]),
        ("imds-lint --output ", &["json", "sarif", "junit"]),
        ("imds-lint --style ", &["imds", "curl"]),
        ("imds-lint completions ", &["bash", "fish", "zsh"]),
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
