//! A session token's life, counted on the wire: how many token PUTs and how many GETs each
//! situation costs.

use std::process::Command;
use std::time::Instant;

use imds_testkit::{Answer, Behaviour, Counts, FaultServer, Invocation, Running, Signal, TestEnvironment};
use rustix::process::{Pid, WaitOptions};

use crate::{INSTANCE_ID, world};

/// Six hours, the TTL that is asked for, less a minute: within the renewal margin of two minutes.
const NEARLY_A_TTL: &str = "21540";

fn wire(counts: Counts) -> (u64, u64) {
    assert_eq!((counts.gets_without_token, counts.others), (0, 0), "{counts:?}");
    (counts.token_puts, counts.gets)
}

#[test]
fn the_second_process_of_a_user_takes_the_first_ones_token() {
    let (world, server) = (world(), FaultServer::start());
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(wire(server.take_counts()), (1, 1));
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(wire(server.take_counts()), (0, 1));
    let put = server.requests().into_iter().find(imds_testkit::RequestSeen::is_token_put).unwrap();
    assert_eq!(put.header("X-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
}

#[test]
fn several_paths_cost_one_token() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Behaviour::Serve(b"v".to_vec()));
    let _ = world.imds(["get", "ami-id", "mac"]).endpoint(&server.endpoint()).run().prints("v\nv\n");
    assert_eq!(wire(server.take_counts()), (1, 2));
}

/// Starts `count` processes that stand still until all are there, and lets them go together.
fn start_at_once<'w>(count: usize, command: impl Fn() -> Invocation<'w>) -> Vec<Running> {
    let stand_still = ["sh", "-c", "kill -STOP $$; exec \"$0\" \"$@\""];
    let running: Vec<_> = (0..count).map(|_| command().under(stand_still).spawn()).collect();
    for process in &running {
        let pid = Pid::from_raw(process.id().cast_signed()).unwrap();
        let (_, status) = rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{status:?}");
    }
    for process in &running {
        process.signal(Signal::CONT);
    }
    running
}

#[test]
fn a_thousand_processes_at_once_cost_one_token() {
    let (world, server) = (world(), FaultServer::start());
    // Two cores take a while over a thousand processes; none of them may lose patience meanwhile
    // and ask again.
    let patient = || {
        let command = world.get("instance-id", &server.endpoint()).env("AWS_METADATA_SERVICE_TIMEOUT", "100");
        command.arg("--timeout").arg("100")
    };
    for process in start_at_once(1000, patient) {
        let _ = process.wait().prints(INSTANCE_ID);
    }
    let counts = server.counts();
    assert_eq!(wire(counts), (1, 1000));
}

#[test]
fn a_token_refused_once_is_renewed_once() {
    let (world, server) = (world(), FaultServer::start());
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    server.take_counts();
    // As after a stop and start of the instance, or in an image that was made with the store in it.
    server.revoke_tokens();
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(wire(server.take_counts()), (1, 2));
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(wire(server.take_counts()), (0, 1));
}

#[test]
fn a_service_that_refuses_every_token_is_asked_twice() {
    let (world, server) = (world(), FaultServer::start());
    server.every_get(Answer::status(401));
    let _ = world.get("instance-id", &server.endpoint()).run().fails_with(5);
    assert_eq!(wire(server.take_counts()), (2, 2));
}

#[test]
fn a_token_within_its_renewal_margin_is_renewed() {
    let (world, server) = (world(), FaultServer::start());
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    server.take_counts();
    // A time namespace of its own, where the boot clock is later.
    let later = |seconds: &str| {
        let namespace = ["unshare", "--map-root-user", "--time", "--boottime", seconds, "--"];
        world.get("instance-id", &server.endpoint()).under(namespace).run().prints(INSTANCE_ID)
    };
    let _ = later("21300");
    assert_eq!(wire(server.take_counts()), (0, 1), "five minutes before its end a token serves");
    let _ = later(NEARLY_A_TTL);
    assert_eq!(wire(server.take_counts()), (1, 1), "one minute before its end it does not");
}

#[test]
fn a_short_token_is_renewed_a_tenth_before_its_end() {
    let (world, server) = (world(), FaultServer::start());
    server.every_token(
        Answer::ok("token-of-100-seconds").header("X-aws-ec2-metadata-token-ttl-seconds", "100"),
    );
    let later = |seconds: &str| {
        let namespace = ["unshare", "--map-root-user", "--time", "--boottime", seconds, "--"];
        let _ = world.get("instance-id", &server.endpoint()).under(namespace).run().prints(INSTANCE_ID);
        wire(server.take_counts())
    };
    assert_eq!(later("0"), (1, 1));
    assert_eq!(later("60"), (0, 1));
    assert_eq!(later("95"), (1, 1));
}

/// Compiles the library that steps the wall clock of a process; a C compiler is there wherever Rust
/// can link.
fn wall_clock_shim(world: &TestEnvironment) -> std::path::PathBuf {
    let library = world.root().join("wall_clock.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/wall_clock.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .unwrap();
    assert!(compiled.success(), "cannot compile {source}");
    library
}

#[test]
fn a_step_of_the_wall_clock_changes_nothing() {
    let (world, server) = (world(), FaultServer::start());
    let library = wall_clock_shim(&world);
    let date = |step: &str| {
        let output =
            Command::new("date").arg("+%s").env("LD_PRELOAD", &library).env("WALL_CLOCK_STEP", step).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().parse::<i64>().unwrap()
    };
    let stepped = date("86400") - date("-86400");
    assert!((172_700..=172_800).contains(&stepped), "the shim steps the clock of a process: {stepped}");
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(wire(server.take_counts()), (1, 1));
    for step in ["86400", "-86400"] {
        let stepped = world.get("instance-id", &server.endpoint()).env("LD_PRELOAD", &library);
        let _ = stepped.env("WALL_CLOCK_STEP", step).run().prints(INSTANCE_ID);
        assert_eq!(wire(server.take_counts()), (0, 1), "stepped by {step} seconds");
    }
}

#[test]
fn a_token_of_another_boot_is_not_used() {
    let (world, server) = (world(), FaultServer::start());
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    server.take_counts();
    let boot_id = world.root().join("boot_id");
    std::fs::write(&boot_id, "00000000-1111-2222-3333-444444444444\n").unwrap();
    // A mount namespace of its own, where the kernel tells another boot.
    let other_boot = || {
        let mount = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id; exec \"$@\"";
        let namespace = ["unshare", "--map-root-user", "--mount", "--", "sh", "-ec", mount];
        let command = world.get("instance-id", &server.endpoint()).under(namespace).under([&boot_id]);
        let _ = command.run().prints(INSTANCE_ID);
        wire(server.take_counts())
    };
    assert_eq!(other_boot(), (1, 1));
    assert_eq!(other_boot(), (0, 1), "the new boot's token took its place");
}

#[test]
fn processes_share_a_failure_and_do_not_queue_up_for_it() {
    /// One long attempt: however busy the machine is, all have started before it fails.
    fn get<'w>(world: &'w TestEnvironment, server: &FaultServer) -> Invocation<'w> {
        let get = world.get("instance-id", &server.endpoint()).arg("--timeout").arg("100");
        get.env("AWS_METADATA_SERVICE_TIMEOUT", "12").env("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")
    }
    let server = FaultServer::start();
    server.every_token(Behaviour::Stall);
    let (lone, together) = (world(), world());
    let alone = get(&lone, &server).run().fails_with(4).elapsed();
    assert_eq!(wire(server.take_counts()), (1, 0));
    let running = start_at_once(50, || get(&together, &server));
    #[allow(clippy::disallowed_methods, reason = "real processes take real time")]
    let began = Instant::now();
    for process in running {
        let _ = process.wait().fails_with(4);
    }
    let longest = began.elapsed();
    assert_eq!(wire(server.take_counts()), (1, 0), "one of them asks for all");
    assert!(longest < alone.mul_f64(1.5), "50 at once took {longest:?}, one alone {alone:?}");
}
