//! The progress bar: on a terminal, and nowhere else.

use std::process::Stdio;

use imds_fake_aws::{Fake, Shape, World};
use imds_testkit::terminal;

use crate::harness::{fleet, ran};

const ARGS: [&str; 7] =
    ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl"];

fn fake() -> Fake {
    Fake::start(World::generate(Shape { accounts: 4, regions: 3, instances: 240 })).unwrap()
}

/// Runs the command with a terminal for stderr, and for stdout too if `both`: what the terminal
/// showed, and stdout.
fn on_a_terminal(fake: &Fake, both: bool) -> (String, String) {
    let (ours, theirs) = terminal::open();
    let mut command = fleet(fake, &ARGS);
    command.env("TERM", "xterm").stderr(theirs.try_clone().unwrap());
    if both {
        command.stdout(theirs);
    } else {
        drop(theirs);
        command.stdout(Stdio::piped());
    }
    let child = command.spawn().unwrap();
    // Our copies of the far end go with it: what is read ends when the command has.
    drop(command);
    let reader = std::thread::spawn(move || terminal::read_to_end(ours));
    let ended = child.wait_with_output().unwrap();
    let shown = String::from_utf8(reader.join().unwrap()).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{shown}");
    (shown, String::from_utf8(ended.stdout).unwrap())
}

#[test]
fn a_terminal_on_stderr_shows_how_far_the_scan_is_and_is_left_clean() {
    let fake = fake();
    let (shown, stdout) = on_a_terminal(&fake, false);
    assert!(shown.contains("account/Regions, "), "{shown:?}");
    // Erased at the end (ECMA-48: CSI 2 K), and nothing written after.
    assert!(shown.trim_end_matches('\r').ends_with("\u{1b}[2K"), "{shown:?}");
    assert!(!stdout.contains('\u{1b}') && !stdout.contains("account/Regions"), "{stdout:?}");
    let piped = ran(&fake, &ARGS);
    assert_eq!((piped.status, piped.stderr.as_str()), (0, ""), "nothing is shown where nobody looks");
    assert_eq!(piped.stdout.lines().count(), stdout.lines().count());
}

#[test]
fn rows_on_the_same_terminal_are_whole() {
    let fake = fake();
    let (shown, _) = on_a_terminal(&fake, true);
    assert!(shown.contains("account/Regions, "), "{shown:?}");
    let rows = ran(&fake, &ARGS).stdout.lines().count();
    let mut whole = 0;
    for line in shown.split_terminator('\n') {
        // What the bar drew stands in front of its erasure, or is cleared from the line by it.
        let row = line.trim_end_matches('\r').rsplit("\u{1b}[2K").next().unwrap();
        let row = row.trim_start_matches('\r');
        if let Err(error) = serde_json::from_str::<serde_json::Value>(row) {
            panic!("{error}: {line:?}");
        }
        whole += 1;
    }
    // The last line is the bar's own, erased.
    assert!(whole == rows || whole == rows + 1, "{whole} of {rows}");
}
