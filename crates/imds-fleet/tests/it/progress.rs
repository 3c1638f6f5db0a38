//! The progress bar: on a terminal, and nowhere else.

use std::process::Stdio;

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Harm, Instance, Moment, Shape, World};
use imds_testkit::terminal;

use crate::change::{ACCOUNT, files};
use crate::harness::{fleet, ran};

const ARGS: [&str; 7] =
    ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl"];

fn fake() -> Fake {
    Fake::start(World::generate(Shape { accounts: 4, regions: 3, instances: 240 })).unwrap()
}

/// Runs the command with a terminal for stderr, and for stdout too if `both`: what the terminal
/// showed, and stdout.
fn on_a_terminal(fake: &Fake, both: bool) -> (String, String) {
    let (status, shown, stdout) = shown(fake, &ARGS, both, |_| {});
    assert_eq!(status, Some(0), "{shown}");
    (shown, stdout)
}

/// Runs any command so, and does something to its process: its status as well.
fn shown(fake: &Fake, args: &[&str], both: bool, then: impl FnOnce(u32)) -> (Option<i32>, String, String) {
    let (ours, theirs) = terminal::open();
    let mut command = fleet(fake, args);
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
    then(child.id());
    let ended = child.wait_with_output().unwrap();
    let shown = String::from_utf8(reader.join().unwrap()).unwrap();
    (ended.status.code(), shown, String::from_utf8(ended.stdout).unwrap())
}

/// Instances in many accounts and Regions: more in one would wait for the limits of its calls.
fn spread(count: usize) -> World {
    let v1 = Options::full("optional", 1, "enabled", "disabled", "disabled");
    let mut world = World::new(ACCOUNT, &REGIONS);
    for n in 0..count {
        let instance = Instance::new(&format!("i-{n:05}"), v1.clone());
        world.at(ACCOUNT, REGIONS[n % REGIONS.len()]).instances.push(instance);
    }
    world
}

const REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

#[test]
fn apply_and_rollback_show_a_bar_on_a_terminal_and_leave_it_clean() {
    for both in [false, true] {
        let fake = Fake::start(spread(60)).unwrap();
        let files = files();
        assert_eq!(files.plan(&fake, &["--all-regions"]).status, 0);
        let journal = files.journal.to_str().unwrap();
        for args in [&files.apply_args(&[])[..], &["rollback", journal, "--poll", "1ms"]] {
            let (status, shown, stdout) = shown(&fake, args, both, |_| {});
            assert_eq!(status, Some(0), "{args:?}: {shown:?}");
            assert!(shown.contains("/60 changes, "), "{args:?}: {shown:?}");
            if both {
                // Lines stand above the bar, each whole.
                let last = shown.rsplit('\n').find(|line| !line.trim().is_empty()).unwrap();
                let last = last.rsplit("\u{1b}[2K").next().unwrap().trim_matches('\r');
                assert!(last.starts_with("60 "), "{args:?}: {shown:?}");
            } else {
                assert!(shown.trim_end_matches('\r').ends_with("\u{1b}[2K"), "{args:?}: {shown:?}");
                assert!(!stdout.contains('\u{1b}') && !stdout.contains("/60 changes"), "{stdout:?}");
            }
        }
    }
}

#[test]
fn on_a_pipe_lines_say_how_far_a_long_wave_is() {
    let mut world = World::generate(Shape { accounts: 10, regions: 6, instances: 1700 });
    world.throttle.off = true;
    let fake = Fake::start(world).unwrap();
    let files = files();
    let role = ["--role-name", "audit"];
    let scope = ["--organization", "--all-regions", "--instances-only", "--allow-irreversible"];
    assert_eq!(files.plan(&fake, &[&scope[..], &role].concat()).status, 0);
    let applied = files.apply(&fake, &[&role[..], &["--no-gate-metric", "--limit-share", "100"]].concat());
    assert_eq!((applied.status, applied.stderr.as_str()), (0, ""), "{applied:?}");
    let lines: Vec<&str> = applied.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            "wave 1 of 4: 1 changes; 1 of 567 changes in force",
            "wave 2 of 4: 5 changes; 6 of 567 changes in force",
            "wave 3 of 4: 51 changes; 57 of 567 changes in force",
            "wave 4 of 4: 500 of 510 changes made",
            "wave 4 of 4: 510 changes; 567 of 567 changes in force",
            "567 of 567 changes in force",
        ]
    );
    let back = files.rollback(&fake, &[&role[..], &["--limit-share", "100"]].concat());
    assert_eq!((back.status, back.stderr.as_str()), (0, ""), "{back:?}");
    assert_eq!(back.stdout, "500 of 567 restored\n567 restored, 0 as before, 0 not restored\n");
}

#[test]
fn interrupted_on_a_terminal_the_bar_is_gone_and_what_to_type_is_said() {
    for (verb, signal) in [("apply", "-INT"), ("apply", "-TERM"), ("rollback", "-INT"), ("rollback", "-TERM")]
    {
        let fake = Fake::start(spread(20)).unwrap();
        let files = files();
        assert_eq!(files.plan(&fake, &["--all-regions"]).status, 0);
        let journal = files.journal.to_str().unwrap().to_owned();
        let mut args = files.apply_args(&[]);
        if verb == "rollback" {
            assert_eq!(files.apply(&fake, &[]).status, 0);
            args = vec!["rollback", &journal, "--poll", "1ms"];
        }
        // The dry runs of apply, and some changes, go through.
        let skip = if verb == "apply" { 7 } else { 3 };
        let harm = Harm::Hold(Moment::After);
        fake.world().faults.push(Fault { skip, ..Fault::always("ModifyInstanceMetadataOptions", harm) });
        let (tell, held) = std::sync::mpsc::channel();
        fake.on_held(move || tell.send(()).unwrap_or_default());
        let (status, shown, stdout) = shown(&fake, &args, false, |pid| {
            held.recv().unwrap();
            let sent = std::process::Command::new("kill").args([signal, &pid.to_string()]).status();
            assert!(sent.unwrap().success());
        });
        assert_eq!(status, Some(3), "{verb} {signal}: {stdout}");
        assert!(shown.trim_end_matches('\r').ends_with("\u{1b}[2K"), "{verb} {signal}: {shown:?}");
        assert!(stdout.contains("interrupted: of 20 changes "), "{verb} {signal}: {stdout}");
        assert!(stdout.contains(&format!("\nto go on: imds-fleet {verb} ")), "{verb} {signal}: {stdout}");
        if verb == "apply" {
            assert!(stdout.contains(&format!("\nto go back: imds-fleet rollback {journal}\n")), "{stdout}");
        }
        fake.world().faults.clear();
        let back = files.rollback(&fake, &[]);
        assert_eq!(back.status, 0, "{verb} {signal}: {back:?}");
        let v1 = |it: &Instance| it.options.http_tokens.as_deref() == Some("optional");
        assert!(fake.world().places.values().flat_map(|here| &here.instances).all(v1));
    }
}

#[test]
fn the_command_that_goes_back_has_the_access_that_was_given() {
    let mut world = World::generate(Shape { accounts: 2, regions: 1, instances: 6 });
    world.external_id = Some("it's".to_owned());
    let fake = Fake::start(world).unwrap();
    let files = files();
    let url = fake.url();
    let access = ["--role-name", "audit", "--external-id", "it's", "--endpoint-url", &url];
    let region = ["--organization", "--regions", "ap-northeast-1"];
    assert_eq!(files.plan(&fake, &[&access[..], &region].concat()).status, 0);
    let denied = Fault { skip: 3, ..Fault::always("ModifyInstanceMetadataOptions", Fault::denied()) };
    fake.world().faults.push(denied);
    let stopped = files.apply(&fake, &access);
    assert_eq!(stopped.status, 3, "{stopped:?}");
    fake.world().faults.clear();
    let typed = |prefix: &str| {
        let line = stopped.stdout.lines().find_map(|line| line.strip_prefix(prefix)).unwrap();
        let mut command = std::process::Command::new("sh");
        let script = line.replacen("imds-fleet", env!("CARGO_BIN_EXE_imds-fleet"), 1);
        let environment = fleet(&fake, &[]);
        command.env_clear().envs(environment.get_envs().filter_map(|(key, value)| Some((key, value?))));
        crate::harness::run({
            command.arg("-c").arg(script);
            command
        })
    };
    let back = typed("to go back: ");
    assert_eq!((back.status, back.stderr.as_str()), (0, ""), "{back:?} of {stopped:?}");
    let onward = typed("to go on: ");
    assert_eq!(onward.status, 2, "{onward:?}");
    assert_eq!(onward.stderr, "error: the plan was rolled back: make a new one\n");
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
