//! The scripts in real shells: no text of a command line is ever run.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::builder::PossibleValue;
use imds_usage::{Shell, completions};

/// A program whose every text is a command substitution in some shell.
fn hostile(file: &Path) -> clap::Command {
    let file = file.display();
    let text =
        format!("it's $(touch {file}) `touch {file}` (touch {file}) \"; touch {file}; ' & touch {file}\\");
    clap::Command::new("imds-hostile")
        .about(text.clone())
        .arg(clap::Arg::new("mode").long("mode").help(text.clone()).value_parser([
            PossibleValue::new("first").help(text.clone()),
            PossibleValue::new("second").help(text.clone()),
        ]))
        .subcommand(clap::Command::new("do").about(text.clone()).arg(clap::Arg::new("x").help(text)))
}

/// Loads the script in a shell and completes; returns what was offered.
fn complete(name: &str, shell: Shell, words: &[&str], code: &str) -> Option<String> {
    let there = ["/bin", "/usr/bin"].iter().any(|directory| Path::new(directory).join(words[0]).exists());
    if !there {
        #[allow(clippy::disallowed_methods, reason = "CI tells its tests that none of them may be skipped")]
        let must = std::env::var_os("IMDS_SKIP_NO_TEST").is_some();
        assert!(!must, "this test needs {}", words[0]);
        return None;
    }
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let (script, touched) = (directory.join("script"), directory.join("touched"));
    let _ = std::fs::remove_file(&touched);
    // Of Zsh's completion system, which works at a prompt only.
    let setup = if shell == Shell::Zsh { "compdef() { : }\n" } else { "" };
    std::fs::write(&script, completions(shell, hostile(&touched), &|_, _| None)).unwrap();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--"])
        .args(words)
        .arg(format!("{setup}source '{}'\n{code}", script.display()))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &directory)
        .current_dir(&directory)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name}");
    assert!(output.status.success(), "{name}: {}", output.status);
    assert!(!touched.exists(), "{name}: a text of the command line was run");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn bash() {
    let code = "COMP_WORDS=(imds-hostile --mode ''); COMP_CWORD=2; _imds_hostile; echo \"${COMPREPLY[@]}\"\n\
                COMP_WORDS=(imds-hostile ''); COMP_CWORD=1; _imds_hostile; echo \"${COMPREPLY[@]}\"";
    if let Some(offered) = complete("bash", Shell::Bash, &["bash", "--norc", "--noprofile", "-c"], code) {
        assert_eq!(offered, "first second\ndo help\n");
    }
}

#[test]
fn fish() {
    let code = "complete -C 'imds-hostile --mode '\ncomplete -C 'imds-hostile '";
    if let Some(offered) = complete("fish", Shell::Fish, &["fish", "--no-config", "-c"], code) {
        let words: Vec<&str> = offered.lines().map(|line| line.split('\t').next().unwrap()).collect();
        assert_eq!(words, ["first", "second", "do", "help"]);
    }
}

#[test]
fn zsh() {
    // Without a prompt there is nothing to complete at; the functions that offer words are called
    // all the same.
    let code = "_describe() { print -rl -- ${(P)4%%:*} }\n_imds_hostile_values 'imds-hostile --mode'\n\
                _imds_hostile_subcommands imds-hostile";
    if let Some(offered) = complete("zsh", Shell::Zsh, &["zsh", "-f", "-c"], code) {
        for word in ["first", "second", "do"] {
            assert!(offered.lines().any(|line| line.starts_with(word)), "{offered}");
        }
    }
}
