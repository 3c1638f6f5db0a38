//! The tour in README.md, typed as it stands there.

use std::fmt::Write as _;
use std::path::Path;

use crate::{needed_or_told, world};

const README: &str = include_str!("../../../../README.md");

/// The console blocks of a section: prompts, commands and what they print.
fn console_blocks(section: &str) -> Vec<&'static str> {
    let body = README.split_once(&format!("\n## {section}\n")).unwrap().1;
    let body = body.split("\n## ").next().unwrap();
    body.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_tour_prints_what_it_says() {
    for tool in ["curl", "jq"] {
        let there = ["/bin", "/usr/bin"].iter().any(|directory| Path::new(directory).join(tool).exists());
        if !needed_or_told(there, "the README's tour", tool) {
            return;
        }
    }
    let blocks = console_blocks("Read");
    assert!(!blocks.is_empty());
    for block in blocks {
        // Each command sees the exit code of the one before, as at a prompt.
        let mut script = "code() { return $1; }\nlast=0\n".to_owned();
        for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            let quoted = command.replace('\'', r"'\''");
            writeln!(script, "printf '$ %s\\n' '{quoted}'\ncode $last\n{command}\nlast=$?").unwrap();
        }
        let output = world().imds(["emulate", "--", "sh", "-c"]).arg(script).disabled().on_terminal().run();
        let shown = output.stdout().replace("\r\n", "\n");
        let both = format!("{shown}{}", output.stderr());
        // A terminal shows both streams; a message stands where its command does.
        let expected: Vec<&str> = block.lines().filter(|line| !line.starts_with("error: ")).collect();
        assert_eq!(shown.trim_end().lines().collect::<Vec<_>>(), expected, "{output}");
        for message in block.lines().filter(|line| line.starts_with("error: ")) {
            assert!(both.contains(message), "{output}");
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_help() {
    let help = world().imds(["--help"]).disabled().run();
    let rows = README.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    let rows: Vec<(&str, &str)> =
        rows.map(|row| row.trim_matches(['|', ' ']).split_once(" | ").unwrap()).collect();
    assert_eq!(rows.len(), 8);
    for (code, meaning) in rows {
        assert!(help.stdout().contains(&format!("  {code}  {meaning}\n")), "{code}: {help}");
    }
}
