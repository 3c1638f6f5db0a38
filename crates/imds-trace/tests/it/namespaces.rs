//! Callers in namespaces of their own are seen from the host, with the host's numbers.

use serde_json::Value;

use crate::harness::{Cgroup, Tracer, emulator, finished, inside, shown};

#[test]
fn a_caller_in_its_own_network_and_pid_namespace() {
    if !inside("namespaces::a_caller_in_its_own_network_and_pid_namespace") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    let cgroup = Cgroup::new();
    let mut tracer = Tracer::start(&cgroup);
    // A pair of interfaces leads from the inner network to the emulator's.
    let script = "ip link add outer type veth peer name inner \
        && ip address add 10.99.0.1/24 dev outer && ip link set outer up \
        && unshare --net --pid --fork --mount-proc sh -c ' \
            echo ready > \"$0\"; read line < \"$1\"; \
            ip link set lo up; ip address add 10.99.0.2/24 dev inner; ip link set inner up; \
            ip route add 169.254.169.254 via 10.99.0.1; \
            exec curl -s -o /dev/null http://169.254.169.254/latest/meta-data/$$' \"$0\" \"$1\" & \
        child=$!; read line < \"$0\"; \
        inner=$(cat /proc/$child/task/$child/children); \
        ip link set inner netns ${inner% } && echo go > \"$1\" && wait $child";
    let directory = tempfile::tempdir().unwrap();
    let pipes = ["ready", "go"].map(|name| directory.path().join(name));
    for pipe in &pipes {
        let mut make = std::process::Command::new("mkfifo");
        make.arg(pipe);
        finished(make);
    }
    cgroup.run(["sh", "-c", script, pipes[0].to_str().unwrap(), pipes[1].to_str().unwrap()]);
    tracer.wait_for("request", 1);
    let (requests, _, _) = tracer.stop();
    let request: &Value = &requests[0];
    // Process 1 of its own namespace, some other one to the host.
    assert_eq!(shown(request), "v1 GET /latest/meta-data/1 404");
    let caller = &request["caller"];
    assert_ne!(caller["pid"], 1);
    assert_eq!(caller["name"], "curl");
    let own = std::fs::read_link("/proc/self/ns/net").unwrap();
    let inner = format!("net:[{}]", caller["network_namespace"]);
    assert_ne!(own.to_str(), Some(inner.as_str()));
}
