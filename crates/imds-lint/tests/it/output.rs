//! Formats, suppressions, baselines, rewrites of files.

use std::path::Path;

use imds_testkit::{CommandOutput, TestEnvironment};
use serde_json::Value;

const SCRIPT: &str =
    "#!/bin/sh\n# é\nÄ=1; curl -sf -m 2 http://169.254.169.254/latest/meta-data/instance-id\n";
const BROKEN: &str = "case x in\n  curl http://169.254.169.254/\n";

fn environment() -> TestEnvironment {
    let environment = TestEnvironment::new(env!("CARGO_BIN_EXE_imds-lint"));
    let tree = environment.home().join("tree");
    std::fs::create_dir_all(tree.join("a b")).unwrap();
    std::fs::write(tree.join("a b/one.sh"), SCRIPT).unwrap();
    std::fs::write(tree.join("clean.sh"), "imds get instance-id\n").unwrap();
    environment
}

fn lint(environment: &TestEnvironment, arguments: &[&str]) -> CommandOutput {
    environment.imds(arguments).disabled().run()
}

fn json(output: &CommandOutput) -> Value {
    serde_json::from_str(output.stdout()).unwrap_or_else(|error| panic!("{error}: {output}"))
}

#[test]
fn text_points_at_the_request() {
    let output = lint(&environment(), &["tree"]).exits_with(1);
    let carets = "^".repeat(65);
    let expected = format!(
        "tree/a b/one.sh:3:6: error[imdsv1-request]: curl sends no session token\n  |\n\
         3 | Ä=1; curl -sf -m 2 http://169.254.169.254/latest/meta-data/instance-id\n  |      {carets}\n"
    );
    assert!(output.stdout().starts_with(&expected), "{output}");
    assert!(output.stdout().ends_with("1 finding, 1 that `--fix` rewrites in 2 files\n"), "{output}");
}

#[test]
fn json_and_sarif_have_the_same_findings_places_and_failures() {
    let environment = environment();
    std::fs::write(environment.home().join("tree/broken.sh"), BROKEN).unwrap();
    let found = json(&lint(&environment, &["--output", "json", "tree"]).exits_with(2));
    let finding = &found["findings"][0];
    assert_eq!(finding["file"], "tree/a b/one.sh");
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(3), Some(6)));
    assert_eq!((finding["end_column"].as_u64(), finding["fixable"].as_bool()), (Some(71), Some(true)));
    assert_eq!(found["not_checked"][0]["file"], "tree/broken.sh");
    let sarif = json(&lint(&environment, &["--output", "sarif", "tree"]).exits_with(2));
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index]["id"], result["ruleId"]);
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "tree/a%20b/one.sh");
    assert_eq!(place["region"]["startColumn"], 6);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn annotations_and_junit_name_file_line_and_rule() {
    let environment = environment();
    let annotations = lint(&environment, &["--output", "github", "tree"]).exits_with(1);
    let expected = "::error file=tree/a b/one.sh,line=3,endLine=3,col=6,title=imdsv1-request::curl sends no";
    assert!(annotations.stdout().starts_with(expected), "{annotations}");
    let junit = lint(&environment, &["--output", "junit", "tree"]).exits_with(1);
    assert!(
        junit.stdout().contains("<testcase classname=\"imdsv1-request\" name=\"tree/a b/one.sh:3:6\">"),
        "{junit}"
    );
    let clean = lint(&environment, &["--output", "junit", "tree/clean.sh"]).exits_with(0);
    assert!(clean.stdout().contains("tests=\"1\" failures=\"0\" errors=\"0\""), "{clean}");
}

#[test]
fn a_baseline_hides_what_it_lists_wherever_the_line_has_moved_to() {
    let environment = environment();
    drop(lint(&environment, &["--write-baseline", "baseline.json", "tree"]).exits_with(0));
    let hidden = lint(&environment, &["--baseline", "baseline.json", "tree"]).exits_with(0);
    assert!(hidden.stdout().contains("no findings, 1 in the baseline"), "{hidden}");
    let moved =
        SCRIPT.replace("# é\n", "# é\n\n\n") + "curl -sf -m 2 http://169.254.169.254/latest/user-data\n";
    std::fs::write(environment.home().join("tree/a b/one.sh"), moved).unwrap();
    let new = lint(&environment, &["--baseline", "baseline.json", "tree"]).exits_with(1);
    assert!(new.stdout().contains("one.sh:6:1:") && !new.stdout().contains("one.sh:5:"), "{new}");
    let missing = lint(&environment, &["--baseline", "nowhere.json", "tree"]).exits_with(2);
    assert!(missing.stderr().contains("error: cannot read the baseline `nowhere.json`"), "{missing}");
}

#[test]
fn fix_changes_the_request_only_and_keeps_the_mode_of_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let environment = environment();
    let path = environment.home().join("tree/a b/one.sh");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
    let diff = lint(&environment, &["--diff", "tree"]).exits_with(1);
    assert!(diff.stdout().contains("+Ä=1; imds get instance-id\n"), "{diff}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), SCRIPT);
    drop(lint(&environment, &["--fix", "tree"]).exits_with(0));
    let fixed = SCRIPT.replace("curl -sf -m 2 http://169.254.169.254/latest/meta-data/", "imds get ");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), fixed);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o750);
}

#[test]
fn only_the_wanted_rules_and_severities_are_shown_and_fixed() {
    let environment = environment();
    drop(lint(&environment, &["--rule", "no-timeout", "tree"]).exits_with(0));
    std::fs::write(
        environment.home().join("tree/note.sh"),
        "curl -sf -m 2 -H \"X-aws-ec2-metadata-token: $T\" http://169.254.169.254/latest/\n",
    )
    .unwrap();
    drop(lint(&environment, &["tree/note.sh"]).exits_with(1));
    drop(lint(&environment, &["--severity", "warning", "tree/note.sh"]).exits_with(0));
}

#[test]
fn ignored_files_and_repositories_are_passed_over_and_hidden_directories_are_read() {
    let environment = environment();
    let tree = environment.home().join("tree");
    for directory in [".git/hooks", ".github/workflows", ".ebextensions"] {
        std::fs::create_dir_all(tree.join(directory)).unwrap();
    }
    std::fs::remove_file(tree.join("a b/one.sh")).unwrap();
    std::fs::write(tree.join(".gitignore"), "ignored.sh\n").unwrap();
    std::fs::write(tree.join("ignored.sh"), SCRIPT).unwrap();
    std::fs::write(tree.join(".git/hooks/pre-push.sh"), SCRIPT).unwrap();
    // Prose is not read.
    std::fs::write(tree.join("notes.md"), "curl http://169.254.169.254/\n").unwrap();
    drop(lint(&environment, &["tree"]).exits_with(0));
    drop(lint(&environment, &["--no-ignore", "tree"]).exits_with(1));
    let script = "run: curl -sf -m 2 http://169.254.169.254/latest/user-data\n";
    std::fs::write(tree.join(".github/workflows/x.yml"), script).unwrap();
    std::fs::write(
        tree.join(".ebextensions/x.config"),
        "commands:\n  a:\n    command: curl -sf -m 2 http://169.254.169.254/latest/user-data\n",
    )
    .unwrap();
    let found = lint(&environment, &["tree"]).exits_with(1);
    assert!(found.stdout().contains("2 findings"), "{found}");
    // A file that was named and is of no known kind is not clean.
    let named = lint(&environment, &["tree/notes.md"]).exits_with(2);
    assert!(named.stdout().contains("tree/notes.md: not checked: not a kind of file"), "{named}");
}

#[test]
fn what_cannot_be_read_is_reported_and_ends_with_2() {
    let environment = environment();
    let missing = lint(&environment, &["nowhere"]).exits_with(2);
    assert!(missing.stdout().contains("not checked"), "{missing}");
    assert!(missing.stdout().contains("nowhere"), "{missing}");
    assert!(!Path::new("nowhere").exists());
    let both = lint(&environment, &["-", "tree"]).exits_with(2);
    assert!(both.stderr().contains("`-` cannot be checked together with other paths"), "{both}");
}

#[test]
fn a_terminal_is_not_steered_by_what_a_file_holds() {
    let environment = environment();
    let script = "curl -sf -m 2 http://169.254.169.254/latest/user-data # \u{1b}[2J\u{202e}\n";
    let output = environment.imds(["-"]).disabled().stdin(script).run().exits_with(1);
    assert!(!output.stdout().contains(['\u{1b}', '\u{202e}']), "{output}");
}

#[test]
fn the_rules_are_listed_with_examples_that_the_rule_finds() {
    let environment = environment();
    let rules = json(&lint(&environment, &["rules", "--output", "json"]).exits_with(0));
    let rules = rules.as_array().unwrap();
    assert_eq!(rules.len(), 14);
    for rule in rules {
        let part = |name: &str| rule[name].as_str().unwrap().to_owned();
        for name in ["why", "fix", "title", "good"] {
            assert!(!part(name).is_empty(), "{rule}");
        }
        let name = match part("id").as_str() {
            "old-sdk" => "requirements.txt",
            "http-tokens" | "hop-limit" => "x.tf",
            _ => "x.sh",
        };
        let found = |text: String| {
            let output = environment.imds(["--stdin-name", name, "--rule", &part("id"), "-"]).disabled();
            output.stdin(text + "\n").run().code()
        };
        assert_eq!(found(part("bad")), Some(1), "{rule}");
        assert_eq!(found(part("good")), Some(0), "{rule}");
    }
}

#[test]
fn the_manual_and_the_completions_are_printed() {
    let environment = environment();
    assert!(lint(&environment, &["man"]).exits_with(0).stdout().contains(".TH imds-lint 1"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(lint(&environment, &["completions", shell]).exits_with(0).stdout().contains("imds-lint"));
    }
}
