//! What cannot be traced is said with the reason, and the exit code tells it apart.

use imds_testkit::TestEnvironment;

use crate::harness::{Cgroup, can_trace};

fn world() -> TestEnvironment {
    TestEnvironment::new(env!("CARGO_BIN_EXE_imds-trace"))
}

#[test]
fn without_rights() {
    if !can_trace("refused::without_rights") {
        return;
    }
    let cgroup = Cgroup::new();
    let path = cgroup.path().to_str().unwrap();
    // Every capability that is missing is named, and the kernel is not even asked.
    for (capabilities, missing) in [
        ("", "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"),
        (",+bpf,+net_admin", "CAP_PERFMON"),
        (",+perfmon,+net_admin", "CAP_BPF"),
        (",+perfmon,+bpf", "CAP_NET_ADMIN"),
    ] {
        let set = format!("-all{capabilities}");
        let wrapper = ["setpriv", "--inh-caps", &set, "--bounding-set", &set];
        let output = world().imds(["--cgroup", path]).disabled().under(wrapper).run();
        let output = output.fails_with(5).to_string();
        assert!(
            output.contains(&format!("error: cannot trace: this process lacks {missing}\n")),
            "{capabilities}: {output}"
        );
        assert!(output.contains("hint: run it as root"), "{output}");
    }
}

#[test]
fn the_three_capabilities_suffice() {
    if !can_trace("refused::the_three_capabilities_suffice") {
        return;
    }
    let cgroup = Cgroup::new();
    let set = "-all,+bpf,+net_admin,+perfmon";
    let output = world()
        .imds(["--for", "1ms", "--output", "json", "--cgroup", cgroup.path().to_str().unwrap()])
        .disabled()
        .under(["setpriv", "--inh-caps", set, "--bounding-set", set])
        .run()
        .exits_with(0);
    assert!(output.stdout().contains("\"type\":\"end\""), "{output}");
}

#[test]
fn what_is_no_cgroup() {
    if !can_trace("refused::what_is_no_cgroup") {
        return;
    }
    for (directory, cause) in [
        ("/nonexistent", "cannot open the cgroup `/nonexistent`: No such file or directory"),
        ("/tmp", "cannot trace the cgroup `/tmp`: it is not a directory of the cgroup v2 tree"),
    ] {
        let output = world().imds(["--cgroup", directory]).disabled().run().fails_with(2).to_string();
        assert!(output.contains(&format!("error: {cause}")), "{output}");
    }
}

#[test]
fn wrong_words() {
    for (arguments, cause) in [
        (&["--endpoint", "https://127.0.0.1"][..], "its scheme is `https`, and only `http` is traced"),
        (&["--endpoint", "localhost"], "it is not an IP address with an optional port"),
        (&["--for", "never"], "invalid value 'never' for '--for <DURATION>'"),
        (&["--buffer", "3"], "it is not a power of two from 1 to 1024"),
        (&["--instance-id", "x"], "it is not an instance id"),
    ] {
        let output = world().imds(arguments).disabled().run().fails_with(2).to_string();
        assert!(output.contains(cause), "{output}");
    }
    let five = ["--endpoint", "127.0.0.1:1"].repeat(5);
    let output = world().imds(&five).disabled().run().fails_with(2).to_string();
    assert!(output.contains("error: cannot trace 5 endpoints: at most 4"), "{output}");
}

#[test]
fn another_pid_namespace_is_said() {
    if !can_trace("refused::another_pid_namespace_is_said") {
        return;
    }
    let cgroup = Cgroup::new();
    let path = cgroup.path().to_str().unwrap();
    let run = |wrapper: &[&str]| {
        let output = world()
            .imds(["--for", "1ms", "--output", "json", "--cgroup", path])
            .disabled()
            .under(wrapper)
            .run();
        output.exits_with(0).stderr().to_owned()
    };
    assert_eq!(run(&["env"]), "");
    let note = "note: this is not the host's pid namespace: processes are not found by their ids\n";
    let inner = run(&["unshare", "--pid", "--fork", "--mount-proc"]);
    assert!(inner.starts_with(note) && inner.contains("hint: run it on the host"), "{inner}");
}
