//! Files that a command was told to write: regular ones are replaced, all else stays what it is.

use std::io::Read as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use crate::{needed_or_told, world};

fn node(path: &Path, kind: FileType) {
    let device = if kind == FileType::CharacterDevice { makedev(1, 3) } else { 0 };
    mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device).unwrap();
}

/// Every command that writes a file, with the option that names it.
const WRITERS: [&[&str]; 2] = [&["dump", "placement", "--snapshot"], &["aws-cli", "install", "--alias-file"]];

#[test]
fn the_null_device_stays_a_device() {
    let root = rustix::process::geteuid().is_root();
    if !needed_or_told(root, "the_null_device_stays_a_device", "root") {
        return;
    }
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    // A device of the test's own: a fault must not cost the machine its /dev/null.
    let device = world.root().join("null");
    node(&device, FileType::CharacterDevice);
    let link = world.root().join("link");
    std::os::unix::fs::symlink(&device, &link).unwrap();
    for path in [&device, &link] {
        for writer in WRITERS {
            let arguments = writer.iter().copied().chain([path.to_str().unwrap()]);
            let _ = world.imds(arguments).endpoint(&emulator.endpoint()).run();
            let found = std::fs::metadata(&device).unwrap();
            assert!(found.file_type().is_char_device(), "{writer:?} {path:?}");
            assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink(), "{writer:?} {path:?}");
        }
    }
    assert_eq!(std::fs::read_dir(world.root()).unwrap().filter(is_temporary).count(), 0);
}

fn is_temporary(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')
}

#[test]
fn a_snapshot_goes_through_a_pipe() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    let pipe = world.root().join("pipe");
    node(&pipe, FileType::Fifo);
    let text = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut text = String::new();
            std::fs::File::open(&pipe).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        let out = world
            .imds(["dump", "placement", "--snapshot", pipe.to_str().unwrap()])
            .endpoint(&emulator.endpoint())
            .run();
        assert_eq!(out.prints("").stderr(), "");
        reader.join().unwrap()
    });
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(document["leaves"].as_object().is_some_and(|leaves| !leaves.is_empty()), "{text}");
    assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}

#[test]
fn a_snapshot_goes_to_standard_output() {
    let (world, emulator) = (world(), crate::emulator().start().unwrap());
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let out = world.imds(["dump", "placement", "--snapshot", path]).endpoint(&emulator.endpoint()).run();
        let out = out.exits_with(0);
        let document: serde_json::Value = serde_json::from_str(out.stdout()).unwrap();
        assert!(document["leaves"].is_object(), "{path}");
    }
    assert!(std::fs::symlink_metadata("/dev/stdout").unwrap().is_symlink());
}

#[test]
fn an_alias_file_that_is_a_pipe_is_refused_at_once() {
    let world = world();
    let pipe = world.root().join("pipe");
    node(&pipe, FileType::Fifo);
    for action in ["install", "uninstall"] {
        let out = world.imds(["aws-cli", action, "--alias-file", pipe.to_str().unwrap()]).disabled().run();
        let _ = out.exits_with(1).says("error: cannot ");
    }
    assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
}
