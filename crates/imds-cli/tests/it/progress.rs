//! Progress of `dump` and `tree`: on a terminal, of what takes longer than a second, and nowhere
//! else.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use imds_testkit::{TestEnvironment, terminal};

use crate::world;

const COMMANDS: &[&[&str]] =
    &[&["dump", "placement/"], &["tree", "placement/"], &["tree", "placement/", "--values"]];

/// What a terminal shows so far.
#[derive(Clone, Default)]
struct Screen(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Screen {
    fn follow(&self, ours: OwnedFd) {
        let mut file = std::fs::File::from(ours);
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = file.read(&mut buffer) {
            self.0.0.lock().unwrap().extend_from_slice(&buffer[..count]);
            self.0.1.notify_all();
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().clone()).unwrap()
    }

    /// Returns once anything is shown. A command that shows nothing fails later, by what is
    /// asserted, and not by a hang.
    fn wait(&self) {
        let shown = self.0.0.lock().unwrap();
        let shown = self.0.1.wait_timeout_while(shown, Duration::from_secs(20), |shown| shown.is_empty());
        drop(shown.unwrap());
    }
}

/// Runs a command with a terminal for stderr; returns what stdout got.
fn on_a_terminal(world: &TestEnvironment, words: &[&str], endpoint: &str, screen: &Screen) -> String {
    let (ours, theirs) = terminal::open();
    let mut command = Command::new(world.binary());
    command
        .args(words)
        .env_clear()
        .env("HOME", world.home())
        .env("IMDS_CACHE_DIR", world.cache())
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
        .env("AWS_METADATA_SERVICE_TIMEOUT", "60")
        .env("TERM", "xterm")
        .current_dir(world.home())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(theirs);
    let child = command.spawn().unwrap();
    // Our copy of the far end goes with it: what is read ends when the command has.
    drop(command);
    let reader = std::thread::spawn({
        let screen = screen.clone();
        move || screen.follow(ours)
    });
    let ended = child.wait_with_output().unwrap();
    reader.join().unwrap();
    assert!(ended.status.success(), "{words:?}: {}", screen.text());
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn a_slow_service_shows_progress_on_a_terminal_alone_and_the_line_is_erased() {
    for words in COMMANDS {
        let screen = Screen::default();
        let held = screen.clone();
        // The listing is answered only when the terminal shows something.
        let emulator = crate::emulator()
            .on_request(move |request| {
                if request.path.ends_with("/placement/") {
                    held.wait();
                }
            })
            .start()
            .unwrap();
        // Started first, and held as long.
        let beside = world();
        let run = beside.imds(*words).endpoint(&emulator.endpoint());
        let piped = run.env("AWS_METADATA_SERVICE_TIMEOUT", "60").spawn();
        let stdout = on_a_terminal(&world(), words, &emulator.endpoint(), &screen);
        assert_eq!(piped.wait().exits_with(0).stderr(), "", "{words:?}");
        let shown = screen.text();
        assert!(shown.starts_with("\rreading: "), "{words:?}: {shown:?}");
        assert!(shown.ends_with(" entries\r\u{1b}[K"), "{words:?}: {shown:?}");
        assert!(stdout.contains("region") && !stdout.contains("reading: "), "{words:?}: {stdout:?}");
    }
}

#[test]
fn a_fast_service_shows_no_progress() {
    let emulator = crate::emulator().start().unwrap();
    for words in COMMANDS {
        // A loaded machine may be slow for once.
        let silent = (0..5).any(|_| {
            let screen = Screen::default();
            let _ = on_a_terminal(&world(), words, &emulator.endpoint(), &screen);
            screen.text().is_empty()
        });
        assert!(silent, "{words:?}");
    }
}
