//! Where a caller runs: unit, container and pod, by the cgroup that it is in.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::harness::{Cgroup, Tracer, command_in, emulator, finished, inside};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const URL: &str = "http://169.254.169.254/latest/meta-data/";

#[test]
fn units_containers_and_pods_by_their_cgroups() {
    if !inside("places::units_containers_and_pods_by_their_cgroups") {
        return;
    }
    let _emulator = emulator(|builder| builder);
    // The host's files, where a container has them mounted.
    let root = tempfile::tempdir().unwrap();
    symlink("/proc", root.path().join("proc")).unwrap();
    for (file, text) in [
        ("etc/passwd".to_owned(), "operator:x:0:0::/root:/bin/sh\n"),
        (format!("var/lib/docker/containers/{ID}/config.v2.json"), r#"{"Name":"/web"}"#),
        (format!("var/log/containers/api-7d9_shop_server-{}.log", ID.replace('0', "f")), ""),
    ] {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut cgroup = Cgroup::new();
    let host_root = root.path().to_str().unwrap().to_owned();
    let mut tracer = Tracer::with(&cgroup, &["--host-root", &host_root]);
    let pod = "63b3ebfc_2890_11e9_8154_16bf8ef8d9dc";
    let cases: [(String, Value); 4] = [
        ("system.slice/backup@daily.service".to_owned(), json!({"unit": "backup@daily.service"})),
        (
            format!("system.slice/docker-{ID}.scope"),
            json!({"container": {"id": ID, "runtime": "docker", "name": "web"}}),
        ),
        (
            format!(
                "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{pod}.slice/cri-containerd-{}.scope",
                ID.replace('0', "f")
            ),
            json!({
                "container": {"id": ID.replace('0', "f"), "runtime": "containerd", "name": "server"},
                "pod": {"uid": pod.replace('_', "-"), "name": "api-7d9", "namespace": "shop"},
            }),
        ),
        (
            format!("ecstasks.slice/ecstasks-0123456789abcdef0123456789abcdef.slice/docker-{ID}.scope"),
            json!({
                "container": {"id": ID, "runtime": "docker", "name": "web"},
                "ecs_task": "0123456789abcdef0123456789abcdef",
            }),
        ),
    ];
    for (path, _) in &cases {
        finished(command_in(&cgroup.below(path), ["curl", "-sf", URL]));
    }
    tracer.wait_for("request", cases.len());
    let (requests, _, _) = tracer.stop();
    for ((path, expected), request) in cases.iter().zip(&requests) {
        let caller = &request["caller"];
        let told: serde_json::Map<String, Value> = ["unit", "container", "pod", "ecs_task"]
            .iter()
            .filter_map(|field| Some(((*field).to_owned(), caller.get(field)?.clone())))
            .collect();
        assert_eq!(&Value::Object(told), expected, "{path}");
        assert!(caller["cgroup"].as_str().unwrap().ends_with(path), "{path}: {caller}");
        assert_eq!(caller["user"], "operator");
    }
}
