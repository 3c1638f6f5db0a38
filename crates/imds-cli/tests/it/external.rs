//! `imds fleet`, `lifecycle`, `lint` and `trace`: the programs beside this one.

use imds_testkit::write_executable;

use crate::world;

#[test]
fn a_program_that_is_missing_is_named_with_its_package() {
    let home = world();
    let world = imds_testkit::TestEnvironment::new(alone(&home));
    for name in ["fleet", "lifecycle", "lint", "trace"] {
        let output = world.imds([name, "state"]).disabled().env("PATH", "/nonexistent").run();
        let output = output.fails_with(2);
        let start = format!("error: cannot run `imds-{name}`: it is not installed\nhint: install ");
        assert!(output.stderr().starts_with(&start), "{output}");
        // The package of this machine's package manager, or the script of a release.
        let ways = [format!("install ./imds-{name}"), format!("`sh install.sh --program imds-{name}`")];
        assert!(ways.iter().any(|way| output.stderr().contains(way)), "{output}");
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

#[test]
fn a_page_of_an_external_program_comes_from_the_program() {
    let home = world();
    let world = imds_testkit::TestEnvironment::new(alone(&home));
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    for name in ["fleet", "lifecycle", "lint", "trace"] {
        write_executable(&bin.join(format!("imds-{name}")), b"#!/bin/sh\necho \"$0 $*\"\nexit 9\n");
        let man = |words: &[&str]| {
            let words = ["man", name].into_iter().chain(words.iter().copied());
            world.imds(words).disabled().env("PATH", &path).run().exits_with(9).stdout().to_owned()
        };
        let program = bin.join(format!("imds-{name}"));
        assert_eq!(man(&[]), format!("{} man\n", program.display()));
        assert_eq!(man(&["plan"]), format!("{} man plan\n", program.display()));
        assert_eq!(man(&["a", "b"]), format!("{} man a b\n", program.display()));
    }
}

#[test]
fn the_page_of_imds_names_the_pages_of_the_external_programs() {
    let page = world().imds(["man"]).disabled().run().exits_with(0).stdout().replace('\\', "");
    for name in ["fleet", "lifecycle", "lint", "trace"] {
        assert!(page.contains(&format!("imds-{name}(1)")), "{name}: {page}");
    }
}

/// The command in a directory where it has no siblings.
fn alone(world: &imds_testkit::TestEnvironment) -> std::path::PathBuf {
    let copy = world.root().join("imds");
    write_executable(&copy, &std::fs::read(world.binary()).unwrap());
    copy
}
