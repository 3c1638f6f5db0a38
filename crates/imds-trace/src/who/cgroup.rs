//! What a cgroup's path says: systemd unit, container, Kubernetes pod, ECS task.
//!
//! The shapes are those of kubernetes/kubernetes (`pkg/kubelet/cm`), google/cadvisor
//! (`container/*`) and aws/amazon-ecs-agent (`agent/config/config_unix.go`); a path of another
//! shape names nothing.

use serde::{Deserialize, Serialize};

/// Where a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The systemd unit, as `systemctl` spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) container: Option<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pod: Option<Pod>,
    /// Id of the task of Amazon ECS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ecs_task: Option<String>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    pub(crate) id: String,
    /// What runs it, where the path says so: `docker`, `containerd`, `cri-o`, `podman`, `nspawn`,
    /// `lxc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) runtime: Option<String>,
    /// Its name, where this host's files have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// A Kubernetes pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pod {
    pub(crate) uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) namespace: Option<String>,
}

impl Place {
    /// Reads a path; its components are looked at from the last, as a container's own init makes
    /// cgroups below it.
    pub(crate) fn of(path: &str) -> Self {
        let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
        let last_first = || components.iter().enumerate().rev();
        let in_pod = components.iter().any(|component| component.contains("kubepods"));
        let container = last_first().find_map(|(index, component)| {
            let parent = index.checked_sub(1).and_then(|parent| components.get(parent)).copied();
            container_of(component, parent, in_pod)
        });
        Self {
            unit: last_first().find_map(|(_, component)| unit_of(component)),
            container,
            pod: last_first()
                .find_map(|(_, component)| pod_uid(component))
                .map(|uid| Pod { uid, ..Pod::default() }),
            ecs_task: components.windows(2).find_map(|pair| ecs_task(pair[0], pair[1])),
        }
    }

    /// Whether the path named anything.
    pub(crate) const fn is_empty(&self) -> bool {
        self.unit.is_none() && self.container.is_none() && self.pod.is_none() && self.ecs_task.is_none()
    }
}

/// Which runtimes put which prefix before the id in a scope's name.
const SCOPES: &[(&str, &str)] = &[
    ("cri-containerd-", "containerd"),
    ("docker-", "docker"),
    ("crio-", "cri-o"),
    ("libpod-", "podman"),
    ("nerdctl-", "containerd"),
];

fn container_of(component: &str, parent: Option<&str>, in_pod: bool) -> Option<Container> {
    let container = |id: &str, runtime: Option<&str>| {
        Some(Container { id: id.to_owned(), runtime: runtime.map(str::to_owned), name: None })
    };
    let scope = component.strip_suffix(".scope").unwrap_or(component);
    for (prefix, runtime) in SCOPES {
        // `crio-conmon-ID` and `libpod-conmon-ID` are monitors of a container and run outside of
        // it.
        if let Some(id) = scope.strip_prefix(prefix).filter(|id| is_container_id(id)) {
            return container(id, Some(runtime));
        }
    }
    if let Some(name) = scope.strip_prefix("machine-").filter(|_| component.ends_with(".scope")) {
        return container(&unescaped(name), Some("nspawn"));
    }
    if let Some(name) =
        component.strip_prefix("systemd-nspawn@").and_then(|name| name.strip_suffix(".service"))
    {
        return container(&unescaped(name), Some("nspawn"));
    }
    if let Some(name) = component.strip_prefix("lxc.payload.") {
        return container(name, Some("lxc"));
    }
    // The driver `cgroupfs`: the component is the id, and what stands above it tells the runtime.
    match parent {
        Some("docker") if is_container_id(component) => container(component, Some("docker")),
        Some("lxc") => container(component, Some("lxc")),
        Some("default" | "moby" | "k8s.io") if !component.contains('.') => {
            container(component, Some("containerd"))
        }
        Some(parent) if is_container_id(component) && (in_pod || parent != "system.slice") => {
            container(component, None)
        }
        _ => None,
    }
}

/// 64 lower-case hexadecimal digits.
fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The unit, with the escapes of its name kept: so `systemctl status` takes it. The scope of a
/// container is no unit to a person: it names the container instead.
fn unit_of(component: &str) -> Option<String> {
    let is_scope = component.ends_with(".scope");
    let named = component.ends_with(".service") || is_scope;
    // The user's manager holds the units of the user; those below it are the telling ones, and come
    // first.
    (named && container_of(component, None, false).is_none()).then(|| component.to_owned())
}

/// The UID in `pod63b3ebfc-...`, `kubepods-burstable-pod63b3ebfc_....slice` or, of a static pod, 32
/// digits.
fn pod_uid(component: &str) -> Option<String> {
    let name = component.strip_suffix(".slice").unwrap_or(component);
    let at = name.rfind("pod").filter(|at| *at == 0 || name[..*at].ends_with('-'))?;
    // systemd takes a dash for a level of slices, so the kubelet writes underscores.
    let uid = name[at + 3..].replace('_', "-");
    let digits = uid.bytes().filter(|byte| *byte != b'-').count();
    let hexadecimal = uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (digits == 32 && hexadecimal && (uid.len() == 32 || uid.len() == 36)).then_some(uid)
}

/// `/ecs/TASK/ID` and `/ecstasks.slice/ecstasks-TASK.slice/docker-ID.scope`.
fn ecs_task(parent: &str, component: &str) -> Option<String> {
    let task = match parent {
        "ecs" => component,
        "ecstasks.slice" => component.strip_prefix("ecstasks-")?.strip_suffix(".slice")?,
        _ => return None,
    };
    let task = task.replace('_', "-");
    let digits = task.bytes().filter(|byte| *byte != b'-').count();
    (digits == 32 && task.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())).then_some(task)
}

/// Undoes systemd's `\x2d` in a name.
fn unescaped(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(at) = rest.find("\\x") {
        let Some(byte) = rest.get(at + 2..at + 4).and_then(|digits| u8::from_str_radix(digits, 16).ok())
        else {
            break;
        };
        out.push_str(&rest[..at]);
        out.push(char::from(byte));
        rest = &rest[at + 4..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "63b3ebfc-2890-11e9-8154-16bf8ef8d9dc";

    /// `unit | runtime container | pod | task`, with `-` for what the path does not name.
    fn shown(path: &str) -> String {
        let place = Place::of(&path.replace("ID", ID));
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let container = place
            .container
            .map(|container| format!("{} {}", or_dash(container.runtime), container.id.replace(ID, "ID")));
        let pod = place.pod.map(|pod| pod.uid);
        [place.unit, container, pod, place.ecs_task].map(or_dash).join(" | ")
    }

    #[test]
    fn shapes_of_every_runtime() {
        let pod = UID.replace('-', "_");
        for (path, expected) in [
            ("/", "- | - | - | -"),
            ("/system.slice/sshd.service", "sshd.service | - | - | -"),
            ("/system.slice/backup@daily.service", "backup@daily.service | - | - | -"),
            ("/system.slice/dev\\x2dx.service/sub", "dev\\x2dx.service | - | - | -"),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app.service",
                "app.service | - | - | -",
            ),
            ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope | - | - | -"),
            ("/system.slice/docker-ID.scope", "- | docker ID | - | -"),
            ("/docker/ID", "- | docker ID | - | -"),
            ("/system.slice/nerdctl-ID.scope", "- | containerd ID | - | -"),
            ("/default/web", "- | containerd web | - | -"),
            ("/machine.slice/libpod-ID.scope/container", "- | podman ID | - | -"),
            (
                "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
                "user@1000.service | podman ID | - | -",
            ),
            ("/machine.slice/libpod-conmon-ID.scope", "libpod-conmon-ID.scope | - | - | -"),
            ("/libpod_parent/libpod-ID", "- | podman ID | - | -"),
            ("/machine.slice/machine-my\\x2dbox.scope", "- | nspawn my-box | - | -"),
            ("/machine.slice/systemd-nspawn@box.service", "- | nspawn box | - | -"),
            ("/lxc.payload.box", "- | lxc box | - | -"),
            ("/lxc/box", "- | lxc box | - | -"),
            ("/ecs/0123456789abcdef0123456789abcdef/ID", "- | - ID | - | 0123456789abcdef0123456789abcdef"),
        ] {
            assert_eq!(shown(path).replace(ID, "ID"), expected, "{path}");
        }
        for (path, expected) in [
            (format!("/kubepods/burstable/pod{UID}/ID"), format!("- | - ID | {UID} | -")),
            (format!("/kubepods/besteffort/pod{UID}/crio-ID"), format!("- | cri-o ID | {UID} | -")),
            (
                format!("/kubepods.slice/kubepods-pod{pod}.slice/cri-containerd-ID.scope"),
                format!("- | containerd ID | {UID} | -"),
            ),
            (
                format!(
                    "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
                     kubelet-kubepods-burstable-pod{pod}.slice/crio-ID.scope/container"
                ),
                format!("- | cri-o ID | {UID} | -"),
            ),
            (
                "/kubepods.slice/kubepods-burstable.slice/\
                 kubepods-burstable-pod9da3b2a14682e1fb23be3c2492753207.slice/docker-ID.scope"
                    .to_owned(),
                "- | docker ID | 9da3b2a14682e1fb23be3c2492753207 | -".to_owned(),
            ),
        ] {
            assert_eq!(shown(&path), expected, "{path}");
        }
    }

    #[test]
    fn any_path_is_read() {
        for path in ["", "//", "/pod", "/podü/\\x", "/machine-.scope", "/\\xzz", "/ecs/x", "/.service"] {
            // Nothing is named that is not there.
            let place = Place::of(path);
            assert!(place.pod.is_none() && place.ecs_task.is_none(), "{path}: {place:?}");
        }
    }
}
