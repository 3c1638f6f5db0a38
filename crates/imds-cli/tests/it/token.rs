//! `imds token`: for use with `curl`.

use imds_testkit::{FaultServer, TestEnvironment};

use crate::{INSTANCE_ID, world};

/// What the command prints, which may be a token.
fn printed(world: &TestEnvironment, server: &FaultServer, arguments: &[&str]) -> String {
    let command = world.imds(arguments).endpoint(&server.endpoint()).prints_secrets();
    command.run().exits_with(0).stdout().to_owned()
}

#[test]
fn one_token_for_all_and_cleared() {
    let (world, server) = (world(), FaultServer::start());
    let run = |arguments: &[&str]| printed(&world, &server, arguments);
    let token = run(&["token"]);
    assert_eq!(token.trim_end().len(), 56);
    assert_eq!(run(&["token"]), token);
    assert_eq!(run(&["token", "--header"]), format!("X-Aws-Ec2-Metadata-Token: {token}"));
    assert_eq!(server.counts().token_puts, 1);
    assert_eq!(run(&["token", "clear"]), "");
    assert_eq!(server.counts().token_puts, 1);
    assert_ne!(run(&["token"]), token);
    assert_eq!((server.counts().token_puts, server.counts().gets), (2, 0));
}

#[test]
fn a_ttl_of_ones_own_is_asked_for_and_not_stored() {
    let (world, server) = (world(), FaultServer::start());
    let run = |arguments: &[&str]| printed(&world, &server, arguments);
    let stored = run(&["token"]);
    for (arguments, ttl) in [
        (&["token", "--ttl", "60"][..], "60"),
        (&["token", "--ttl", "5m"], "300"),
        (&["token", "--no-store"], "21600"),
    ] {
        assert_ne!(run(arguments), stored);
        let put = server.requests().into_iter().rfind(imds_testkit::RequestSeen::is_token_put).unwrap();
        assert_eq!(put.header("X-aws-ec2-metadata-token-ttl-seconds"), Some(ttl));
    }
    assert_eq!(run(&["token"]), stored);
    let _ = world
        .imds(["token", "--ttl", "7w"])
        .endpoint(&server.endpoint())
        .run()
        .fails_with(2)
        .says("`7w` has an unknown unit");
    let _ = world
        .imds(["token", "--ttl", "25000"])
        .endpoint(&server.endpoint())
        .run()
        .fails_with(2)
        .says("a token TTL is from 1 s to 6 h");
}

#[test]
fn curl_takes_the_header() {
    let (world, server) = (world(), FaultServer::start());
    let script = "curl -sf -H \"$(\"$0\" token --header)\" \"$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/instance-id\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(world.binary())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", world.home())
        .env("IMDS_CACHE_DIR", world.cache())
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.endpoint())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), INSTANCE_ID);
}
