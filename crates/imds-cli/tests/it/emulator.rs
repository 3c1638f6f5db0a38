//! The emulator from the command line: `serve`, `emulate`, `emulator ctl`, `emulator import-aemm`.

use crate::world;

/// The hint of every command line that clap refuses.
const TRY_HELP: &str = "\n\nFor more information, try '--help'.\n";

#[test]
fn bad_input_is_one_clear_error_and_exit_2() {
    let world = world();
    let file = |name: &str, text: &str| {
        let path = world.root().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let instance = file("instance.toml", "preset = 'asg'\n\n[instance]\ninstance-typ = 'x'\n");
    let tag = file("tag.toml", "[instance.tags]\n'a/b' = 'x'\n");
    let scenario = file(
        "scenario.toml",
        "[[step]]\nevent = 'rebalance'\n\n[[step]]\nevent = 'interrupt'\naction = 'x'\n",
    );
    let base64 = file("base64.toml", "[instance]\nuser-data = { base64 = '*' }\n");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, message) in [
        (
            vec!["--hop-limit", "0"],
            "invalid value '0' for '--hop-limit <HOPS>': it is no number from 1 to 64",
        ),
        (
            vec!["--hop-limit", "65"],
            "invalid value '65' for '--hop-limit <HOPS>': it is no number from 1 to 64",
        ),
        (
            vec!["--preset", "x"],
            "invalid value 'x' for '--preset <PRESET>': it is none of `default`, `spot`, `asg`",
        ),
        (
            vec!["--fault", "503,rate=2"],
            "invalid value '503,rate=2' for '--fault <FAULT>': `rate` is `2`; a number from 0 to 1",
        ),
        (
            vec!["--clock", "fast"],
            "invalid value 'fast' for '--clock <CLOCK>': it is none of `real`, `stepped`",
        ),
        (vec!["--token-key", "1"], "`--token-key` is not 64 hexadecimal digits"),
        (
            vec!["--instance", &instance],
            "instance.toml` line 4: unknown field `instance-typ`, expected one of `instance-id`",
        ),
        (vec!["--instance", &tag], "tag.toml` line 2: tag key `a/b` holds `/`; letters, digits and"),
        (
            vec!["--instance", &base64],
            "base64.toml` line 2: `base64` does not hold base64: Invalid symbol 42",
        ),
        (vec!["--instance", "/nowhere"], "cannot read `/nowhere`"),
        (
            vec!["--scenario", &scenario],
            "scenario.toml` line 6: `action` is `x`; one of `terminate`, `stop`, `hibernate`",
        ),
        (vec!["--listen", &address], "cannot listen on `127.0.0.1:"),
        (
            vec!["--control", "0.0.0.0:0", "--listen", "127.0.0.1:0"],
            "cannot listen on `0.0.0.0:0`\ncaused by: the control API",
        ),
    ] {
        let output = world.imds(["serve"].into_iter().chain(arguments)).disabled().run().fails_with(2);
        let stderr = output.stderr();
        assert!(stderr.starts_with("error: ") && stderr.contains(message), "{stderr}");
        assert_eq!(stderr.matches("error: ").count(), 1, "{stderr}");
    }
}

/// What `imds serve OPTION FILE` says of a file with this text, behind the file's name.
fn said_of(option: &str, name: &str, text: &str) -> String {
    let world = world();
    let path = world.root().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    let output =
        world.imds(["serve", "--listen", "127.0.0.1:0", option, &path]).disabled().run().fails_with(2);
    let prefix = format!("error: `{path}` ");
    output.stderr().strip_prefix(&prefix).unwrap_or_else(|| panic!("{output}")).to_owned()
}

#[test]
fn what_no_instance_can_be_is_named_with_file_line_and_what_is_accepted() {
    let segment = "cannot be part of a path; 1 to 255 characters without `/` and control characters, and not `.` or `..`";
    let characters = "letters, digits and `+ - = . , _ : @` are accepted while tags are shown in metadata";
    let long = "x".repeat(256);
    let mac = "six pairs of lower-case hexadecimal digits with colons";
    let interface = |mac: &str| {
        format!(
            "[[instance.interfaces]]\nmac = '{mac}'\ninterface-id = 'eni-1'\nlocal-hostname = 'x'\n\
             subnet-id = 'subnet-1'\nvpc-id = 'vpc-1'\n"
        )
    };
    let good = interface("02:00:00:00:00:01");
    for (text, expected) in [
        ("[instance]\ninstance-id = 'x'".into(), "line 2: `instance-id` is `x`; `i-` and hexadecimal digits".into()),
        ("instance.ami-id = 'x'".into(), "line 1: `ami-id` is `x`; `ami-` and hexadecimal digits".into()),
        ("[instance]\n\naccount-id = '1234'".into(), "line 3: `account-id` is `1234`; twelve digits".into()),
        (
            "[instance.placement]\nregion = 'eu-west-1'".into(),
            "line 2: `availability-zone` is `us-east-1a`, which is not in `region` `eu-west-1`; the Region's name and what \
             follows it, such as `eu-west-1a`"
                .into(),
        ),
        (
            "[instance.placement]\nregion = 'eu-west-1'\navailability-zone = 'us-east-1a'".into(),
            "line 3: `availability-zone` is `us-east-1a`, which is not in `region` `eu-west-1`; the Region's name and what \
             follows it, such as `eu-west-1a`"
                .into(),
        ),
        (interface("02-00"), format!("line 2: `mac` is `02-00`; {mac}")),
        (good.clone() + &interface("02:00:00:00:00:0G"), format!("line 8: `mac` is `02:00:00:00:00:0G`; {mac}")),
        (good.clone() + &good, "line 8: `mac` is `02:00:00:00:00:01` once more; each interface has its own".into()),
        (
            "[instance]\ntags = { Name = 'x', 'a/b' = 'y' }".into(),
            format!("line 2: tag key `a/b` holds `/`; {characters}"),
        ),
        ("[instance.tags]\nName = 'x'\n'a b' = 'y'".into(), format!("line 3: tag key `a b` holds ` `; {characters}")),
        ("[instance.tags]\n'' = 'x'".into(), "line 2: tag key `` is not 1 to 255 characters long".into()),
        (
            "[instance.tags]\n'..' = 'x'".into(),
            "line 2: tag key `..` is one of `.`, `..`, `_index`, which metadata cannot show".into(),
        ),
        (
            format!("[instance.tags]\nName = 'x'\nLong = '{long}'"),
            "line 3: value of tag `Long` is longer than 255 characters".into(),
        ),
        ("[instance.block-devices]\n'a/b' = 'sda'".into(), format!("line 2: block device `a/b` {segment}")),
        ("[instance.managed-ssh-keys]\n'..' = 'ssh'".into(), format!("line 2: login name `..` {segment}")),
        ("[instance.role]\nname = 'a/b'".into(), format!("line 2: role name `a/b` {segment}")),
        (
            "[instance.role]\nname = 'a'\nlifetime-seconds = 0".into(),
            "line 3: `lifetime-seconds` is `0`; a number from 1 to 43200".into(),
        ),
        (
            format!("[instance]\nuser-data = '{}'", "x".repeat(16_385)),
            "line 2: `user-data` is 16385 bytes long; EC2 takes at most 16384".into(),
        ),
        ("[options]\n\nhop-limit = 0".into(), "line 3: `hop-limit` is `0`; a number from 1 to 64".into()),
        ("[options]\nhop-limit = 65".into(), "line 2: `hop-limit` is `65`; a number from 1 to 64".into()),
    ] {
        let (text, expected): (String, String) = (text, expected);
        assert_eq!(said_of("--instance", "instance.toml", &text), expected + "\n", "{text}");
    }
    for (text, expected) in [
        (
            "{\"instance\": {\n \"tags\": {\"Name\": \"x\",\n  \"a/b\": \"y\"}}}",
            format!("line 3: tag key `a/b` holds `/`; {characters}"),
        ),
        (
            "{\"instance\":\n{\"monitoring\": true,\n\n\"account-id\": \"12\"}}",
            "line 4: `account-id` is `12`; twelve digits".into(),
        ),
        (
            "{\"instance\": {\"interfaces\": [\n{\"mac\": \"x\", \"interface-id\": \"\",\n\"local-hostname\": \"\",\n\
             \"subnet-id\": \"\", \"vpc-id\": \"\"}]}}",
            format!("line 2: `mac` is `x`; {mac}"),
        ),
        (
            "{\n\"options\": {\n\"hop-limit\": 65}}",
            "line 3: `hop-limit` is `65`; a number from 1 to 64".into(),
        ),
        ("{\n\"format\": \"x\"}", "line 2: `format` is `x`; `imds-snapshot/1` is accepted".into()),
    ] {
        assert_eq!(said_of("--instance", "instance.json", text), expected + "\n", "{text}");
    }
}

#[test]
fn what_no_step_of_a_scenario_can_be_is_named_with_file_line_and_what_is_accepted() {
    for (step, expected) in [
        (
            "event = 'tag'\nvalue = 'x'\nkey = 'a/b'",
            "line 6: tag key `a/b` holds `/`; letters, digits and `+ - = . , _ : @` \
            are accepted while tags are shown in metadata",
        ),
        ("event = 'tag'\nkey = 'a'", "line 3: `tag` needs `value`"),
        ("event = 'options'\nhop-limit = 0", "line 5: `hop-limit` is `0`; a number from 1 to 64"),
        ("event = 'options'\nhop-limit = 65", "line 5: `hop-limit` is `65`; a number from 1 to 64"),
        ("event = 'options'\ntokens = 'on'", "line 5: `tokens` is `on`; one of `optional`, `required`"),
        ("event = 'options'\nipv6 = 'on'", "line 5: `ipv6` is `on`; one of `enabled`, `disabled`"),
        (
            "event = 'options'\npending = 'x'",
            "line 5: `x` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
        ),
        (
            "after = 'soon'\nevent = 'rebalance'",
            "line 4: `soon` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
        ),
        (
            "event = 'interrupt'\nnotice = 'x'",
            "line 5: `x` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
        ),
        (
            "event = 'interrupt'\naction = 'x'",
            "line 5: `action` is `x`; one of `terminate`, `stop`, `hibernate`",
        ),
        ("event = 'rebalance'\nkey = 'x'", "line 5: `rebalance` takes no `key`"),
        ("event = 'fault'\nrate = 2.0\nfault = '503'", "line 5: `rate` is `2`; a number from 0 to 1"),
        (
            "event = 'fault'\nfault = '404'\nfor = 'x'",
            "line 6: `x` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
        ),
        (
            "event = 'fault'\nfault = '418'",
            "line 5: `fault` is `418`; one of `refuse`, `stall`, `hop-limit`, `reset`, `401`, `403`, `404`, `429`, `500`, \
             `503`, `truncate`, `slow`, `packet-budget`",
        ),
        (
            "event = 'user-data'\nbase64 = '*'",
            "line 5: `base64` does not hold base64: Invalid symbol 42, offset 0.",
        ),
        (
            "event = 'target-lifecycle-state'\nstate = 'x'",
            "line 5: `state` is `x`; one of `Detached`, `InService`, `Standby`, `Terminated`, `Warmed:Hibernated`, \
             `Warmed:Running`, `Warmed:Stopped`, `Warmed:Terminated`, or `none`",
        ),
        (
            "event = 'x'",
            "line 4: `x` is not an event; one of `rebalance`, `interrupt`, `clear-spot`, `terminate`, `start`, \
             `target-lifecycle-state`, `auto-scaling`, `complete-lifecycle-action`, `schedule-maintenance`, \
             `complete-maintenance`, `cancel-maintenance`, `tag`, `untag`, `user-data`, `rotate-credentials`, `options`, `set`, `unset`, `fault`, `clear-faults`",
        ),
    ] {
        let text = format!("[[step]]\nevent = 'rebalance'\n[[step]]\n{step}\n");
        assert_eq!(said_of("--scenario", "scenario.toml", &text), format!("{expected}\n"), "{text}");
    }
}

#[test]
fn a_command_with_a_service_of_its_own() {
    let world = world();
    let emulate = |arguments: &[&str]| {
        let all = ["emulate"].iter().chain(arguments).copied().collect::<Vec<_>>();
        world.imds(all).disabled()
    };
    let _ = emulate(&["--", "imds", "get", "placement/region"]).run().prints("us-east-1");
    let _ = emulate(&["--set", "placement/region=eu-west-1", "--", "imds", "get", "placement/region"])
        .run()
        .prints("eu-west-1");
    let _ = emulate(&["--preset", "ipv6-only", "--", "imds", "get", "ipv6"])
        .run()
        .prints("2001:db8:1234:1a00:7c1d:51c0:2cfd:3c9d");
    let _ = emulate(&["--unset", "iam", "--", "imds", "get", "iam/info"]).run().fails_with(3);
    let _ = emulate(&["--assert", "v1 == 0 and tokens-issued == 1", "--", "imds", "get", "mac"])
        .run()
        .prints("02:29:96:8f:6a:2d");
    let _ = emulate(&["--assert", "tokens-issued == 0", "--", "imds", "get", "mac"])
        .run()
        .exits_with(1)
        .says("error: assertion `tokens-issued == 0` does not hold: it is 1\n");
    let _ = emulate(&["--endpoint", "disabled", "--", "imds", "get", "mac"]).run().fails_with(5);
    let reclaimed = "imds emulator ctl event interrupt action=hibernate && imds get spot/instance-action";
    let notice = emulate(&["--preset", "spot", "--", "sh", "-c", reclaimed]).run().exits_with(0);
    assert!(notice.stdout().starts_with(r#"{"action": "hibernate", "time": ""#), "{}", notice.stdout());
}

#[test]
fn the_control_apis_address_from_the_environment() {
    let world = world();
    let _ = world
        .imds(["emulator", "ctl", "state"])
        .env("IMDS_EMULATOR_CONTROL", "somewhere")
        .disabled()
        .run()
        .fails_with(2)
        .says(
            "error: `IMDS_EMULATOR_CONTROL` is `somewhere`: it is no host and port, such as `127.0.0.1:1339`, \
             `localhost:1339` or `imds:1339`\n",
        );
}

#[test]
fn a_running_emulator_is_controlled() {
    let world = world();
    let emulator = crate::emulator().control("127.0.0.1:0".parse().unwrap()).start().unwrap();
    let control = emulator.control_address().unwrap().to_string();
    let ctl = |arguments: &[&str]| {
        let all =
            ["emulator", "ctl", "--control", &control].iter().chain(arguments).copied().collect::<Vec<_>>();
        world.imds(all).disabled()
    };
    let get = |path: &str| world.get(path, &emulator.endpoint());
    let _ = ctl(&["set", "placement/region", "eu-north-1"]).run().prints("");
    let _ = get("placement/region").run().prints("eu-north-1");
    let _ = ctl(&["unset", "placement/region"]).run().prints("");
    let _ = get("placement/region").run().fails_with(3);
    let _ = ctl(&["event", "target-lifecycle-state", "state=Terminated"]).run().prints("");
    let _ = get("autoscaling/target-lifecycle-state").run().prints("Terminated");
    let _ = ctl(&["event", "interrupt", "action=stop"]).run().prints("");
    let notice = get("spot/instance-action").run();
    assert!(notice.stdout().starts_with(r#"{"action": "stop", "time": ""#), "{}", notice.stdout());
    let _ = ctl(&["fault", "404", "count=1"]).run().prints("");
    let _ = get("mac").run().fails_with(3);
    let _ = ctl(&["fault", "clear"]).run().prints("");
    let _ = ctl(&["options", "tokens=required", "hop-limit=2"]).run().prints("");
    let options = ctl(&["options"]).run();
    assert!(options.stdout().contains("\"tokens\": \"required\""), "{}", options.stdout());
    let requests = ctl(&["requests"]).run();
    assert!(requests.stdout().lines().any(|line| line.contains(r#""path":"/latest/api/token""#)));
    let _ = ctl(&["assert", "v1 == 0"]).run().prints("");
    let _ = ctl(&["assert", "v2 == 0"]).run().exits_with(1);
    let _ = ctl(&["reset"]).run().prints("");
    let _ = ctl(&["assert", "requests == 0"]).run().prints("");
    let _ = ctl(&["step", "1s"])
        .run()
        .fails_with(2)
        .says("error: the clock moves by itself; start with `--clock stepped`\n");
    let _ = ctl(&["options", "hop-limit=65"])
        .run()
        .fails_with(2)
        .says("error: `hop-limit` is `65`; a number from 1 to 64\n");
}

#[test]
fn a_mocks_configuration_is_imported_and_served() {
    let world = world();
    let path = world.root().join("aemm.json");
    let config = r#"{"metadata":{"values":{"instance-id":"i-0abc","public-ipv4":"54.92.157.77"}},"server":{"port":"1"}}"#;
    std::fs::write(&path, config).unwrap();
    let output = world
        .imds([std::ffi::OsStr::new("emulator"), "import-aemm".as_ref(), path.as_ref()])
        .disabled()
        .run()
        .exits_with(0);
    assert_eq!(
        output.stderr(),
        "note: `server` has no equal in an instance file: pass `--listen ADDRESS:PORT` to `imds serve`\n"
    );
    let instance = world.root().join("instance.json");
    std::fs::write(&instance, output.stdout()).unwrap();
    let instance = instance.display().to_string();
    let _ = world
        .imds(["emulate", "--instance", &instance, "--", "imds", "get", "instance-id", "public-ipv4"])
        .disabled()
        .run()
        .prints("i-0abc\n54.92.157.77\n");
}

#[test]
fn clap_says_where_to_look() {
    let output = world().imds(["serve", "--tokens", "maybe"]).disabled().run().fails_with(2);
    let expected =
        "error: invalid value 'maybe' for '--tokens <TOKENS>': it is none of `optional`, `required`";
    assert_eq!(output.stderr(), format!("{expected}{TRY_HELP}"));
}

#[test]
fn a_snapshot_of_an_instance_is_served_unchanged() {
    let world = world();
    let file = |name: &str| world.root().join(name).display().to_string();
    let (first, second) = (file("first.json"), file("second.json"));
    // The clock stands, so that credentials are the same in both.
    let dump = |source: [&str; 2], target: &str| {
        let arguments = ["emulate", "--clock", "stepped"].into_iter().chain(source);
        let output = world
            .imds(arguments.chain(["--", "imds", "dump", "--snapshot", target]))
            .disabled()
            .prints_secrets()
            .run()
            .exits_with(0);
        assert_eq!(output.stderr(), "");
        serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(target).unwrap()).unwrap()
    };
    let written = dump(["--preset", "multi-interface"], &first);
    assert!(written["leaves"]["/latest/meta-data/public-keys/0=my-key/openssh-key"].is_string(), "{written}");
    assert_eq!(dump(["--instance", &first], &second), written);
}
