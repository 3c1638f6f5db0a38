//! How a command is caught by `imds emulate`, whatever it knows of the service, and how it ends
//! with it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use imds_testkit::{CommandOutput, Signal};
use rustix::process::{Pid, kill_process};

use crate::world;

/// What `imds emulate -- sh -c SCRIPT` does, in a network of its own: what is run there is not
/// ours.
fn emulate(options: &[&str], script: &str) -> CommandOutput {
    let command = ["--", "sh", "-c", script];
    let words = ["emulate"].iter().chain(options).chain(&command);
    world().imds(words).in_own_network(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]).run()
}

#[test]
fn endpoint_and_path_may_be_joined_with_a_slash_or_without() {
    // AWS CLI v2 joins without one (aws/aws-cli#9281); scripts, and SDKs of JavaScript v2 and Go
    // v1, with one.
    let script = "set -e
        header='X-aws-ec2-metadata-token-ttl-seconds: 60'
        for url in \"${AWS_EC2_METADATA_SERVICE_ENDPOINT}latest\" \"$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest\"; do
            token=$(curl -sf -X PUT -H \"$header\" \"$url/api/token\")
            curl -sf -H \"X-aws-ec2-metadata-token: $token\" \"$url/meta-data/instance-id\"
        done";
    let assertion = "tokens-issued == 2 and path:/latest/meta-data/instance-id == 2 and status:200 == 4";
    let _ = emulate(&["--assert", assertion], script).prints("i-1234567890abcdef0i-1234567890abcdef0");
}

#[test]
fn proxies_are_kept_out_of_the_way() {
    // A proxy that is not there: a request that went its way would fail.
    let script = "export http_proxy=http://127.0.0.1:9
        curl -s -o /dev/null -w '%{http_code}' \"$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/mac\"
        echo \" $no_proxy $NO_PROXY\"";
    let direct = "127.0.0.1,localhost,::1,169.254.169.254,fd00:ec2::254";
    let _ = emulate(&[], script).prints(format!("401 {direct} {direct}\n"));
    let world = world();
    let command = world.imds(["emulate", "--", "sh", "-c", "echo $no_proxy; echo $NO_PROXY"]);
    let output = command.env("no_proxy", "example.com").disabled().run();
    let _ = output.prints(format!("example.com,{direct}\nexample.com,{direct}\n"));
}

#[test]
fn the_commands_path_has_imds_and_nothing_else_of_ours() {
    let _ = emulate(&[], "ls \"$(dirname \"$(command -v imds)\")\"").prints("imds\n");
    let script = "echo \"${PATH#*:}\"";
    let without = format!("unset PATH; exec \"$0\" emulate -- /bin/sh -c '{script}'");
    let world = world();
    let binary = world.binary().display().to_string();
    let output = world.imds(["emulate", "--", "/bin/sh", "-c", &without, &binary]).disabled().run();
    let _ = output.prints("/usr/local/bin:/usr/bin:/bin\n");
}

#[test]
fn link_local_has_the_addresses_of_the_service() {
    let script = "imds get instance-id && imds get --endpoint-mode IPv6 instance-id
        curl -s -o /dev/null -w ' %{http_code}' http://169.254.169.254/latest/meta-data/mac
        curl -s -o /dev/null -w ' %{http_code}' 'http://[fd00:ec2::254]/latest/meta-data/mac'
        imds emulator ctl assert 'v1 == 2 and v2 == 2'
        echo \" ${AWS_EC2_METADATA_SERVICE_ENDPOINT-unset}\"";
    let output = emulate(&["--link-local"], script).exits_with(0);
    assert_eq!(output.stdout(), "i-1234567890abcdef0i-1234567890abcdef0 401 401 unset\n", "{output}");
    let _ = output.says("the command has no network but the metadata service");
    let alone = world().imds(["emulate", "--network", "--", "true"]).disabled().run().fails_with(2);
    assert!(alone.stderr().contains("--link-local"), "{alone}");
}

/// `imds emulate` of a command that says when it runs, and then waits for ever.
fn waiting() -> (Child, BufReader<ChildStdout>) {
    let mut emulate = Command::new(world().binary())
        .args(["emulate", "--", "sh", "-c", "echo ready; exec sleep 1000"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(emulate.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (emulate, output)
}

#[test]
fn a_signal_ends_the_command_with_the_emulator() {
    for (signal, code) in [(Signal::TERM, 128 + 15), (Signal::HUP, 128 + 1), (Signal::INT, 128 + 2)] {
        let (mut emulate, mut output) = waiting();
        kill_process(Pid::from_child(&emulate), signal).unwrap();
        assert_eq!(emulate.wait().unwrap().code(), Some(code));
        // The end of the pipe: the command has ended too.
        assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
    }
}

#[test]
fn a_killed_emulator_leaves_no_command_behind() {
    let (mut emulate, mut output) = waiting();
    emulate.kill().unwrap();
    emulate.wait().unwrap();
    assert_eq!(output.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn serve_ends_at_a_signal_as_pid_1() {
    let mut unshare = Command::new("unshare")
        .args(["--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(world().binary())
        .args(["serve", "--port", "0"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(unshare.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    let children = format!("/proc/{0}/task/{0}/children", unshare.id());
    let inner: i32 = std::fs::read_to_string(children).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(inner).unwrap(), Signal::TERM).unwrap();
    assert_eq!(unshare.wait().unwrap().code(), Some(0));
}

#[test]
fn real_credentials_come_from_a_command_and_go_nowhere_else() {
    let credentials = r#"printf '{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"test","SessionToken":"test","Expiration":"2099-01-01T00:00:00Z","AccountId":"210987654321"}'"#;
    let read = "imds get iam/security-credentials-extended/my-role";
    let output = emulate(&["--credentials", credentials], read).exits_with(0);
    let json: serde_json::Value = serde_json::from_str(output.stdout()).unwrap();
    assert_eq!(
        (&json["AccessKeyId"], &json["AccountId"], &json["Expiration"]),
        (&"AKIAIOSFODNN7EXAMPLE".into(), &"210987654321".into(), &"2099-01-01T00:00:00Z".into())
    );
    let tree = "curl -s http://$IMDS_EMULATOR_CONTROL/v1/tree; imds dump";
    let shown = emulate(&["--credentials", credentials], tree).exits_with(0);
    assert!(!shown.stdout().contains("AKIAIOSFODNN7EXAMPLE"), "{shown}");
    // A command that fails is what a role is that cannot be assumed.
    let plain = "imds get iam/security-credentials/my-role";
    let failed = emulate(&["--credentials", "echo test >&2; exit 3"], plain).exits_with(0);
    assert!(failed.stdout().contains(r#""Code" : "AssumeRoleUnauthorizedAccess""#), "{failed}");
    let _ = failed.says("`--credentials` gives no credentials: it ended with exit code 3");
    let serve =
        world().imds(["serve", "--listen", "0.0.0.0:0", "--credentials", credentials]).disabled().run();
    let _ = serve.fails_with(2).says("served on loopback and link-local addresses only");
}

#[test]
fn real_credentials_are_in_no_log_record_page_tree_or_snapshot() {
    let (key, secret, token) =
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "test-session");
    let credentials = format!(
        "echo '{{\"Version\":1,\"AccessKeyId\":\"{key}\",\"SecretAccessKey\":\"{secret}\",\"SessionToken\":\"{token}\"}}'"
    );
    let script = "control=http://$IMDS_EMULATOR_CONTROL
        imds -v get iam/security-credentials/my-role >/dev/null
        for path in / /openapi.json /v1/state /v1/tree /v1/requests /v1/certificates; do curl -s $control$path; done
        curl -s --json '{\"event\":\"rotate-credentials\"}' $control/v1/events
        curl -s --json '{\"assertion\":\"v1 == 0\"}' $control/v1/assert
        imds emulator ctl requests; imds emulator ctl state; imds dump --snapshot; imds tree
        cat /proc/$PPID/cmdline | tr '\\0' ' ' | grep -c AKIA";
    let shown = emulate(&["--credentials", &credentials], script);
    let all = format!("{}{}", shown.stdout(), shown.stderr());
    assert!(all.contains("/iam/security-credentials/my-role"), "{shown}");
    for part in [key, secret, token] {
        assert!(!all.contains(part), "`{part}` in {shown}");
    }
}

#[test]
fn a_namespace_of_a_user_may_have_real_credentials() {
    // A user without capabilities needs a user namespace for it, which no process with threads
    // may enter.
    let credentials = r#"echo '{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"test","SessionToken":"test"}'"#;
    let plain = ["unshare", "--map-user=1000", "--map-group=1000", "--"];
    let words = ["emulate", "--link-local", "--credentials", credentials, "--"];
    let read = ["imds", "get", "iam/security-credentials/my-role", "--query", "AccessKeyId"];
    let output = world().imds(words.iter().chain(&read)).in_own_network(plain).run().exits_with(0);
    assert_eq!(output.stdout(), "AKIAIOSFODNN7EXAMPLE\n");
}

#[test]
fn the_region_comes_with_the_credentials() {
    let world = world();
    let config = world.root().join("config");
    std::fs::write(&config, "[profile dev]\nregion = eu-west-1\n[profile none]\noutput = json\n").unwrap();
    let file = config.display().to_string();
    let print = |members: &str| {
        format!(
            "echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"SecretAccessKey\":\"test\"{members}}}'"
        )
    };
    let zone = |command: &str, options: &[&str], variables: &[(&str, &str)]| {
        let start = ["emulate", "--credentials", command];
        let words = start.iter().chain(options).chain(&["--", "imds", "get", "placement/availability-zone"]);
        let run = world.imds(words).env("AWS_CONFIG_FILE", &file);
        variables.iter().fold(run, |run, (name, value)| run.env(name, value)).disabled().run()
    };
    let _ = zone(&print(",\"Region\":\"ap-south-1\""), &[], &[]).prints("ap-south-1a");
    let _ = zone(&format!("{} # --profile dev", print("")), &[], &[]).prints("eu-west-1a");
    let _ = zone(&print(""), &[], &[("AWS_PROFILE", "dev")]).prints("eu-west-1a");
    let _ =
        zone(&print(""), &[], &[("AWS_PROFILE", "none"), ("AWS_REGION", "us-west-2")]).prints("us-west-2a");
    let _ = zone(&print(""), &[], &[]).prints("us-east-1a");
    // What the user says otherwise stands above it.
    let set = ["--set", "placement/availability-zone=sa-east-1c"];
    let _ = zone(&print(",\"Region\":\"ap-south-1\""), &set, &[]).prints("sa-east-1c");
    let wrong = zone(&print(",\"Region\":\"moon\""), &[], &[]);
    let _ = wrong.fails_with(2).says("`moon` is no Region; one such as `eu-west-1`");
}

#[test]
fn expired_credentials_are_served_as_the_service_would() {
    let credentials = r#"echo '{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"test","SessionToken":"test","Expiration":"2020-01-01T00:00:00Z"}'"#;
    let read =
        "imds get iam/security-credentials/my-role --query Expiration; imds credentials 2>&1 | head -n 1";
    let output = emulate(&["--credentials", credentials], read);
    let refused = "error: the credentials of role `my-role` expired at 2020-01-01T00:00:00Z";
    let _ = output.prints(format!("2020-01-01T00:00:00Z\n{refused}\n"));
}

#[test]
fn the_control_api_is_found_by_name() {
    // A name of its own in a namespace, as a service of Compose has one.
    let script = "set -e
        port=${IMDS_EMULATOR_CONTROL##*:}
        imds emulator ctl --control localhost:$port event rebalance
        IMDS_EMULATOR_CONTROL=localhost:$port imds emulator ctl state >/dev/null
        imds emulator ctl --control nowhere.invalid:$port state";
    let output = emulate(&[], script);
    let _ = output.fails_with(4).says("cannot reach the control API at `nowhere.invalid:");
    let output = emulate(&[], "imds emulator ctl --control 1339 state");
    let _ = output.fails_with(2).says("it is no host and port, such as `127.0.0.1:1339`");
    let script = "export IMDS_EMULATOR_CONTROL_TOKEN=0123456789abcdef
        printf '127.0.0.1 localhost imds\\n' >\"$IMDS_CACHE_DIR/hosts\"
        unshare --mount sh -ec 'mount --bind \"$IMDS_CACHE_DIR/hosts\" /etc/hosts
            imds emulator ctl --control imds:${IMDS_EMULATOR_CONTROL##*:} options' | grep -c tokens";
    let _ = emulate(&["--control-token", "0123456789abcdef"], script).prints("1\n");
}

#[test]
fn secrets_may_be_given_as_files() {
    let world = world();
    let file = world.root().join("user-data");
    std::fs::write(&file, "p4ssw0rd").unwrap();
    let set = format!("user-data=@{}", file.display());
    let output = world.imds(["emulate", "--set", &set, "--", "imds", "get", "user-data"]).disabled().run();
    let _ = output.prints("p4ssw0rd");
    let missing = world.imds(["emulate", "--set", "user-data=@/nowhere", "--", "true"]).disabled().run();
    let _ = missing.fails_with(2).says("cannot read `/nowhere` of `--set`");
}

#[test]
fn what_can_happen_is_listed() {
    let output = world().imds(["emulator", "ctl", "events"]).disabled().run().exits_with(0);
    for line in ["event interrupt action= notice=\n", "event clear-faults\n", "fault refuse for=\n"] {
        assert!(output.stdout().contains(line), "{output}");
    }
}

#[test]
fn the_health_check_needs_no_token_and_is_not_recorded() {
    let script = "unset IMDS_EMULATOR_CONTROL_TOKEN; imds emulator ctl health";
    let world = world();
    let command =
        world.imds(["emulate", "--fault", "refuse", "--assert", "requests == 0", "--", "sh", "-c", script]);
    let output = command.env("IMDS_EMULATOR_CONTROL_TOKEN", "correct-horse-battery").disabled().run();
    let _ = output.exits_with(0);
    let gone = world.imds(["emulator", "ctl", "--control", "127.0.0.1:1", "health"]).disabled().run();
    let _ = gone.fails_with(4);
}

#[test]
fn the_last_control_address_counts() {
    let arguments =
        ["serve", "--listen", "127.0.0.1:0", "--control", "0.0.0.0:1339", "--control", "127.0.0.1"];
    let refused = world().imds(arguments).disabled().run().exits_with(2);
    assert!(refused.to_string().contains("127.0.0.1"), "{refused}");
}

#[test]
fn a_control_token_is_asked_for() {
    let script = "imds emulator ctl state >/dev/null && unset IMDS_EMULATOR_CONTROL_TOKEN
        imds emulator ctl state";
    let world = world();
    let command = world.imds(["emulate", "--", "sh", "-c", script]);
    let output = command.env("IMDS_EMULATOR_CONTROL_TOKEN", "correct-horse-battery").disabled().run();
    let _ = output.fails_with(5).says("the control API refuses the control token");
}
