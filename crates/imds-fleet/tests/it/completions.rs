//! `imds-fleet completions`: the scripts in real shells.

use imds_testkit::Completions;

const SCRIPTS: Completions = Completions {
    program: "imds-fleet",
    binary: env!("CARGO_BIN_EXE_imds-fleet"),
    lines: &[
        ("imds-fleet ", &["state", "audit", "usage", "plan", "apply", "rollback", "policy"]),
        ("imds-fleet pl", &["plan"]),
        ("imds-fleet plan --http-tokens ", &["optional", "required"]),
        ("imds-fleet plan --tags ", &["enabled", "disabled"]),
        ("imds-fleet state --all", &["--all-regions"]),
        ("imds-fleet state --output ", &["table", "json", "csv"]),
        ("imds-fleet plan --include-owned ek", &["eks"]),
        ("imds-fleet policy ", &["read", "apply", "organization"]),
        ("imds-fleet completions ", &["bash", "fish", "zsh"]),
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
