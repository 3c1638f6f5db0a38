//! Names of the endpoint: a resolver that never answers, and addresses that drop every packet.

use std::time::Duration;

use imds_testkit::{CommandOutput, FaultServer};

use crate::{INSTANCE_ID, world};

/// A network in which `192.0.2.1` is this machine and everything else of `192.0.2.0/24` drops what
/// is sent to it, with a hosts file and a resolver of its own.
const NETWORK: &str = r#"
ip link set lo up
ip link add void type veth peer name far
ip link set void arp off
ip address add 192.0.2.1/24 dev void
ip link set far up
ip link set void up
: > hosts
for address in 2 3 4 5 6; do echo "192.0.2.$address drop.test some.test"; done >> hosts
echo '192.0.2.1 some.test' >> hosts
printf 'nameserver 192.0.2.53\noptions timeout:60 attempts:2\n' > resolver
mount --bind hosts /etc/hosts
mount --bind resolver /etc/resolv.conf
"#;

/// Longer than any deadline of these tests, and shorter than what the network would make of them:
/// the resolver gives up after two minutes, and so does a connect.
const BEFORE_THE_NETWORK_GIVES_UP: Duration = Duration::from_secs(55);

fn in_network(script: &str, arguments: &[&str]) -> CommandOutput {
    let script = format!("{NETWORK}{script}");
    let network = ["unshare", "--mount", "--", "bash", "-emc", &script, "bash"];
    let output = world().imds(arguments).in_own_network(network).run();
    assert!(output.elapsed() < BEFORE_THE_NETWORK_GIVES_UP, "the deadline did not end it:\n{output}");
    output
}

#[test]
fn a_resolver_that_never_answers_is_ended_by_the_deadline() {
    for arguments in [
        &["get", "instance-id"][..],
        &["get", "instance-id", "placement/region", "local-ipv4"],
        &["dump"],
        &["wait", "instance-id", "--interval", "10ms"],
        &["token"],
    ] {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--endpoint", "http://slow.test", "--timeout", "1"]);
        let output = in_network("exec \"$@\"", &arguments);
        let code = if arguments[0] == "wait" { 7 } else { 4 };
        let _ = output.fails_with(code).says("http://slow.test");
    }
}

#[test]
fn several_addresses_that_drop_packets_are_ended_by_the_deadline() {
    let arguments = ["get", "instance-id", "--endpoint", "http://drop.test", "--timeout", "2"];
    let _ = in_network("exec \"$@\"", &arguments).fails_with(4).says("no connection to `http://drop.test`");
}

#[test]
fn one_address_that_serves_among_those_that_drop_packets_is_found() {
    let serve = r#"
mkfifo ready
"$1" serve --listen 192.0.2.1:80 > ready &
head -n 1 ready > /dev/null
set +e
"$@"
code=$?
kill %1
exit $code
"#;
    let arguments = ["get", "instance-id", "--endpoint", "http://some.test", "--timeout", "30"];
    let output = in_network(serve, &arguments).exits_with(0);
    assert!(output.stdout().starts_with("i-"), "{output}");
}

#[test]
fn a_boot_id_that_cannot_be_read_leaves_the_store_unused_and_is_told() {
    let (world, server) = (world(), FaultServer::start());
    let without = "mount --bind /dev/null /proc/sys/kernel/random/boot_id && exec \"$@\"";
    let get = |verbose: &[&str]| {
        let command = world.imds(["get", "instance-id"]).endpoint(&server.endpoint());
        let command = verbose.iter().fold(command, imds_testkit::Invocation::arg);
        command.under(["unshare", "--map-root-user", "--mount", "--", "sh", "-ec", without, "sh"]).run()
    };
    let _ = get(&["-v"])
        .prints(INSTANCE_ID)
        .says("going on without the token store: the boot id of this machine cannot be read");
    let output = get(&[]).prints(INSTANCE_ID);
    assert_eq!(output.stderr(), "", "{output}");
    assert_eq!(server.counts().token_puts, 2, "nothing was stored");
}
