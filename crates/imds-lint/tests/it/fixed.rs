//! Every shell snippet of the corpus that is rewritten does the same before and after, against the
//! emulator.
//!
//! The scripts hard-code the service's address. They run in a network namespace that has nothing
//! but `lo`, where the emulator owns that address, each on an overlay of the file system that is
//! thrown away.

use std::path::{Path, PathBuf};
use std::process::Command;

use imds_lint::check::{self, Settings};
use imds_lint::fix::{Style, apply};
use imds_lint::rules::catalogue::RuleId;

use crate::corpus;

fn fixed(name: &str, text: &str, style: Style) -> Option<String> {
    let checked = check::check(name, text.as_bytes(), Settings { style });
    let groups: Vec<_> = checked
        .findings
        .iter()
        .map(|finding| finding.edits.as_slice())
        .filter(|edits| !edits.is_empty())
        .collect();
    let chosen = apply::choose(&groups);
    (!chosen.is_empty()).then(|| apply::apply(text, &chosen))
}

/// The command `imds`, which `cargo build -p imds-cli` puts beside the program under test.
fn imds() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_imds-lint")).with_file_name("imds");
    assert!(built.exists(), "no `{}`: build it with `cargo build -p imds-cli`", built.display());
    built
}

#[test]
fn a_fixed_script_prints_and_writes_what_the_original_does() {
    let cases = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for snippet in corpus::snippets().iter().filter(|snippet| snippet.name.ends_with(".sh")) {
        let variants = [("imds", Style::Imds), ("curl", Style::Curl)]
            .map(|(name, style)| (name, fixed(&snippet.name, &snippet.text, style)));
        if variants.iter().all(|(_, text)| text.is_none()) {
            continue;
        }
        let case = cases.path().join(format!("case-{}", names.len()));
        std::fs::create_dir(&case).unwrap();
        std::fs::write(case.join("original.sh"), &snippet.text).unwrap();
        for (variant, text) in variants.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
            std::fs::write(case.join(format!("{variant}.sh")), text).unwrap();
        }
        names.push((snippet.name.clone(), case));
    }
    assert!(names.len() >= 60, "{} cases", names.len());
    let ids = if is_root() { &["--net", "--mount"][..] } else { &["--map-root-user", "--net", "--mount"] };
    let output = Command::new("unshare")
        .args(ids)
        .args(["--kill-child", "--fork", "sh"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/harness.sh"))
        .arg(imds())
        .arg(cases.path())
        .output()
        .expect("run unshare");
    assert!(output.status.success(), "{output:?}");
    let read = |case: &Path, name: &str| std::fs::read_to_string(case.join(name));
    let mut compared = 0;
    let mut spoke = 0;
    for (name, case) in &names {
        for variant in ["imds", "curl"] {
            let Ok(status) = read(case, &format!("{variant}.status")) else { continue };
            let about = || {
                let part = |name: &str| read(case, name).unwrap_or_default();
                format!(
                    "{name}, {variant}:\n{}\n{}\n--- {}",
                    part(&format!("{variant}.sh")),
                    part(&format!("{variant}.stderr")),
                    part("original.stderr")
                )
            };
            for kind in ["stdout", "files"] {
                let original = read(case, &format!("original.{kind}")).unwrap();
                let fixed = read(case, &format!("{variant}.{kind}")).unwrap();
                assert_eq!(fixed, original, "{kind} of {}", about());
                spoke += usize::from(!fixed.is_empty());
            }
            if read(case, "original.status").unwrap().trim() == "0" {
                assert_eq!(status.trim(), "0", "status of {}", about());
            }
            compared += 1;
        }
    }
    println!("{} scripts, {compared} rewrites compared, {spoke} of them with output", names.len());
    assert!(compared >= 100 && spoke >= 60, "{compared} compared, {spoke} with output");
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[test]
fn a_rewrite_leaves_nothing_to_rewrite_and_no_request_without_a_token() {
    let mut rewritten = 0;
    for snippet in corpus::snippets() {
        for style in [Style::Imds, Style::Curl] {
            let Some(text) = fixed(&snippet.name, &snippet.text, style) else { continue };
            rewritten += 1;
            assert_eq!(fixed(&snippet.name, &text, style), None, "{} again:\n{text}", snippet.name);
            let v1 = |text: &str| {
                let checked = check::check(&snippet.name, text.as_bytes(), Settings { style });
                assert!(checked.unread.is_empty(), "{}: {:?}\n{text}", snippet.name, checked.unread);
                checked
                    .findings
                    .iter()
                    .filter(|finding| finding.rule == RuleId::ImdsV1Request && !finding.edits.is_empty())
                    .count()
            };
            assert_eq!(v1(&text), 0, "{}:\n{text}", snippet.name);
        }
    }
    assert!(rewritten >= 150, "{rewritten} rewrites");
}
