//! What tracing needs of the kernel and of this process's rights, checked before the kernel is
//! asked: its own answer is a bare "Operation not permitted".

use std::fs;

use crate::failure::{Exit, Failure};

/// The first kernel with everything that the kernel part uses, the ring buffer last.
const KERNEL: (u32, u32) = (5, 8);
/// Numbers of the capabilities (`linux/capability.h`).
const SYS_ADMIN: u32 = 21;
const NEEDED: [(u32, &str); 3] = [(39, "CAP_BPF"), (12, "CAP_NET_ADMIN"), (38, "CAP_PERFMON")];

/// Returns an error that names what is missing.
pub(crate) fn check() -> Result<(), Failure> {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    if version(&release).is_some_and(|version| version < KERNEL) {
        return Err(Failure::new(Exit::Unsupported, format!("cannot trace: this kernel is Linux {release}"))
            .hint("it takes Linux 5.8 or later, whose eBPF programs have a ring buffer"));
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let missing = effective(&status).map(missing).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, format!("cannot trace: this process lacks {}", list(&missing)))
        .hint("run it as root, or give a service AmbientCapabilities=CAP_BPF CAP_NET_ADMIN CAP_PERFMON"))
}

/// The pid namespace of the host, whose number never changes (`PROC_PID_INIT_INO` of
/// `linux/proc_ns.h`).
const HOST_PIDS: &str = "pid:[4026531836]";

/// Whether process ids mean something here: the kernel reports those of the host.
pub(crate) fn sees_host_processes() -> bool {
    // Where it cannot be told, as without a /proc, callers have no command line, which is counted.
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link.as_os_str() == HOST_PIDS)
}

/// What else may be behind a refusal where the capabilities are there.
pub(crate) fn hint_for_refusal() -> String {
    let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    match locked_down(&lockdown) {
        Some(mode) => format!("the kernel's lockdown mode is `{mode}`, which may forbid eBPF programs"),
        None => "a user namespace, a seccomp profile (Docker's default one, for example) or a security \
                 module may forbid eBPF programs: run it on the host"
            .to_owned(),
    }
}

/// Major and minor number of a release such as `6.1.0-9-cloud-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// The effective capabilities in the text of `/proc/self/status`.
fn effective(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// The needed capabilities that are not in the set. CAP_SYS_ADMIN stands for two of them, as it did
/// before Linux 5.8.
fn missing(effective: u64) -> Vec<&'static str> {
    let has = |number: u32| effective >> number & 1 == 1;
    NEEDED
        .iter()
        .filter(|(number, name)| {
            let stood_for = *name != "CAP_NET_ADMIN" && has(SYS_ADMIN);
            !has(*number) && !stood_for
        })
        .map(|(_, name)| *name)
        .collect()
}

/// `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The lockdown mode in force: `none [integrity] confidentiality`.
fn locked_down(text: &str) -> Option<&str> {
    let mode = text.split_once('[')?.1.split_once(']')?.0;
    (mode != "none").then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels() {
        for (release, expected) in [
            ("6.1.0-9-cloud-amd64", Some((6, 1))),
            ("5.10.209-198.812.amzn2.x86_64", Some((5, 10))),
            ("5.4", Some((5, 4))),
            ("x", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
        assert!((5, 4) < KERNEL && (5, 10) > KERNEL && (6, 1) > KERNEL);
    }

    #[test]
    fn capabilities() {
        assert_eq!(effective("Name:\tx\nCapEff:\t000001ffffffffff\n"), Some(0x1ff_ffff_ffff));
        assert_eq!(effective("Name:\tx\n"), None);
        assert_eq!(list(&missing(0)), "CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON");
        assert_eq!(list(&missing(1 << SYS_ADMIN)), "CAP_NET_ADMIN");
        assert_eq!(list(&missing(1 << 39 | 1 << 12)), "CAP_PERFMON");
        assert_eq!(missing(1 << 38 | 1 << 39 | 1 << 12), Vec::<&str>::new());
    }

    #[test]
    fn lockdown() {
        assert_eq!(locked_down("[none] integrity confidentiality\n"), None);
        assert_eq!(locked_down("none integrity [confidentiality]\n"), Some("confidentiality"));
        assert_eq!(locked_down(""), None);
    }
}
