//! `imds aws-cli`: the alias file, every other line byte for byte.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use imds_testkit::{CommandOutput, TestEnvironment};
use serde_json::Value;

use crate::world;

const HAND_WRITTEN: &str = "\
# My aliases; keep!
[toplevel]

whoami = sts get-caller-identity
  # indented comment
running-instances =
  !f() {
    aws ec2 describe-instances; # imds = not this one
  }; f\r

[command ec2]
ls = describe-instances";

fn alias_file(world: &TestEnvironment) -> PathBuf {
    world.home().join(".aws/cli/alias")
}

fn write_alias_file(world: &TestEnvironment, content: &str) -> PathBuf {
    let path = alias_file(world);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path
}

fn run(world: &TestEnvironment, action: &str) -> CommandOutput {
    world.imds(["aws-cli", action]).disabled().run()
}

#[test]
fn a_hand_written_file_comes_back_byte_for_byte() {
    let world = world();
    let path = write_alias_file(&world, HAND_WRITTEN);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let _ = run(&world, "install").exits_with(0);
    let once = fs::read_to_string(&path).unwrap();
    let command = world.binary().display();
    let ours = format!(
        "[toplevel]\n# begin imds (written by `imds aws-cli install`, removed by `imds aws-cli uninstall`)\n\
         imds = !{command} aws-cli run --\n# end imds\n"
    );
    assert_eq!(once, HAND_WRITTEN.replace("[toplevel]\n", &ours));
    let _ = run(&world, "install").exits_with(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), once, "installed again, nothing changes");
    let _ = run(&world, "uninstall").exits_with(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), HAND_WRITTEN);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let _ = run(&world, "uninstall").exits_with(0);
    assert_eq!(fs::read_to_string(&path).unwrap(), HAND_WRITTEN);
    let left: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["alias"], "no temporary file stays");
}

#[test]
fn a_file_that_was_not_there_goes_again() {
    let world = world();
    let _ = run(&world, "install").exits_with(0);
    assert!(alias_file(&world).exists());
    let _ = run(&world, "uninstall").exits_with(0);
    assert!(!alias_file(&world).exists());
}

#[test]
fn a_link_stays_a_link() {
    let world = world();
    let real = world.root().join("dotfiles-alias");
    fs::write(&real, HAND_WRITTEN).unwrap();
    let path = alias_file(&world);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(&real, &path).unwrap();
    let _ = run(&world, "install").exits_with(0);
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("\nimds = !"));
    let _ = run(&world, "uninstall").exits_with(0);
    assert_eq!(fs::read_to_string(&real).unwrap(), HAND_WRITTEN);
}

#[test]
fn somebody_elses_alias_is_left_alone() {
    let world = world();
    let path = write_alias_file(&world, "[toplevel]\nimds = !curl\n");
    let _ = run(&world, "install")
        .fails_with(2)
        .says("caused by: line 2 defines an alias `imds` that `imds aws-cli install` did not write\n")
        .says("hint: rename or remove that alias first\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "[toplevel]\nimds = !curl\n");
}

#[test]
fn status() {
    let world = world();
    let json = |world: &TestEnvironment| -> Value {
        let output = world.imds(["aws-cli", "status", "--output", "json"]).disabled().run().exits_with(0);
        serde_json::from_str(output.stdout()).unwrap()
    };
    assert_eq!(json(&world)["installed"], false);
    let _ = run(&world, "install").exits_with(0);
    let status = json(&world);
    assert_eq!(status["installed"], true);
    let command = format!("{} aws-cli run --", world.binary().display());
    assert_eq!(status["command"].as_str(), Some(command.as_str()));
    assert!(run(&world, "status").exits_with(0).stdout().starts_with("installed: `aws imds` runs "));
    write_alias_file(&world, "[toplevel]\nimds = !curl\n");
    assert_eq!(json(&world)["foreignLine"], 2);
}

#[test]
fn without_a_home() {
    let world = world();
    let _ = world
        .imds(["aws-cli", "status"])
        .disabled()
        .env_remove("HOME")
        .run()
        .fails_with(2)
        .says("`HOME` is not set");
    let file = world.root().join("alias");
    let output =
        world.imds(["aws-cli", "install", "--alias-file"]).arg(&file).disabled().env_remove("HOME").run();
    let _ = output.exits_with(0);
    assert!(fs::read_to_string(file).unwrap().contains("\nimds = !"));
}
