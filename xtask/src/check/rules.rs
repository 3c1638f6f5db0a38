//! The rules, one function each: files in, findings out.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::source::Source;

/// Most lines of production code in a file, in `main.rs`, and in the file in the middle.
const FILE_BUDGET: usize = 600;
const MAIN_BUDGET: usize = 60;
const MEDIAN_BUDGET: usize = 250;

pub(crate) fn all(sources: &[Source]) -> Vec<Finding> {
    let rules = [
        budget,
        opening,
        stubs,
        sleeps,
        vague_errors,
        other_tools,
        wire_names,
        forgotten_tests,
        rust_version_once,
    ];
    rules.iter().flat_map(|rule| rule(sources)).collect()
}

/// The Rust files that people write.
fn written(sources: &[Source]) -> impl Iterator<Item = &Source> {
    sources.iter().filter(|source| source.is_rust() && !source.is_generated())
}

fn budget(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut lines = Vec::new();
    for source in written(sources).filter(|source| !source.is_test_file()) {
        let count = source.production_lines();
        lines.push(count);
        let budget = if source.path.ends_with("src/main.rs") { MAIN_BUDGET } else { FILE_BUDGET };
        if count > budget {
            findings.push(Finding::new(&source.path, format!("{count} production lines, at most {budget}")));
        }
    }
    lines.sort_unstable();
    if let Some(median) = lines.get(lines.len() / 2).filter(|median| **median > MEDIAN_BUDGET) {
        findings.push(Finding::new(
            "all files",
            format!("{median} lines in the median, at most {MEDIAN_BUDGET}"),
        ));
    }
    findings
}

/// Every crate says its one job before anything else.
fn opening(sources: &[Source]) -> Vec<Finding> {
    sources
        .iter()
        .filter(|source| source.path.ends_with("src/lib.rs") || source.path.ends_with("src/main.rs"))
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| Finding::new(&source.path, "does not open with `//!` and the crate's one job"))
        .collect()
}

/// `needles` in the lines that `lines` picks, each a finding of `rule`.
fn search<'s, I: Iterator<Item = (usize, &'s str)>>(
    sources: &'s [Source],
    lines: impl Fn(&'s Source) -> I,
    needles: &[String],
    rule: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in written(sources) {
        for (number, line) in lines(source) {
            if needles.iter().any(|needle| line.contains(needle.as_str())) {
                findings.push(Finding::new(source.at(number), rule));
            }
        }
    }
    findings
}

/// A needle that does not occur in this file, so that the rule does not find itself.
fn needle(parts: [&str; 2]) -> String {
    parts.concat()
}

fn stubs(sources: &[Source]) -> Vec<Finding> {
    let needles = [needle(["todo", "!("]), needle(["unimplemented", "!("]), needle(["#[ign", "ore"])];
    search(sources, |s| s.production().chain(s.tests()), &needles, "a stub, or a test that never runs")
}

fn sleeps(sources: &[Source]) -> Vec<Finding> {
    let needles = [needle(["sleep", "("])];
    search(sources, Source::tests, &needles, "a test that sleeps: wait for the event, or inject the clock")
}

fn vague_errors(sources: &[Source]) -> Vec<Finding> {
    let needles = [needle([".is_err(", "))"]), needle([".is_err(", "),"])];
    search(sources, Source::tests, &needles, "asserts that there is an error and not which one")
}

/// A plain `cargo test` on a new machine has a toolchain, and no registry, checkout or package
/// manager to ask.
fn other_tools(sources: &[Source]) -> Vec<Finding> {
    let tools = ["cargo\"", "git\"", "rustc\"", "pip\"", "npm\""];
    let mut needles: Vec<String> = tools.iter().map(|tool| needle(["Command::new(\"", tool])).collect();
    needles.push(needle(["env!(\"CAR", "GO\")"]));
    search(sources, Source::tests, &needles, "a test that calls a tool of the developer's")
}

/// Header and environment names are constants of `imds-model`, so that a typo can be made in one
/// place only. Tests spell them again, and the test tools are tests.
fn wire_names(sources: &[Source]) -> Vec<Finding> {
    let needles = [
        needle(["\"x-aws-", "ec2-"]),
        needle(["\"aws_ec2_", "metadata_"]),
        needle(["\"aws_", "metadata_service"]),
    ];
    let mut findings = Vec::new();
    for source in written(sources) {
        let exempt = ["crates/imds-model/", "crates/imds-testkit/"];
        if exempt.iter().any(|folder| source.path.starts_with(folder)) {
            continue;
        }
        for (number, line) in source.production() {
            let line = line.to_ascii_lowercase();
            if needles.iter().any(|needle| line.contains(needle.as_str())) {
                findings.push(Finding::new(
                    source.at(number),
                    "spells a name that is a constant of `imds-model`",
                ));
            }
        }
    }
    findings
}

/// A file in `tests/it/` that no `mod` names is never compiled, and a file beside it would be a
/// second binary.
fn forgotten_tests(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut modules: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some((package, rest)) = source.path.split_once("/tests/") else { continue };
        if !rest.contains('/') {
            findings.push(Finding::new(&source.path, "a test binary of its own: move it to tests/it/"));
        }
        let named = source.text.lines().filter_map(|line| {
            let line = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            line.strip_prefix("mod ")?.strip_suffix(';')
        });
        modules.entry(package).or_default().extend(named);
    }
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some((package, rest)) = source.path.split_once("/tests/it/") else { continue };
        let name =
            rest.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next().unwrap_or_default();
        if rest != "main.rs" && !modules.get(package).is_some_and(|named| named.contains(name)) {
            findings.push(Finding::new(&source.path, format!("no `mod {name};` names it, so it never runs")));
        }
    }
    for source in sources.iter().filter(|source| source.path.ends_with("/Cargo.toml")) {
        let main = source.path.replace("/Cargo.toml", "/tests/it/main.rs");
        if sources.iter().any(|source| source.path == main) && !source.text.contains("autotests = false") {
            findings.push(Finding::new(&source.path, "has tests/it/ and does not say `autotests = false`"));
        }
    }
    findings
}

/// The oldest Rust that the project builds with stands in the root `Cargo.toml` and nowhere else.
fn rust_version_once(sources: &[Source]) -> Vec<Finding> {
    let version = sources.iter().find(|source| source.path == "Cargo.toml").and_then(|source| {
        source
            .text
            .lines()
            .find_map(|line| Some(line.strip_prefix("rust-version = \"")?.trim_end_matches('"')))
    });
    let Some(version) = version else {
        return vec![Finding::new("Cargo.toml", "names no `rust-version`")];
    };
    let mut findings = Vec::new();
    for source in sources {
        let own = source.path.ends_with("Cargo.toml") || source.path.starts_with(".ci/");
        let prose = source.path.ends_with(".md") && source.path != "CHANGELOG.md";
        if source.path == "Cargo.toml" || !(own || prose) {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            let stands_alone =
                line.split(|c: char| !(c.is_ascii_digit() || c == '.')).any(|word| word == version);
            if stands_alone {
                let rule = format!("repeats the Rust version {version}, which Cargo.toml names");
                findings.push(Finding::new(source.at(index + 1), rule));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source::new(path, text.to_owned())
    }

    fn shown(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn budgets_count_production_lines_only() {
        let long = "x\n".repeat(601);
        let tested = format!("{}#[cfg(test)]\n{long}", "x\n".repeat(600));
        let findings = budget(&[
            source("crates/a/src/long.rs", &long),
            source("crates/a/src/tested.rs", &tested),
            source("crates/a/src/made.rs", &format!("// @generated by a program\n{long}")),
            source("crates/a/tests/it/long.rs", &long),
            source("crates/a/src/main.rs", &"x\n".repeat(61)),
            source("crates/a/src/short.rs", "x\n"),
            source("crates/a/src/shorter.rs", ""),
        ]);
        assert_eq!(
            shown(&findings),
            [
                "crates/a/src/long.rs: 601 production lines, at most 600",
                "crates/a/src/main.rs: 61 production lines, at most 60",
            ]
        );
    }

    #[test]
    fn crates_say_their_job() {
        let findings = opening(&[source("a/src/lib.rs", "//! Job.\n"), source("b/src/main.rs", "mod x;\n")]);
        assert_eq!(shown(&findings), ["b/src/main.rs: does not open with `//!` and the crate's one job"]);
    }

    #[test]
    fn finds_stubs_sleeps_and_vague_errors() {
        let stub = format!("{}\"later\")\n", needle(["todo", "!("]));
        let test = format!("#[cfg(test)]\n{}x\n{}x\n", needle(["sleep", "("]), needle([".is_err(", "))"]));
        let waits = format!("{}x\n// {}x\n", needle(["sleep", "("]), needle(["todo", "!("]));
        let sources = [source("a.rs", &stub), source("b.rs", &test), source("c.rs", &waits)];
        assert_eq!(shown(&stubs(&sources)), ["a.rs:1: a stub, or a test that never runs"]);
        let sleeping = "b.rs:2: a test that sleeps: wait for the event, or inject the clock";
        assert_eq!(shown(&sleeps(&sources)), [sleeping]);
        let vague = "b.rs:3: asserts that there is an error and not which one";
        assert_eq!(shown(&vague_errors(&sources)), [vague]);
    }

    #[test]
    fn no_test_calls_cargo_or_git() {
        let call = needle(["Command::new(\"", "cargo\")"]);
        let text = format!("fn f() {{ {call} }}\n#[cfg(test)]\nfn g() {{ {call} }}\n");
        let found = other_tools(&[source("a.rs", &text)]);
        assert_eq!(shown(&found), ["a.rs:3: a test that calls a tool of the developer's"]);
    }

    #[test]
    fn names_of_the_wire_stand_in_one_crate() {
        let header = format!("{}metadata-token\"\n", needle(["\"X-Aws-", "Ec2-"]));
        let sources = [
            source("crates/imds-model/src/header.rs", &header),
            source("crates/imds/src/wire.rs", &header),
            source("crates/imds/tests/it/wire.rs", &header),
        ];
        let findings = wire_names(&sources);
        assert_eq!(
            shown(&findings),
            ["crates/imds/src/wire.rs:1: spells a name that is a constant of `imds-model`"]
        );
    }

    #[test]
    fn no_test_file_is_forgotten() {
        let findings = forgotten_tests(&[
            source("crates/a/Cargo.toml", "autotests = false\n"),
            source("crates/a/tests/it/main.rs", "mod one;\nmod more;\n"),
            source("crates/a/tests/it/one.rs", ""),
            source("crates/a/tests/it/two.rs", ""),
            source("crates/a/tests/it/more/mod.rs", "mod three;\n"),
            source("crates/a/tests/it/more/three.rs", ""),
            source("crates/a/tests/alone.rs", ""),
            source("crates/b/Cargo.toml", ""),
            source("crates/b/tests/it/main.rs", ""),
        ]);
        assert_eq!(
            shown(&findings),
            [
                "crates/a/tests/alone.rs: a test binary of its own: move it to tests/it/",
                "crates/a/tests/it/two.rs: no `mod two;` names it, so it never runs",
                "crates/b/Cargo.toml: has tests/it/ and does not say `autotests = false`",
            ]
        );
    }

    #[test]
    fn the_rust_version_stands_once() {
        let findings = rust_version_once(&[
            source("Cargo.toml", "rust-version = \"1.70\"\n"),
            source("README.md", "needs Rust 1.70\n"),
            source("crates/a/Cargo.toml", "x = \"11.70\"\ny = \"1.70.1\"\n"),
        ]);
        assert_eq!(shown(&findings), ["README.md:1: repeats the Rust version 1.70, which Cargo.toml names"]);
    }
}
