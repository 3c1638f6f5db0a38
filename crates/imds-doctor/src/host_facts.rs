//! What can be known without a packet: variables, firmware tables, cgroups, kernel command line,
//! counters.

use std::path::Path;

use imds::EndpointChoice;
use imds_model::env;

use crate::facts::{EndpointFact, Facts, Machine, Proxies};
use crate::host::Host;

/// Variables that make other programs send plain-HTTP requests through a proxy, as curl and the
/// SDKs read them.
const PROXY_VARIABLES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Where Linux shows the firmware's tables.
const DMI: &str = "/sys/class/dmi/id";
/// The hypervisor's UUID on Xen instances; EC2's begin with `ec2` (EC2 User Guide, "Identify EC2
/// Linux instances").
const XEN_UUID: &str = "/sys/hypervisor/uuid";

/// Counter of packets to link-local addresses that were dropped over the interface's allowance (ENA
/// driver; EC2 User Guide, "Monitor network performance for ENA settings").
const REFUSED_PACKETS: &str = "linklocal_allowance_exceeded";

pub(crate) fn facts(host: &dyn Host, endpoint: Result<EndpointFact, imds::Error>) -> Facts {
    Facts {
        disabled: host.variable(env::DISABLED),
        endpoint,
        proxies: Proxies::default(),
        machine: machine(host),
        container: container(host),
        reach: Vec::new(),
        other_family: None,
        token: None,
        wrong_token: None,
        read: None,
        content: None,
        store_fault: None,
        now: host.now(),
        clocks: None,
        systemd_network: systemd_network(host),
        refused_packets: refused_packets(host),
        version1: None,
    }
}

/// The proxy variables, and whether they leave the endpoint alone.
pub(crate) fn proxies(host: &dyn Host, endpoint: &EndpointChoice) -> Proxies {
    let is_set = |name: &&str| host.variable(name).is_some();
    let exemptions = NO_PROXY_VARIABLES.iter().find_map(|name| host.variable(name)).unwrap_or_default();
    Proxies {
        variables: PROXY_VARIABLES
            .iter()
            .filter(|name| is_set(name))
            .map(|name| (*name).to_owned())
            .collect(),
        exempt: endpoint.endpoints().iter().all(|endpoint| is_exempt(&exemptions, endpoint.host())),
    }
}

/// Whether a `NO_PROXY` list names the host. Networks in it (`169.254.0.0/16`) are not counted: few
/// programs understand them.
fn is_exempt(list: &str, host: &str) -> bool {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.trim_matches(['[', ']']);
        let domain = entry.trim_start_matches('.');
        entry == "*"
            || domain.eq_ignore_ascii_case(host)
            || (host.len() > domain.len()
                && host.parse::<std::net::IpAddr>().is_err()
                && host.to_ascii_lowercase().ends_with(&format!(".{}", domain.to_ascii_lowercase())))
    })
}

fn machine(host: &dyn Host) -> Machine {
    let read = |path: String| {
        let value = host.read(Path::new(&path)).ok()?;
        Some((path, value.trim().to_owned())).filter(|(_, value)| !value.is_empty())
    };
    let found: Vec<(String, String)> = ["sys_vendor", "board_asset_tag", "bios_vendor"]
        .iter()
        .filter_map(|name| read(format!("{DMI}/{name}")))
        .chain(read(XEN_UUID.to_owned()))
        .collect();
    let says_ec2 = |(path, value): &(String, String)| {
        value.eq_ignore_ascii_case("Amazon EC2")
            || (path.ends_with("board_asset_tag") && value.starts_with("i-"))
            || (path == XEN_UUID && value.to_ascii_lowercase().starts_with("ec2"))
            // Older Xen instances: `4.2.amazon`.
            || (path.ends_with("bios_vendor") && value.to_ascii_lowercase().contains("amazon"))
    };
    Machine {
        is_ec2: if found.is_empty() { None } else { Some(found.iter().any(says_ec2)) },
        evidence: found.iter().map(|(path, value)| format!("{path}: {value}")).collect(),
    }
}

/// What shows that this process is in a container.
fn container(host: &dyn Host) -> Option<String> {
    for (path, sort) in [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")] {
        if host.exists(Path::new(path)) {
            return Some(format!("{sort} (`{path}` exists)"));
        }
    }
    for (name, sort) in [
        ("KUBERNETES_SERVICE_HOST", "Kubernetes"),
        ("ECS_CONTAINER_METADATA_URI_V4", "ECS"),
        ("ECS_CONTAINER_METADATA_URI", "ECS"),
    ] {
        if host.variable(name).is_some() {
            return Some(format!("{sort} (`{name}` is set)"));
        }
    }
    let path = Path::new("/proc/1/cgroup");
    let groups = host.read(path).ok()?;
    for (mark, sort) in [
        ("kubepods", "Kubernetes"),
        ("/ecs/", "ECS"),
        ("docker", "Docker"),
        ("libpod", "Podman"),
        ("containerd", "containerd"),
        ("/lxc", "LXC"),
    ] {
        if groups.contains(mark) {
            return Some(format!("{sort} (`{mark}` in `{}`)", path.display()));
        }
    }
    None
}

/// `systemd.imds.network=` of the kernel command line (systemd-imdsd@.service(8), systemd 261).
fn systemd_network(host: &dyn Host) -> Option<String> {
    let line = host.read(Path::new("/proc/cmdline")).ok()?;
    let last =
        line.split_whitespace().filter_map(|word| word.strip_prefix("systemd.imds.network=")).next_back();
    last.map(str::to_owned)
}

fn refused_packets(host: &dyn Host) -> Vec<(String, u64)> {
    let interfaces = host.list(Path::new("/sys/class/net"));
    let counted = interfaces.into_iter().filter(|name| name != "lo").filter_map(|name| {
        let statistics = host.interface_statistics(&name)?;
        let line = statistics.lines().find_map(|line| line.trim().strip_prefix(REFUSED_PACKETS))?;
        let count = line.trim_start_matches(':').trim().parse().ok()?;
        Some((name, count))
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use std::collections::BTreeMap;
    use std::io;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[derive(Default)]
    struct Staged {
        files: BTreeMap<&'static str, &'static str>,
        variables: BTreeMap<&'static str, &'static str>,
        statistics: BTreeMap<&'static str, &'static str>,
    }

    impl Host for Staged {
        fn variable(&self, name: &str) -> Option<String> {
            self.variables.get(name).map(|value| (*value).to_owned())
        }
        fn read(&self, path: &Path) -> io::Result<String> {
            let found = path.to_str().and_then(|path| self.files.get(path));
            found.map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
        }
        fn exists(&self, path: &Path) -> bool {
            path.to_str().is_some_and(|path| self.files.contains_key(path))
        }
        fn list(&self, _path: &Path) -> Vec<String> {
            self.statistics.keys().map(|name| (*name).to_owned()).collect()
        }
        fn now(&self) -> SystemTime {
            UNIX_EPOCH
        }
        fn interface_statistics(&self, interface: &str) -> Option<String> {
            self.statistics.get(interface).map(|text| (*text).to_owned())
        }
    }

    #[test]
    fn what_no_proxy_exempts() {
        for (list, host, exempt) in [
            ("169.254.169.254", "169.254.169.254", true),
            ("localhost, 169.254.169.254", "169.254.169.254", true),
            ("[fd00:ec2::254]", "fd00:ec2::254", true),
            ("*", "169.254.169.254", true),
            (".internal", "imds.internal", true),
            ("internal", "imds.internal", true),
            ("254", "169.254.169.254", false),
            ("169.254.0.0/16", "169.254.169.254", false),
            ("", "169.254.169.254", false),
        ] {
            assert_eq!(is_exempt(list, host), exempt, "{list} {host}");
        }
    }

    #[test]
    fn machines() {
        for (path, value, is_ec2) in [
            ("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n", true),
            ("/sys/class/dmi/id/board_asset_tag", "i-0123456789abcdef0\n", true),
            ("/sys/class/dmi/id/bios_vendor", "4.11.amazon", true),
            ("/sys/hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n", true),
            ("/sys/class/dmi/id/sys_vendor", "QEMU\n", false),
        ] {
            let staged = Staged { files: BTreeMap::from([(path, value)]), ..Staged::default() };
            let machine = machine(&staged);
            assert_eq!(machine.is_ec2, Some(is_ec2), "{path}");
            assert_eq!(machine.evidence, [format!("{path}: {}", value.trim())]);
        }
        assert_eq!(machine(&Staged::default()), Machine::default());
    }

    #[test]
    fn containers_by_their_cgroup_files() {
        for (path, content, shown) in [
            ("/.dockerenv", "", "Docker (`/.dockerenv` exists)"),
            ("/run/.containerenv", "", "Podman (`/run/.containerenv` exists)"),
            (
                "/proc/1/cgroup",
                "0::/kubepods/burstable/pod1\n",
                "Kubernetes (`kubepods` in `/proc/1/cgroup`)",
            ),
            ("/proc/1/cgroup", "9:pids:/ecs/task\n", "ECS (`/ecs/` in `/proc/1/cgroup`)"),
            ("/proc/1/cgroup", "0::/system.slice/docker-1.scope\n", "Docker (`docker` in `/proc/1/cgroup`)"),
        ] {
            let staged = Staged { files: BTreeMap::from([(path, content)]), ..Staged::default() };
            assert_eq!(container(&staged).as_deref(), Some(shown));
        }
        let host =
            Staged { files: BTreeMap::from([("/proc/1/cgroup", "0::/init.scope\n")]), ..Staged::default() };
        assert_eq!(container(&host), None);
        let pod = Staged {
            variables: BTreeMap::from([("KUBERNETES_SERVICE_HOST", "10.0.0.1")]),
            ..Staged::default()
        };
        assert_eq!(container(&pod).as_deref(), Some("Kubernetes (`KUBERNETES_SERVICE_HOST` is set)"));
    }

    #[test]
    fn the_lock_down_and_the_allowance() {
        let staged = Staged {
            files: BTreeMap::from([("/proc/cmdline", "quiet systemd.imds.network=locked ro\n")]),
            statistics: BTreeMap::from([
                ("eth0", "NIC statistics:\n     linklocal_allowance_exceeded: 17\n     tx: 1\n"),
                ("lo", "linklocal_allowance_exceeded: 3"),
                ("wlan0", "tx: 1\n"),
            ]),
            ..Staged::default()
        };
        assert_eq!(systemd_network(&staged).as_deref(), Some("locked"));
        assert_eq!(refused_packets(&staged), [("eth0".to_owned(), 17)]);
    }
}
