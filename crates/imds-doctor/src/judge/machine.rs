//! Checks of the machine: what it is, what contains this process, what keeps it from the service.

use crate::facts::Facts;
use crate::probe::Fault;
use crate::report::Check;

/// Whether nothing was reached at the well-known address on a machine that says that it is no
/// instance.
pub(super) fn is_elsewhere(facts: &Facts) -> bool {
    facts.machine.is_ec2 == Some(false) && facts.endpoint.as_ref().is_ok_and(|endpoint| endpoint.well_known)
}

pub(super) fn ec2(facts: &Facts) -> Check {
    const ID: &str = "ec2";
    let check = match facts.machine.is_ec2 {
        Some(true) => Check::ok(ID, "the firmware says that this is an EC2 instance"),
        Some(false) => Check::note(ID, "the firmware says nothing of EC2"),
        None => Check::note(ID, "the firmware's tables cannot be read, so whether this is EC2 is not known"),
    };
    check.seen_all(facts.machine.evidence.iter().cloned())
}

pub(super) fn container(facts: &Facts) -> Check {
    const ID: &str = "container";
    match &facts.container {
        None => Check::ok(ID, "this process is in no container that shows itself"),
        Some(evidence) => Check::note(ID, format!("this process is in a container: {evidence}")).seen(
            "the instance's hop limit must be 2 or more for it, one more for each further network in between",
        ),
    }
}

pub(super) fn systemd(facts: &Facts) -> Check {
    const ID: &str = "systemd";
    match facts.systemd_network.as_deref() {
        None => Check::ok(ID, "the kernel command line has no `systemd.imds.network=`"),
        Some(mode) => Check::note(ID, format!("the kernel command line says `systemd.imds.network={mode}`")),
    }
}

pub(super) fn allowance(facts: &Facts) -> Check {
    const ID: &str = "allowance";
    const CAUSE: &str = "packet-allowance";
    let refused: Vec<_> = facts.refused_packets.iter().filter(|(_, count)| *count > 0).collect();
    if facts.refused_packets.is_empty() {
        return Check::note(ID, "no interface tells how many link-local packets it refused");
    }
    if refused.is_empty() {
        return Check::ok(ID, "no link-local packet was refused since boot");
    }
    Check::warning(ID, CAUSE, "link-local packets were refused: requests time out at such moments")
        .seen_all(refused.iter().map(|(name, count)| format!("{name}: linklocal_allowance_exceeded {count}")))
        .seen("an interface may send 1,024 packets per second to IMDS, DNS and NTP together")
        .fix("find the program that asks too often: `imds watch` and a shared token store keep ours low")
}

/// The failure where a `prohibit` route or a filter of its cgroup keeps the process from the
/// address.
pub(super) fn prohibited(facts: &Facts, fault: Fault) -> Option<Check> {
    if fault != Fault::Prohibited {
        return None;
    }
    let check = Check::failure(
        "route",
        "prohibited",
        "this machine does not let this process connect to the address",
    );
    let check = match facts.systemd_network.as_deref() {
        Some(mode) => check.seen(format!("the kernel command line says `systemd.imds.network={mode}`")),
        None => check.seen("systemd 261 and later sets a `prohibit` route by default"),
    };
    let check = check
        .seen("a cgroup filter, such as `IPAddressDeny=` of a unit, denies a connection in the same way");
    Some(
        check
            .fix("boot with `systemd.imds.network=unlocked` on the kernel command line")
            .fix("or ask systemd instead: `systemd-imds`")
            .fix("in a unit, `systemctl show UNIT -p IPAddressDeny -p IPAddressAllow` shows its filter"),
    )
}
