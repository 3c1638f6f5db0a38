//! However the tracer ends, the kernel keeps nothing of it.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Cgroup, Tracer, can_trace, finished};

/// What is attached to a cgroup, by the kernel's own list.
fn attached(cgroup: &Cgroup) -> Vec<u64> {
    let mut command = std::process::Command::new("bpftool");
    command.args(["--json", "cgroup", "show"]).arg(cgroup.path());
    let list: Value = serde_json::from_str(&finished(command)).unwrap_or_default();
    list.as_array().into_iter().flatten().filter_map(|program| program["id"].as_u64()).collect()
}

#[test]
fn kill_9_leaves_no_program() {
    if !can_trace("killed::kill_9_leaves_no_program") {
        return;
    }
    let cgroup = Cgroup::new();
    let tracer = Tracer::start(&cgroup);
    let programs = attached(&cgroup);
    assert_eq!(programs.len(), 4, "{programs:?}");
    kill_process(Pid::from_raw(i32::try_from(tracer.id()).unwrap()).unwrap(), Signal::KILL).unwrap();
    drop(tracer);
    // The kernel frees programs a moment after the last descriptor is closed.
    let gone = |id: &u64| {
        let shown =
            std::process::Command::new("bpftool").args(["prog", "show", "id", &id.to_string()]).output();
        !shown.unwrap().status.success()
    };
    let all_gone = (0..500).any(|_| programs.iter().all(gone));
    assert!(all_gone, "programs that outlived the tracer: {programs:?}");
    assert_eq!(attached(&cgroup), Vec::<u64>::new());
}
