//! Output and exit codes.

use imds_testkit::{CommandOutput, TestEnvironment};

fn environment() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_imds-lint"))
}

fn lint(environment: &TestEnvironment, arguments: &[&str], stdin: &str) -> CommandOutput {
    environment.imds(arguments).disabled().stdin(stdin).run()
}

#[test]
fn a_clean_script_ends_with_0_a_finding_with_1_and_a_usage_error_with_2() {
    let environment = environment();
    assert_eq!(lint(&environment, &["-"], "imds get instance-id\n").code(), Some(0));
    let found = lint(&environment, &["-"], "curl -fm5 http://169.254.169.254/latest/meta-data/instance-id\n");
    assert_eq!(found.code(), Some(1));
    assert!(found.stdout().contains("<stdin>:1:1: error[imdsv1-request]: curl sends no session token"));
    let usage = lint(&environment, &["--rule", "nonsense", "-"], "x");
    assert_eq!(usage.code(), Some(2));
    assert!(usage.stderr().contains("error: no rule is called `nonsense`"), "{usage}");
}

#[test]
fn a_request_is_rewritten_and_the_rest_stays_as_it_was() {
    let environment = environment();
    let script = "\u{feff}#!/bin/sh\r\n# héllo\r\nID=`curl -s http://169.254.169.254/latest/meta-data/instance-id`\t# x\r\n";
    let fixed = lint(&environment, &["--fix", "-"], script);
    assert_eq!(
        fixed.stdout(),
        script.replace("curl -s http://169.254.169.254/latest/meta-data/", "imds get ")
    );
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let environment = environment();
    for to in [">&-", "> /dev/full"] {
        for arguments in [&["-"][..], &["rules"], &["man"], &["--fix", "-"]] {
            let script = format!("exec \"$@\" {to}");
            let command = environment.imds(arguments).disabled().under(["/bin/sh", "-c", &script, "sh"]);
            let out = command.stdin("curl -fm5 http://169.254.169.254/latest/meta-data/mac\n").run();
            assert_eq!(out.code(), Some(2), "{arguments:?} {to}");
            assert!(out.stderr().starts_with("error: cannot write the output: "), "{out}");
        }
    }
}
