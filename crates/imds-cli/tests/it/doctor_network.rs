//! `imds doctor` in networks that the test made itself and that have no way out: routes, families,
//! hop limits.

use imds_testkit::CommandOutput;

use crate::doctor::{Finding, check, findings, report};
use crate::world;

/// Hides what this machine's firmware says, so that the same is found on every machine, then
/// becomes the script.
const PRELUDE: &str = "\
ip link set lo up
if [ -d /sys/class/dmi/id ]; then mount -t tmpfs none /sys/class/dmi/id; fi
";

/// Runs `imds doctor` at the well-known endpoint in a namespace of its own, after the script.
fn diagnose(script: &str) -> CommandOutput {
    let script = format!("{PRELUDE}{script}");
    let world = world();
    let command = world.imds(["doctor", "--output", "json"]);
    command.in_own_network(["unshare", "--mount", "--", "bash", "-emc", &script, "bash"]).run()
}

fn one(id: &str, cause: &str) -> Vec<Finding> {
    vec![(id.to_owned(), cause.to_owned())]
}

#[test]
fn no_route() {
    let output = diagnose("exec \"$@\"").exits_with(4);
    assert_eq!(findings(&output), one("route", "no-route"));
}

#[test]
fn a_route_that_prohibits() {
    let output = diagnose("ip route add prohibit 169.254.169.254\nexec \"$@\"").exits_with(4);
    assert_eq!(findings(&output), one("route", "prohibited"));
    assert!(output.stdout().contains("systemd.imds.network=unlocked"), "{output}");
}

#[test]
fn nothing_listens() {
    let output = diagnose("ip address add 169.254.169.254/32 dev lo\nexec \"$@\"").exits_with(4);
    assert_eq!(findings(&output), one("connect", "not-listening"));
}

#[test]
fn ipv6_only() {
    let output = diagnose(
        r#"
ip address add fd00:ec2::254/128 dev lo nodad
until ip -6 route get fd00:ec2::254 > /dev/null 2>&1; do :; done # the kernel routes it a little later
mkfifo ready
"$1" serve --listen '[fd00:ec2::254]:80' > ready &
head -n 1 ready > /dev/null
set +e
"$@"
code=$?
kill %1
exit $code
"#,
    )
    .exits_with(4);
    assert_eq!(findings(&output), one("route", "ipv6-only"));
    assert!(output.stdout().contains("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6"), "{output}");
}

/// The command, a router, and the service, each in a network namespace of its own. The emulator's
/// hop limit is 1 unless told otherwise, as an instance's is, so the answer to a token PUT ends at
/// the router.
const BEHIND_A_ROUTER: &str = r#"
mkfifo hold-router hold-server
unshare --net -- cat hold-router &
router=$!
exec 8> hold-router
unshare --net -- cat hold-server &
server=$!
exec 9> hold-server
# A namespace is there once its holder is the program that was asked for.
until [ "$(cat /proc/$router/comm)" = cat ] && [ "$(cat /proc/$server/comm)" = cat ]; do :; done
in_router() { nsenter --net=/proc/$router/ns/net -- "$@"; }
in_server() { nsenter --net=/proc/$server/ns/net -- "$@"; }
ip link add c0 type veth peer name r0 netns $router
in_router ip link add r1 type veth peer name s0 netns $server
ip address add 10.0.0.2/24 dev c0
ip link set c0 up
in_router ip address add 10.0.0.1/24 dev r0
in_router ip address add 10.0.1.1/24 dev r1
in_router ip link set lo up
in_router ip link set r0 up
in_router ip link set r1 up
in_server ip address add 10.0.1.2/24 dev s0
in_server ip link set lo up
in_server ip address add 169.254.169.254/32 dev lo
in_server ip link set s0 up
in_server ip route add default via 10.0.1.1
in_router ip route add 169.254.169.254/32 via 10.0.1.2
ip route add default via 10.0.0.1
in_router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
mkfifo listening
# Not by `in_server`: a function would be a process of its own, and the emulator outlive it.
nsenter --net=/proc/$server/ns/net -- "$1" serve --listen 169.254.169.254:80 > listening &
emulator=$!
head -n 1 listening > /dev/null
set +e
"$@"
code=$?
kill $emulator
exec 8>&- 9>&-
exit $code
"#;

#[test]
fn a_hop_limit_of_1_from_behind_a_router() {
    let output = diagnose(BEHIND_A_ROUTER).exits_with(4);
    assert_eq!(findings(&output), one("token", "hop-limit"));
    let report = report(&output);
    assert_eq!(check(&report, "connect")["outcome"], "ok", "{output}");
    let token = check(&report, "token").to_string();
    assert!(token.contains("--http-put-response-hop-limit 2"), "{token}");
}
