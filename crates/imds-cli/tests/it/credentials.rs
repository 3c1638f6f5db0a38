//! `imds credentials`: the contract of `credential_process`, the shell, and what is refused.

use imds_emulator::Emulator;
use imds_testkit::{FaultServer, secrets};
use serde_json::Value;

use crate::world;

const ROLE: &str = "iam/security-credentials-extended/my-role";

/// Credentials of one test, whose secrets nothing else may print.
fn credentials(expiration: &str) -> (String, [String; 2]) {
    let unique = secrets::unique();
    let pair = [format!("secret-key-of-test-{unique}/+"), format!("session-token-of-test-{unique}'\"$x")];
    for secret in &pair {
        secrets::register(secret);
    }
    let document = serde_json::json!({
        "Code": "Success", "LastUpdated": "2026-11-21T20:00:00Z", "Type": "AWS-HMAC",
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": pair[0], "Token": pair[1],
        "Expiration": expiration, "AccountId": "123456789012",
    });
    (document.to_string(), pair)
}

fn emulator(expiration: &str) -> (Emulator, [String; 2]) {
    let (document, secrets) = credentials(expiration);
    (crate::emulator().set(ROLE, document).start().unwrap(), secrets)
}

#[test]
fn process_is_the_contract_to_the_letter() {
    let (emulator, [secret, token]) = emulator("2099-01-01T00:00:00Z");
    let world = world();
    for arguments in
        [&["credentials"][..], &["credentials", "--output", "process"], &["credentials", "my-role"]]
    {
        let output =
            world.imds(arguments).endpoint(&emulator.endpoint()).prints_secrets().run().exits_with(0);
        let value: Value = serde_json::from_str(output.stdout()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "Version": 1, "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": secret,
                "SessionToken": token, "Expiration": "2099-01-01T00:00:00Z", "AccountId": "123456789012",
            })
        );
        assert_eq!(output.stderr(), "");
    }
}

#[test]
fn env_is_safe_in_a_shell() {
    let (emulator, [secret, token]) = emulator("2099-01-01T00:00:00Z");
    let world = world();
    let output = world
        .imds(["credentials", "--output", "env"])
        .endpoint(&emulator.endpoint())
        .prints_secrets()
        .run()
        .exits_with(0);
    // A shell must read back exactly what the service said.
    let script = format!(
        "{}printf '%s\\n' \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\" \"$AWS_SESSION_TOKEN\" \
         \"$AWS_CREDENTIAL_EXPIRATION\"",
        output.stdout()
    );
    let shell = std::process::Command::new("sh").args(["-euc", &script]).output().unwrap();
    assert_eq!(
        String::from_utf8(shell.stdout).unwrap(),
        format!("ASIAIOSFODNN7EXAMPLE\n{secret}\n{token}\n2099-01-01T00:00:00Z\n")
    );
}

#[test]
fn json_says_everything() {
    let (emulator, [secret, token]) = emulator("2099-01-01T00:00:00Z");
    let output = world()
        .imds(["credentials", "--format", "json"])
        .endpoint(&emulator.endpoint())
        .prints_secrets()
        .run()
        .exits_with(0);
    let value: Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(
        value,
        serde_json::json!({
            "Role": "my-role", "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": secret, "Token": token,
            "LastUpdated": "2026-11-21T20:00:00Z", "Expiration": "2099-01-01T00:00:00Z",
            "AccountId": "123456789012",
        })
    );
}

#[test]
fn expired_ones_are_refused_and_say_so() {
    let (emulator, _) = emulator("2020-01-01T00:00:00Z");
    let output = world().imds(["credentials"]).endpoint(&emulator.endpoint()).run();
    assert_eq!(
        output.to_string(),
        "stdout: empty\nstderr:\n\
         | error: the credentials of role `my-role` expired at 2020-01-01T00:00:00Z\n\
         | hint: the service gives new ones at least five minutes before: look at this machine's clock (`imds doctor`)\n\
         | hint: `--static-stability` passes them on for 10 to 15 minutes, as the AWS SDKs do\nexit: 1"
    );
}

#[test]
fn static_stability_is_asked_for_by_name() {
    let (emulator, [secret, _]) = emulator("2020-01-01T00:00:00Z");
    let output = world()
        .imds(["credentials", "--static-stability"])
        .endpoint(&emulator.endpoint())
        .prints_secrets()
        .run()
        .exits_with(0)
        .says(
            "note: the credentials of role `my-role` expired at 2020-01-01T00:00:00Z; passed on all the same",
        );
    let value: Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(value["SecretAccessKey"], secret.as_str());
    let expiration = imds_model::calendar::DateTime::parse_rfc3339(value["Expiration"].as_str().unwrap())
        .unwrap()
        .system_time();
    let left = expiration.duration_since(imds::Clock::wall(&imds::SystemClock)).unwrap().as_secs();
    assert!((500..=900).contains(&left), "{left}");
}

#[test]
fn never_on_a_terminal_without_force() {
    let (emulator, [secret, _]) = emulator("2099-01-01T00:00:00Z");
    let world = world();
    let refused = world.imds(["credentials"]).endpoint(&emulator.endpoint()).on_terminal().run();
    assert_eq!(
        refused.exits_with(2).stderr(),
        "error: credentials are not printed on a terminal\n\
         hint: use `--force`, or let another program read them: `imds credentials | ...`\n"
    );
    assert_eq!(emulator.counters().requests, 0, "nothing is asked for");
    let forced = world
        .imds(["credentials", "--force"])
        .endpoint(&emulator.endpoint())
        .on_terminal()
        .prints_secrets()
        .run()
        .exits_with(0);
    assert!(forced.stdout().contains(&secret), "{forced}");
}

#[test]
fn no_role_and_another_role() {
    let world = world();
    let none = crate::emulator().unset("iam").start().unwrap();
    let _ = world
        .imds(["credentials"])
        .endpoint(&none.endpoint())
        .run()
        .fails_with(3)
        .says("the instance has no role\n");
    let emulator = crate::emulator().start().unwrap();
    let _ = world
        .imds(["credentials", "nobody"])
        .endpoint(&emulator.endpoint())
        .run()
        .fails_with(3)
        .says("the instance has no role `nobody`\n");
}

#[test]
fn a_document_that_is_none() {
    let world = world();
    for (body, told) in [
        (
            r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#,
            &[
                "`AssumeRoleUnauthorizedAccess`",
                "caused by: EC2 cannot assume the role",
                "hint: the role's trust policy",
            ][..],
        ),
        ("<html>", &["it is a web page"]),
        ("{\"Code\":", &["is not JSON"]),
        ("", &["is not JSON"]),
        (r#"{"Code":"Success"}"#, &["error: the value of `/latest/meta-data/iam/"]),
    ] {
        let emulator = crate::emulator().set(ROLE, body).start().unwrap();
        let mut output = world.imds(["credentials"]).endpoint(&emulator.endpoint()).run().fails_with(1);
        for text in told {
            output = output.says(text);
        }
    }
}

#[test]
fn what_the_service_says_decides_the_exit_code() {
    let (world, server) = (world(), FaultServer::start());
    server.every_token(imds_testkit::Answer::status(403));
    let _ = world.imds(["credentials"]).endpoint(&server.endpoint()).run().fails_with(5);
}
