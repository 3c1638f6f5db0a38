//! Worlds of their own: the real addresses inside a network that has no way out, and an environment
//! that lies.

use crate::{INSTANCE_ID, world};

/// Puts both real addresses on the namespace's own `lo`, serves them with the emulator, and becomes
/// the command once it listens.
const SERVE_REAL_ADDRESSES: &str = r#"
ip link set lo up
ip address add 169.254.169.254/32 dev lo
ip address add fd00:ec2::254/128 dev lo nodad
until ip -6 route get fd00:ec2::254 > /dev/null 2>&1; do :; done # the kernel routes it a little later
mkfifo v4 v6
"$1" serve --listen 169.254.169.254:80 > v4 &
"$1" serve --listen '[fd00:ec2::254]:80' > v6 &
head -n 1 v4 > /dev/null
head -n 1 v6 > /dev/null
set +e
"$@"
code=$?
kill %1 %2
exit $code
"#;

#[test]
fn the_real_addresses_are_the_ones_that_are_asked() {
    for (flags, shown) in [
        (&[][..], "connected to `http://169.254.169.254`"),
        (&["--endpoint-mode", "IPv4"], "connected to `http://169.254.169.254`"),
        (&["--endpoint-mode", "IPv6"], "connected to `http://[fd00:ec2::254]`"),
        (&["--endpoint-mode", "auto"], "connected to `http://[fd00:ec2::254]`"),
    ] {
        let world = world();
        let command = world.imds(["get", "instance-id", "-v"]);
        let command = flags.iter().fold(command, imds_testkit::Invocation::arg);
        let output =
            command.in_own_network(["bash", "-emc", SERVE_REAL_ADDRESSES, "bash"]).run().exits_with(0);
        assert!(output.stdout().starts_with("i-"), "{output}");
        let _ = output.says(shown);
    }
}

#[test]
fn an_environment_that_lies_changes_nothing() {
    let (world, server) = (world(), imds_testkit::FaultServer::start());
    let lies = [
        ("AWS_REGION", "nowhere-1"),
        ("AWS_DEFAULT_REGION", "nowhere-2"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("AWS_ENDPOINT_URL", "http://192.0.2.1"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null/nowhere"),
        ("AWS_CONFIG_FILE", "/dev/null/nowhere"),
        ("AWS_EC2_METADATA_V1_DISABLED", "maybe"),
        ("NO_PROXY", "*"),
        ("http_proxy", "http://192.0.2.1:1"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("LANG", "xx_XX.UTF-8"),
        ("HOME", "/dev/null/nowhere"),
        ("XDG_CACHE_HOME", "relative/path"),
        ("COLUMNS", "0"),
        ("PATH", ""),
    ];
    let command = world.get("instance-id", &server.endpoint());
    let command = lies.iter().fold(command, |command, (name, value)| command.env(name, value));
    let output = command.run();
    assert_eq!(output.to_string(), format!("stdout:\n| {INSTANCE_ID} (no newline)\nstderr: empty\nexit: 0"));
}
