//! `imds emulate` and `imds serve`: the emulator as users start it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use imds_testkit::{CommandOutput, Signal};

use crate::world;

/// What `imds emulate -- sh -c SCRIPT` does.
fn emulate(options: &[&str], script: &str) -> CommandOutput {
    let command = ["--", "sh", "-c", script];
    let words = ["emulate"].iter().chain(options).chain(&command);
    world().imds(words).disabled().run()
}

#[test]
fn a_command_finds_the_service_and_the_client() {
    let _ = emulate(&[], "imds get --path /latest/meta-data/instance-id").prints("i-1234567890abcdef0");
    let _ = emulate(&[], "imds latest/meta-data/instance-id").prints("i-1234567890abcdef0");
    let _ = emulate(&[], "imds get --path /latest/user-data | jq -r type").prints("object\n");
}

/// Everything that a lifecycle daemon reads before it waits: where it is, what it was told, who it
/// is, what is wanted.
#[test]
fn the_reads_of_a_lifecycle_script() {
    let script = "set -e
        region=$(imds get placement/region)
        hook=$(imds get user-data | jq -r .lifecycleHook)
        group=$(imds get tags/instance/aws:autoscaling:groupName --default none)
        instance=$(imds get instance-id)
        state=$(imds get autoscaling/target-lifecycle-state)
        echo \"$region $hook $group $instance $state\"";
    let output = emulate(&[], script).exits_with(0);
    let words: Vec<&str> = output.stdout().split_whitespace().collect();
    let [region, _, _, instance, state] = <[&str; 5]>::try_from(words).unwrap();
    assert_eq!((region, instance, state), ("us-east-1", "i-1234567890abcdef0", "InService"), "{output}");
}

#[test]
fn the_exit_code_is_the_commands() {
    let _ = emulate(&[], "exit 0").exits_with(0);
    let _ = emulate(&[], "exit 42").exits_with(42);
    let _ = emulate(&[], "kill -TERM $$").exits_with(128 + 15);
    let _ = emulate(&[], "imds get no-such-thing").exits_with(3);
    let _ = world().imds(["emulate", "--", "/nowhere"]).disabled().run().fails_with(127);
    let _ = world().imds(["emulate", "--", "/dev/null"]).disabled().run().fails_with(126);
    let _ = world().imds(["emulate"]).disabled().run().fails_with(2);
}

#[test]
fn tokens_are_required_unless_told_otherwise() {
    let curl =
        "curl -s -o /dev/null -w '%{http_code}' $AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/mac";
    let _ = emulate(&[], curl).prints("401");
    let _ = emulate(&["--tokens", "optional"], curl).prints("200");
    let _ = emulate(&["--tokens", "optional"], "imds get mac --imds-v1").exits_with(0);
    let _ = emulate(&["--tokens", "maybe"], "true").fails_with(2);
}

#[test]
fn tokens_of_an_emulator_do_not_end_up_among_the_users() {
    let world = world();
    let output = world.imds(["emulate", "--", "imds", "get", "mac"]).disabled().run();
    let _ = output.exits_with(0);
    assert!(world.cache_files().is_empty(), "{:?}", world.cache_files());
}

#[test]
fn serve_says_where_it_listens_and_ends_when_told() {
    let world = world();
    let mut server = Command::new(world.binary())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let endpoint = line.trim_end().strip_prefix("listening on ").unwrap();
    let _ = world.get("instance-id", endpoint).run().prints("i-1234567890abcdef0");
    // The port is taken, which is said and not waited for.
    let taken = endpoint.strip_prefix("http://").unwrap();
    let _ = world.imds(["serve", "--listen", taken]).disabled().run().fails_with(2).says("127.0.0.1:");
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, Signal::TERM).unwrap();
    server.wait().unwrap();
    let _ = world.get("instance-id", endpoint).run().fails_with(4);
}

/// Five minutes of the scenario, seen by a client that waits for 100 seconds at most.
#[test]
fn a_clock_sixty_times_as_fast() {
    let world = world();
    let scenario = world.root().join("scenario.toml").display().to_string();
    let steps = "[[step]]\nafter = '2m'\nevent = 'rebalance'\n[[step]]\nafter = '5m'\nevent = 'interrupt'\n";
    std::fs::write(&scenario, steps).unwrap();
    let script = "set -e
        recommended=$(imds wait --interval 20ms --timeout 100 events/recommendations/rebalance | jq -r .noticeTime)
        imds wait --interval 20ms --timeout 100 spot/instance-action >action
        jq -r .action action
        # Three minutes later, by the emulator's clock, and announced two minutes ahead.
        echo $(($(date -ud \"$(jq -r .time action)\" +%s) - $(date -ud \"$recommended\" +%s)))";
    let script = format!("cd '{}'; {script}", world.root().display());
    let words = ["emulate", "--clock", "x60", "--scenario", &scenario, "--", "sh", "-c", &script];
    let _ = world.imds(words).disabled().run().prints("terminate\n300\n");
}

#[test]
fn completions_and_the_man_page_come_out() {
    let world = world();
    for shell in ["bash", "zsh", "fish"] {
        let output = world.imds(["completions", shell]).disabled().run().exits_with(0);
        assert!(output.stdout().contains("imds"), "{shell}");
    }
    let bash = world.imds(["completions", "bash"]).disabled().run().exits_with(0);
    let sourced = Command::new("bash").args(["-n", "-c", bash.stdout()]).status().unwrap();
    assert!(sourced.success(), "bash does not take its completions");
    let man = world.imds(["man"]).disabled().run().exits_with(0);
    assert!(man.stdout().contains(".TH imds 1"), "{man}");
    let exit_status = man.stdout().split_once(".SH \"EXIT STATUS\"\n").unwrap_or_else(|| panic!("{man}")).1;
    assert!(exit_status.contains("the path does not exist (404)"), "{man}");
}
