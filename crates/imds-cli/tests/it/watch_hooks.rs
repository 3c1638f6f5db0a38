//! The hook of `imds watch`: its input, and how often it runs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use imds_testkit::{Answer, Behaviour, FaultServer, Running, Signal, TestEnvironment};

use crate::watch::{one_more_poll, stop, watch};
use crate::world;

const NOTICE: &str = r#"{"action": "stop", "time": "2017-09-18T08:22:00Z"}"#;
const REORDERED: &str = r#"{"time":"2017-09-18T08:22:00Z","action":"stop"}"#;
const ANOTHER: &str = r#"{"action": "terminate", "time": "2017-09-18T08:22:00Z"}"#;

/// A hook that adds a word to a file, and the file.
fn counting(world: &TestEnvironment) -> (String, PathBuf) {
    let log = world.root().join("hooks");
    (format!("echo ran >> {}", log.display()), log)
}

fn runs(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().lines().count()
}

fn watch_spot(world: &TestEnvironment, server: &FaultServer, state: &Path, hook: &str) -> Running {
    watch(world, server, &["--state", state.to_str().unwrap(), "--exec", hook, "spot-interruption"])
}

#[test]
fn a_notice_is_acted_on_once_over_restarts_and_two_are_two() {
    let (world, server) = (world(), FaultServer::start());
    let state = world.root().join("state.json");
    let (hook, log) = counting(&world);
    for (notice, expected) in [
        (Some(NOTICE), 1),
        (Some(NOTICE), 1),
        (Some(REORDERED), 1),
        (None, 1),
        (Some(NOTICE), 1),
        (Some(ANOTHER), 2),
        (Some(REORDERED), 2),
    ] {
        server.every_get(notice.map_or(Answer::status(404).into(), |text| Behaviour::Serve(text.into())));
        let running = watch_spot(&world, &server, &state, &hook);
        one_more_poll(&server);
        let _ = stop(running);
        assert_eq!(runs(&log), expected, "{notice:?}");
    }
}

#[test]
fn the_hook_is_told_what_happened() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let told = world.root().join("told");
    let hook = format!(
        "{{ echo \"$IMDS_EVENT $IMDS_CHANGE $IMDS_PATH [$IMDS_OLD] [$IMDS_NEW]\"; cat; }} > {}; echo said",
        told.display()
    );
    let output = world
        .imds(["watch", "--once", "--exec", &hook, "spot-interruption"])
        .endpoint(&server.endpoint())
        .run()
        .exits_with(0);
    let told = std::fs::read_to_string(told).unwrap();
    let (variables, stdin) = told.split_once('\n').unwrap();
    assert_eq!(
        variables,
        "spot-interruption appeared /latest/meta-data/spot/instance-action [] \
         [{\"action\":\"stop\",\"time\":\"2017-09-18T08:22:00Z\"}]"
    );
    assert_eq!(stdin, output.stdout());
    assert_eq!(output.stderr(), "said\n");
}

#[test]
fn a_hook_that_was_cut_off_is_not_run_again() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let state = world.root().join("state.json");
    let log = world.root().join("hooks");
    let fifo = world.root().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // Says that it has begun, and then lasts until the test is over.
    let hook = format!(
        "echo begun >> {}; echo begun > {}; exec cat {}",
        log.display(),
        fifo.display(),
        fifo.display()
    );
    let running = watch_spot(&world, &server, &state, &hook);
    let mut word = [0; 6];
    std::fs::File::open(&fifo).unwrap().read_exact(&mut word).unwrap();
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code(), None);
    let running = watch_spot(&world, &server, &state, &hook);
    one_more_poll(&server);
    running.signal(Signal::TERM);
    let _ = running.wait().exits_with(0).says(
        "note: the hook for `spot-interruption` was cut off when the last process ended; it is not run again",
    );
    assert_eq!(runs(&log), 1);
    // Lets the first hook end.
    drop(std::fs::OpenOptions::new().write(true).open(&fifo).unwrap());
}

#[test]
fn a_hook_that_fails_is_retried_as_often_as_was_asked() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let (hook, log) = counting(&world);
    for (retries, expected) in [("0", 1), ("1", 3)] {
        let hook = format!("{hook}; exit 3");
        let arguments = ["watch", "--once", "--exec-retries", retries, "--exec", &hook, "spot-interruption"];
        let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
        let _ = output.says("note: the hook for `spot-interruption` ended with exit status: 3");
        assert_eq!(runs(&log), expected);
    }
}

#[test]
fn a_hook_that_hangs_is_ended_at_its_time() {
    let (world, server) = (world(), FaultServer::start());
    let arguments =
        ["watch", "--once", "--exec-timeout", "20ms", "--exec", "exec tail -f /dev/null", "instance-id"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
    let _ = output.says("is past its time and told to end").says("ended with signal: 15 (SIGTERM)");
}

#[test]
fn a_disk_that_is_full_does_not_keep_the_hook_from_running() {
    let (world, server) = (world(), FaultServer::start());
    let (hook, log) = counting(&world);
    let absent = world.root().join("absent").join("state.json");
    let arguments = ["watch", "--once", "--state", absent.to_str().unwrap(), "--exec", &hook, "instance-id"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
    let _ = output.says("No such file or directory (os error 2); going on without");
    assert_eq!(runs(&log), 1);
    // A directory that others can write: what is planted there is not read.
    let open = world.root().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let planted = open.join("state.json");
    std::fs::write(&planted, "planted").unwrap();
    let arguments = ["watch", "--once", "--state", planted.to_str().unwrap(), "--exec", &hook, "instance-id"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run().exits_with(0);
    let _ = output.says("other users can write the directory (mode 0777): chmod go-w it");
    assert_eq!((runs(&log), std::fs::read_to_string(planted).unwrap()), (2, "planted".to_owned()));
}

#[test]
fn a_hook_runs_whatever_becomes_of_stdout() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let (hook, log) = counting(&world);
    let arguments = ["watch", "--once", "--exec", &hook, "spot-interruption"];
    let full = ["/bin/sh", "-c", "exec \"$@\" > /dev/full", "sh"];
    let _ = world.imds(arguments).under(full).endpoint(&server.endpoint()).run().exits_with(0);
    assert_eq!(runs(&log), 1);
    let _ = world.imds(arguments).with_closed_stdout().endpoint(&server.endpoint()).run().exits_with(0);
    assert_eq!(runs(&log), 2);
    // Without a hook there is nobody left to watch for.
    let full_output =
        world.imds(["watch", "--once", "instance-id"]).under(full).endpoint(&server.endpoint()).run();
    let _ = full_output.fails_with(1).says("No space left on device");
}

#[test]
fn events_do_not_wait_for_each_other_s_hooks() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let fifo = world.root().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // The hook of the rebalance recommendation lasts until that of the interruption has run.
    let hook = format!(
        "case $IMDS_EVENT in rebalance) read word < {0} ;; *) echo word > {0} ;; esac",
        fifo.display()
    );
    let running = watch(&world, &server, &["--exec", &hook, "rebalance", "spot-interruption"]);
    one_more_poll(&server);
    one_more_poll(&server);
    running.signal(Signal::TERM);
    let _ = running.wait().exits_with(0);
}

#[test]
fn a_second_watcher_of_a_state_file_is_refused() {
    let (world, server) = (world(), FaultServer::start());
    let state = world.root().join("state.json");
    let running = watch(&world, &server, &["--state", state.to_str().unwrap(), "instance-id"]);
    one_more_poll(&server);
    let arguments = ["watch", "--state", state.to_str().unwrap(), "instance-id"];
    let output = world.imds(arguments).endpoint(&server.endpoint()).run();
    let _ = output.fails_with(2).says("error: another `imds watch` uses state file `");
    let _ = stop(running);
}

#[test]
fn a_hook_that_waited_belongs_to_its_boot() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(NOTICE.into()));
    let state = world.root().join("state.json");
    let (hook, log) = counting(&world);
    let running = watch_spot(&world, &server, &state, &hook);
    one_more_poll(&server);
    let _ = stop(running);
    // The state of another instance, whose hook had not run yet.
    drop(std::fs::remove_file(&log));
    let (mut file, opened) = imds_watch::StateFile::open::<serde_json::Value>(&state).unwrap();
    let imds_watch::Opened::State(mut content) = opened else { panic!("no state") };
    content["boot"] = "another".into();
    content["instance_id"] = "i-another".into();
    content["detector"]["known"] = serde_json::json!({});
    content["journal"][0]["state"] = "waiting".into();
    content["journal"][0]["change"]["event"] = "rebalance".into();
    file.save(&content).unwrap();
    drop(file);
    let running = watch_spot(&world, &server, &state, &hook);
    one_more_poll(&server);
    running.signal(Signal::TERM);
    let output = running.wait().exits_with(0);
    let _ = output.says("note: the hook for `rebalance` belongs to an earlier boot; it is not run");
    assert_eq!(runs(&log), 1, "the notice of this instance");
}

#[test]
fn an_empty_command_is_refused() {
    let (world, server) = (world(), FaultServer::start());
    let output = world.imds(["watch", "--exec", " ", "tags"]).endpoint(&server.endpoint()).run();
    let _ = output.fails_with(2).says("error: the command of `--exec` is empty");
}
