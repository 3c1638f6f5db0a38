//! What is printed, and where it cannot be.

use imds_testkit::TestEnvironment;

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let environment = TestEnvironment::new(env!("CARGO_BIN_EXE_imds-lifecycle"));
    for to in [">&-", "> /dev/full"] {
        for arguments in [&["man"][..], &["man", "run"], &["completions", "bash"]] {
            let script = format!("exec \"$@\" {to}");
            let out = environment
                .imds(arguments)
                .disabled()
                .under(["/bin/sh", "-c", &script, "sh"])
                .run()
                .exits_with(1);
            assert!(out.stderr().starts_with("error: cannot write to stdout"), "{arguments:?} {to}: {out}");
        }
    }
}
