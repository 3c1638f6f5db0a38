//! SIGKILL at any moment: what is stored is whole, nothing is lost, no hook runs twice.
//!
//! `IMDS_KILLS` sets the number of kills, 20 by default; a failure names its own, and `IMDS_KILL`
//! runs that one alone.

use std::time::Duration;

use imds_testkit::{Behaviour, FaultServer, Kill, Signal};

use crate::watch::one_more_poll;
use crate::{INSTANCE_ID, world};

#[test]
fn writers_of_the_token_store_at_any_moment() {
    let (world, server) = (world(), FaultServer::start());
    let endpoint = server.endpoint();
    // How long one takes: what is killed later than that was not killed.
    let usual = world.get("instance-id", &endpoint).run().exits_with(0).elapsed();
    for mut kill in Kill::all(20) {
        let number = kill.number;
        // A writer among readers, or several that all want to write.
        let _ = world.imds(["token", "clear"]).endpoint(&endpoint).run().exits_with(0);
        let writers: Vec<_> =
            (0..=kill.draw(3)).map(|_| world.get("instance-id", &endpoint).spawn()).collect();
        for writer in writers {
            let _ = writer.kill_within(usual, &mut kill);
        }
        let mut before = 0;
        for reader in 0..3 {
            let out = world.get("instance-id", &endpoint).run().exits_with(0);
            assert_eq!(out.stdout(), INSTANCE_ID, "kill {number}, reader {reader}");
            assert_eq!(out.stderr(), "", "kill {number}, reader {reader}");
            // What a writer had sent before it died may arrive as late as that of the first reader.
            if reader == 0 {
                before = server.wait_until_idle().token_puts;
            }
        }
        let puts = server.counts().token_puts - before;
        assert_eq!(puts, 0, "kill {number}: the token of the first reader is not used by the next ones");
        // A file of its own for each kill would fill the disk in the end.
        let left = world.cache_files().len();
        assert!(left <= 12, "kill {number}: {left} files in the store");
    }
}

#[test]
fn a_watch_at_any_moment() {
    let (world, server) = (world(), FaultServer::start());
    let (state, log) = (world.root().join("state.json"), world.root().join("hooks"));
    let hook = format!("echo \"$IMDS_NEW\" >> {}", log.display());
    let watch = || {
        let words = ["watch", "--interval", "5ms", "--state", state.to_str().unwrap(), "--exec", &hook];
        world.imds(words.into_iter().chain(["spot-interruption"])).endpoint(&server.endpoint()).spawn()
    };
    let runs = |kill: u64| {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().filter(|line| line.contains(&format!("\"kill\":{kill},"))).count()
    };
    let (mut kills, mut cut_off) = (0, 0);
    for mut kill in Kill::all(20) {
        let number = kill.number;
        let notice =
            format!("{{\"action\": \"stop\", \"kill\": {number}, \"time\": \"2030-01-01T00:00:00Z\"}}");
        server.every_get(Behaviour::Serve(notice.into_bytes()));
        // One that is killed may have told what became of the hook of the one before.
        let mut said = String::new();
        for _ in 0..=kill.draw(2) {
            said.push_str(watch().kill_within(Duration::from_millis(40), &mut kill).stderr());
        }
        kills += 1;
        // A watch that is terminated leaves a hook that it has not begun to the next one.
        for _ in 0..50 {
            let last = watch();
            one_more_poll(&server);
            last.signal(Signal::TERM);
            let out = last.wait().exits_with(0);
            assert!(!out.stderr().contains("replaced"), "kill {number}: {}", out.stderr());
            said.push_str(out.stderr());
            // Begun, and killed with the watch.
            if said.contains("was cut off when the last process ended") {
                cut_off += 1;
                break;
            }
            if runs(number) > 0 {
                break;
            }
        }
        let cut = said.contains("was cut off");
        assert!(runs(number) == 1 || cut, "kill {number}: it ran {} times: {said}", runs(number));
    }
    for number in Kill::all(20).map(|kill| kill.number) {
        assert!(runs(number) <= 1, "kill {number}: it ran {} times", runs(number));
    }
    println!("{kills} kills; {cut_off} hooks were cut off, which each watch said; no other was lost");
}
