//! `imds fleet`, `lifecycle`, `lint` and `trace`: the programs beside this one.

use imds_testkit::write_executable;

use crate::world;

#[test]
fn a_program_that_is_missing_is_named_with_its_package() {
    let home = world();
    let world = imds_testkit::TestEnvironment::new(alone(&home));
    for name in ["fleet", "lifecycle", "lint", "trace"] {
        let output = world.imds([name, "state"]).disabled().env("PATH", "/nonexistent").run();
        assert_eq!(
            output.fails_with(2).to_string(),
            format!(
                "stdout: empty\nstderr:\n| error: cannot run `imds-{name}`: it is not installed\n| hint: install \
                 the package `imds-{name}`, or run `cargo install imds-{name}`\nexit: 2"
            )
        );
    }
}

#[test]
fn the_program_gets_every_argument_and_its_end_is_passed_on() {
    let home = world();
    let world = imds_testkit::TestEnvironment::new(alone(&home));
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let program = bin.join("imds-lifecycle");
    write_executable(&program, b"#!/bin/sh\necho \"$*\"\nexit 9\n");
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let arguments = ["lifecycle", "run", "--help", "--", "-x"];
    let output = world.imds(arguments).disabled().env("PATH", path).run().exits_with(9);
    assert_eq!(output.stdout(), "run --help -- -x\n");
}

/// The command in a directory where it has no siblings.
fn alone(world: &imds_testkit::TestEnvironment) -> std::path::PathBuf {
    let copy = world.root().join("imds");
    write_executable(&copy, &std::fs::read(world.binary()).unwrap());
    copy
}
