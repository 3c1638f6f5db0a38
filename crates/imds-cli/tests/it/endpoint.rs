//! Where the service is looked for: each rule and each conflict of environment, profile and flags,
//! one row each.

use imds_testkit::{FaultServer, Invocation};

use crate::world;

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
const PROFILE_ENDPOINT: &str = "ec2_metadata_service_endpoint";
const PROFILE_MODE: &str = "ec2_metadata_service_endpoint_mode";

/// One combination of settings and what `-v` says of the choice.
struct Row {
    docs: &'static str,
    environment: &'static [(&'static str, &'static str)],
    config: &'static str,
    flags: &'static [&'static str],
    choice: &'static str,
}

/// The rows run in a network where nothing is reached, so that they may name any endpoint.
const ROWS: &[Row] = &[
    Row {
        docs: "nothing is set: IPv4",
        environment: &[],
        config: "",
        flags: &[],
        choice: "`http://169.254.169.254` from the default",
    },
    Row {
        docs: "the mode of the profile beats the default",
        environment: &[],
        config: "[default]\nec2_metadata_service_endpoint_mode = IPv6\n",
        flags: &[],
        choice: "`http://[fd00:ec2::254]` from key `ec2_metadata_service_endpoint_mode` of profile `default`",
    },
    Row {
        docs: "the mode of the environment beats the profile's",
        environment: &[(MODE, "ipv4")],
        config: "[default]\nec2_metadata_service_endpoint_mode = IPv6\n",
        flags: &[],
        choice: "`http://169.254.169.254` from environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`",
    },
    Row {
        docs: "the mode of the flag beats the environment's",
        environment: &[(MODE, "IPv4")],
        config: "",
        flags: &["--endpoint-mode", "IPV6"],
        choice: "`http://[fd00:ec2::254]` from the endpoint or mode that was given",
    },
    Row {
        docs: "the endpoint of the profile beats every mode",
        environment: &[(MODE, "IPv6")],
        config: "[default]\nec2_metadata_service_endpoint = http://192.0.2.1:1\n",
        flags: &["--endpoint-mode", "IPv6"],
        choice: "`http://192.0.2.1:1` from key `ec2_metadata_service_endpoint` of profile `default`",
    },
    Row {
        docs: "the endpoint of the environment beats the profile's and the mode of the flag",
        environment: &[(ENDPOINT, "http://192.0.2.2")],
        config: "[default]\nec2_metadata_service_endpoint = http://192.0.2.1\n",
        flags: &["--endpoint-mode", "IPv6"],
        choice: "`http://192.0.2.2` from environment variable `AWS_EC2_METADATA_SERVICE_ENDPOINT`",
    },
    Row {
        docs: "the endpoint of the flag beats everything",
        environment: &[(ENDPOINT, "http://192.0.2.2"), (MODE, "IPv6")],
        config: "[default]\nec2_metadata_service_endpoint = http://192.0.2.1\n",
        flags: &["--endpoint", "http://192.0.2.3:8080/prefix/"],
        choice: "`http://192.0.2.3:8080/prefix` from the endpoint or mode that was given",
    },
    Row {
        docs: "empty variables are unset ones",
        environment: &[(ENDPOINT, ""), (MODE, "")],
        config: "",
        flags: &[],
        choice: "`http://169.254.169.254` from the default",
    },
    Row {
        docs: "the profile that the environment names",
        environment: &[("AWS_PROFILE", "work")],
        config: "[default]\nec2_metadata_service_endpoint_mode = IPv4\n[profile work]\nec2_metadata_service_endpoint_mode = IPv6\n",
        flags: &[],
        choice: "`http://[fd00:ec2::254]` from key `ec2_metadata_service_endpoint_mode` of profile `work`",
    },
    Row {
        docs: "the profile of the flag beats the environment's",
        environment: &[("AWS_PROFILE", "default")],
        config: "[default]\nec2_metadata_service_endpoint_mode = IPv4\n[profile work]\nec2_metadata_service_endpoint_mode = IPv6\n",
        flags: &["--profile", "work"],
        choice: "`http://[fd00:ec2::254]` from key `ec2_metadata_service_endpoint_mode` of profile `work`",
    },
    Row {
        docs: "our own mode tries both",
        environment: &[(MODE, "AUTO")],
        config: "",
        flags: &[],
        choice: "`http://[fd00:ec2::254] or http://169.254.169.254` from environment variable \
                 `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`",
    },
];

#[test]
fn the_choice_follows_the_rules_and_names_its_source() {
    for row in ROWS {
        let world = world();
        world.write_config(row.config);
        let command = world.imds(["get", "instance-id", "-v"]);
        let command = row.environment.iter().fold(command, |command, (name, value)| command.env(name, value));
        let command = row.flags.iter().fold(command, Invocation::arg);
        let output = command.in_empty_network().run().fails_with(4);
        let told = format!("note: endpoint {}\n", row.choice);
        assert!(output.stderr().starts_with(&told), "{}: not {told}{output}", row.docs);
    }
}

#[test]
fn the_config_file_is_where_the_environment_says() {
    let (world, server) = (world(), FaultServer::start());
    let file = world.root().join("elsewhere.ini");
    std::fs::write(&file, format!("[default]\n{PROFILE_ENDPOINT} = {}/base/\n", server.endpoint())).unwrap();
    world.write_config(&format!("[default]\n{PROFILE_ENDPOINT} = http://127.0.0.1:1\n"));
    let _ = world.imds(["get", "mac"]).env("AWS_CONFIG_FILE", &file).run().exits_with(0);
    let targets: Vec<String> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/base/latest/api/token", "/base/latest/meta-data/mac"], "a path prefix is kept");
}

/// A setting that is wrong, and what names it and where it came from.
struct Bad {
    environment: &'static [(&'static str, &'static str)],
    config: &'static str,
    flags: &'static [&'static str],
    named: &'static [&'static str],
}

const BAD: &[Bad] = &[
    Bad {
        environment: &[(ENDPOINT, "https://127.0.0.1")],
        config: "",
        flags: &[],
        named: &["`https://127.0.0.1`", ENDPOINT],
    },
    Bad {
        environment: &[(ENDPOINT, "http://a b")],
        config: "",
        flags: &[],
        named: &["`http://a b`", ENDPOINT],
    },
    Bad {
        environment: &[(MODE, "IPv5")],
        config: "",
        flags: &[],
        named: &["`IPv5`", MODE, "`IPv4`, `IPv6`"],
    },
    Bad {
        environment: &[],
        config: "[default]\nec2_metadata_service_endpoint = ftp://h\n",
        flags: &[],
        named: &["`ftp://h`", PROFILE_ENDPOINT, "`default`"],
    },
    Bad {
        environment: &[],
        config: "[default]\nec2_metadata_service_endpoint_mode = both\n",
        flags: &[],
        named: &["`both`", PROFILE_MODE, "`default`"],
    },
    Bad { environment: &[], config: "", flags: &["--endpoint", "nonsense"], named: &["`nonsense`"] },
    Bad {
        environment: &[],
        config: "",
        flags: &["--endpoint-mode", "both"],
        named: &["'both'", "--endpoint-mode"],
    },
    Bad { environment: &[], config: "", flags: &["--profile", "nobody"], named: &["`nobody`"] },
    Bad {
        environment: &[("AWS_METADATA_SERVICE_TIMEOUT", "soon")],
        config: "",
        flags: &[],
        named: &["`soon`", "AWS_METADATA_SERVICE_TIMEOUT"],
    },
    Bad {
        environment: &[("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0")],
        config: "",
        flags: &[],
        named: &["`0`", "AWS_METADATA_SERVICE_NUM_ATTEMPTS"],
    },
    Bad { environment: &[], config: "", flags: &["--timeout", "soon"], named: &["'soon'", "--timeout"] },
    Bad { environment: &[], config: "", flags: &["../../etc/passwd"], named: &["`../../etc/passwd`"] },
];

#[test]
fn bad_settings_name_themselves_and_their_source() {
    for bad in BAD {
        let world = world();
        world.write_config(bad.config);
        let command = world.imds(["get", "instance-id"]);
        let command = bad.environment.iter().fold(command, |command, (name, value)| command.env(name, value));
        let command = bad.flags.iter().fold(command, Invocation::arg);
        let mut output = command.in_empty_network().run().fails_with(2);
        for name in bad.named {
            output = output.says(name);
        }
    }
}

#[test]
fn the_service_can_be_forbidden() {
    let (world, server) = (world(), FaultServer::start());
    for value in ["true", "TRUE", "True"] {
        let command = world.get("instance-id", &server.endpoint()).env("AWS_EC2_METADATA_DISABLED", value);
        let _ = command.run().fails_with(5).says("AWS_EC2_METADATA_DISABLED");
    }
    assert_eq!(server.counts().connections, 0);
    let command = world.get("instance-id", &server.endpoint()).env("AWS_EC2_METADATA_DISABLED", "false");
    let _ = command.run().exits_with(0);
}
