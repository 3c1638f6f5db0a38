//! State from files and from an AWS Config aggregator.

use std::path::Path;

use imds_fake_aws::{Fake, Shape, World};

use crate::harness::{Ran, bare, ran, run};

fn from_file(text: &str, args: &[&str]) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, text).unwrap();
    let mut command = bare(Path::new("/nonexistent"));
    command.args(["state", "--source", "file", "--file"]).arg(&file).args(args);
    run(command)
}

pub(crate) const DESCRIBE: &str = r#"{ "Reservations": [ { "OwnerId": "111122223333", "Instances": [
  { "InstanceId": "i-1", "State": { "Code": 16, "Name": "running" }, "LaunchTime": "2026-01-02T03:04:05+00:00",
    "Placement": { "AvailabilityZone": "eu-west-1b" }, "Tags": [ { "Key": "Name", "Value": "web" } ],
    "MetadataOptions": { "State": "applied", "HttpTokens": "optional", "HttpPutResponseHopLimit": 1,
      "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled", "InstanceMetadataTags": "disabled" } },
  { "InstanceId": "i-2", "State": { "Name": "terminated" } } ] } ] }"#;

#[test]
fn saved_describe_instances_output_needs_no_credentials() {
    let ran = from_file(DESCRIBE, &["--output", "json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let document = ran.json();
    let instance = &document["resources"][0];
    assert_eq!(instance["id"], "i-1");
    assert_eq!(instance["account"], "111122223333");
    assert_eq!(instance["region"], "eu-west-1");
    assert_eq!(instance["name"], "web");
    assert_eq!(instance["posture"], "v1-allowed");
    assert_eq!(instance["launched_at"], 1_767_323_045);
    assert_eq!(document["summary"]["instances"], 1);
}

#[test]
fn an_aws_config_snapshot_is_read() {
    let snapshot = r#"{ "fileVersion": "1.0", "configurationItems": [
      { "resourceType": "AWS::EC2::Instance", "resourceId": "i-1", "awsAccountId": "111122223333",
        "awsRegion": "eu-west-1", "configurationItemStatus": "OK", "configuration": { "instanceId": "i-1",
        "state": { "name": "running" }, "tags": [ { "key": "Name", "value": "web" } ],
        "metadataOptions": { "state": "applied", "httpTokens": "required", "httpPutResponseHopLimit": 2,
          "httpEndpoint": "enabled", "httpProtocolIpv6": "disabled", "instanceMetadataTags": "disabled" } } },
      { "resourceType": "AWS::EC2::Volume", "configuration": {} },
      { "resourceType": "AWS::EC2::Instance", "resourceId": "i-2", "awsAccountId": "111122223333",
        "awsRegion": "eu-west-1", "configurationItemStatus": "ResourceDeleted" } ] }"#;
    let ran = from_file(snapshot, &["--output", "json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let document = ran.json();
    assert_eq!(document["summary"]["postures"]["v2-required"], 1);
    assert_eq!(document["resources"][0]["options"]["http_put_response_hop_limit"], 2);
}

#[test]
fn our_own_output_is_a_source_and_keeps_what_was_not_scanned() {
    let mut world = World::generate(Shape { accounts: 2, regions: 2, instances: 20 });
    world.closed.insert("100000000001".to_owned());
    let fake = Fake::start(world).unwrap();
    for format in ["json", "jsonl"] {
        let scope = ["--organization", "--role-name", "audit", "--all-regions"];
        let live = ran(&fake, &[&["state", "--output", format][..], &scope].concat());
        assert_eq!(live.status, 3, "{live:?}");
        let again = from_file(&live.stdout, &["--output", "json"]);
        assert_eq!(again.status, 3, "{again:?}");
        let document = again.json();
        assert_eq!(document["summary"]["instances"], 10, "{format}");
        assert_eq!(document["summary"]["incomplete"][0]["account"], "100000000001", "{format}");
    }
}

#[test]
fn another_file_is_refused_with_its_name() {
    for text in ["shopping list", "7", "", "{\"a\": 1}", "\"text\""] {
        let ran = from_file(text, &[]);
        assert_eq!(ran.status, 2, "{text}: {ran:?}");
        assert!(ran.stderr.starts_with("error: `/"), "{text}: {ran:?}");
        assert!(ran.stderr.contains("is not "), "{text}: {ran:?}");
    }
}

#[test]
fn an_aggregator_answers_for_the_organization_with_no_role_assumed() {
    let fake = Fake::start(World::generate(Shape { accounts: 3, regions: 2, instances: 250 })).unwrap();
    let args = ["state", "--source", "config-aggregator", "--aggregator", "org", "--output", "json"];
    let document = ran(&fake, &args).json();
    assert_eq!(document["summary"]["instances"], 250);
    let live =
        ran(&fake, &["state", "--organization", "--role-name", "r", "--all-regions", "--output", "json"])
            .json();
    assert_eq!(document["summary"]["postures"], live["summary"]["postures"]);
    let world = fake.world();
    assert_eq!(world.called("SelectAggregateResourceConfig"), 3, "100 rows a page");
    drop(world);
    let wrong = ran(&fake, &["state", "--source", "config-aggregator", "--aggregator", "none"]);
    assert_eq!(wrong.status, 3, "{wrong:?}");
    assert!(wrong.stderr.contains("NoSuchConfigurationAggregatorException"), "{wrong:?}");
}

/// The status, the ids, and what is incomplete.
fn read(text: &[u8], args: &[&str]) -> (i32, Vec<String>, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state");
    std::fs::write(&file, text).unwrap();
    let mut command = bare(Path::new("/nonexistent"));
    command.args(["state", "--output", "json", "--source", "file", "--file"]).arg(&file).args(args);
    let ran = run(command);
    if ran.status == 2 {
        return (2, Vec::new(), ran.stderr);
    }
    let document = ran.json();
    let found = document["resources"].as_array().unwrap();
    let ids = found
        .iter()
        .map(|it| format!("{} {}", it["id"].as_str().unwrap(), it["posture"].as_str().unwrap_or("-")));
    (ran.status, ids.collect(), document["summary"]["incomplete"].to_string())
}

const INSTANCE: &str = r#"{"InstanceId":"i-1","State":{"Name":"running"},"Tags":null,"Placement":{"AvailabilityZone":"eu-west-1a"},"MetadataOptions":{"HttpTokens":"optional","HttpEndpoint":"enabled"}}"#;

#[test]
fn every_shape_that_people_save_is_read() {
    let page = format!(r#"{{"Reservations":[{{"OwnerId":"111122223333","Instances":[{INSTANCE}]}}]}}"#);
    let other = page.replace("i-1", "i-2");
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    };
    let gz = |text: &str| {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let select = format!(
        r#"{{"Results":[{}],"QueryInfo":{{}}}}"#,
        serde_json::json!(
            r#"{"resourceId":"i-1","accountId":"111122223333","awsRegion":"eu-west-1","configuration":{"metadataOptions":{"httpTokens":"optional","httpEndpoint":"enabled"},"state":{"name":"running"}}}"#
        )
    );
    let row = r#"{"instance_id":"i-1","account_id":"111122223333","region":"eu-west-1","instance_state":"running","metadata_options":{"HttpTokens":"optional","HttpEndpoint":"enabled"},"tags":{"Name":"web"}}"#;
    let csv = "instance_id,account_id,region,instance_state,metadata_options,tags\n\
               i-1,111122223333,eu-west-1,running,\"{\"\"HttpTokens\"\":\"\"optional\"\",\"\"HttpEndpoint\"\":\"\"enabled\"\"}\",\"{}\"\n";
    let attributes = r#"{"id":"i-1","arn":"arn:aws:ec2:eu-west-1:111122223333:instance/i-1","instance_state":"running","metadata_options":[{"http_tokens":"optional","http_endpoint":"enabled","http_put_response_hop_limit":1}],"tags_all":{"Name":"web"}}"#;
    let terraform = format!(
        r#"{{"version":4,"terraform_version":"1.9.0","resources":[{{"mode":"managed","type":"aws_instance","name":"web","instances":[{{"attributes":{attributes}}}]}},{{"mode":"managed","type":"aws_vpc","instances":[]}}]}}"#
    );
    let show = format!(
        r#"{{"format_version":"1.0","values":{{"root_module":{{"child_modules":[{{"resources":[{{"mode":"managed","type":"aws_instance","values":{attributes}}}]}}]}}}}}}"#
    );
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a page", page.clone().into()),
        ("a BOM", format!("\u{feff}{page}").into()),
        ("UTF-16", utf16(&page, false)),
        ("UTF-16, the other order", utf16(&page, true)),
        ("gzip", gz(&page)),
        ("gzip of UTF-16 would be odd, of a BOM is not", gz(&format!("\u{feff}{page}"))),
        ("--query Reservations[].Instances[]", format!("[{INSTANCE}]").into()),
        ("--query Reservations[*].Instances[*]", format!("[[{INSTANCE}]]").into()),
        ("--query Reservations[]", format!(r#"[{{"OwnerId":"1","Instances":[{INSTANCE}]}}]"#).into()),
        ("one instance", INSTANCE.into()),
        ("duplicates", format!("{page}\n{page}").into()),
        ("select-resource-config", select.into()),
        ("Steampipe JSON", format!("[{row}]").into()),
        ("Steampipe JSON, newer", format!(r#"{{"columns":[],"rows":[{row}]}}"#).into()),
        ("Steampipe CSV", csv.into()),
        ("Terraform state", terraform.into()),
        ("terraform show -json", show.into()),
    ];
    for (what, text) in cases {
        assert_eq!(read(&text, &[]), (0, vec!["i-1 v1-allowed".to_owned()], "[]".to_owned()), "{what}");
    }
    for several in [format!("{page}{other}"), format!("{page}\n{other}\n"), format!("[{page},{other}]")] {
        assert_eq!(read(several.as_bytes(), &[]).1, ["i-1 v1-allowed", "i-2 v1-allowed"], "{several}");
    }
    let versions = r#"{"LaunchTemplateVersions":[{"LaunchTemplateId":"lt-1","LaunchTemplateName":"web","VersionNumber":1,"DefaultVersion":false,"LaunchTemplateData":{}},{"LaunchTemplateId":"lt-1","VersionNumber":2,"DefaultVersion":true,"LaunchTemplateData":{"MetadataOptions":{"HttpTokens":"optional"}}}]}"#;
    assert_eq!(read(versions.as_bytes(), &[]).1, ["lt-1 -"]);
}

#[test]
fn what_a_file_does_not_hold_whole_makes_the_scan_incomplete() {
    let page = format!(r#"{{"Reservations":[{{"OwnerId":"1","Instances":[{INSTANCE}]}}]"#);
    let line = r#"{"kind":"instance","account":"1","region":"r","id":"i-1","run_state":"running","posture":"v1-allowed","options":{}}"#;
    let scan = |instances: u64| {
        format!(r#"{{"kind":"scan","account":"1","region":"r","instances":{instances},"gaps":[]}}"#)
    };
    let cases = [
        (format!(r#"{page},"NextToken":"x"}}"#), "there are more pages than it holds"),
        (page.clone(), "it breaks off: EOF"),
        (
            format!(r#"{{"Reservations":[{{"OwnerId":"1","Instances":[{INSTANCE},{{"State":{{}}}}]}}]}}"#),
            "without an id",
        ),
        (
            format!(r#"{{"Reservations":[{{"OwnerId":"1","Instances":[{INSTANCE},7]}}]}}"#),
            "an instance cannot be read",
        ),
        (
            format!("{page}}}\n{{\"Reservations\": 7}}"),
            "it breaks off: invalid type: integer `7`, expected a list",
        ),
        (format!("{line}\n"), "the record of its scan is missing"),
        (format!("{line}\n{}\n", scan(2)), "its record says 2 instances, and it holds 1"),
        (format!("{}\n{line}\n{{\"kind\":\"inst\n{}\n", "", scan(1)), "is damaged"),
        (format!("{line}\n{}\n{{\"kind\":\"instance\",\"account\":1}}\n", scan(1)), "line 3 is damaged"),
        (format!(r#"{{"schema_version":1,"resources":[{line}]}}"#), "the summary at its end is missing"),
        (
            format!(
                r#"{{"schema_version":1,"resources":[{line}],"summary":{{"instances":2,"incomplete":[]}}}}"#
            ),
            "it says that it holds 2 instances, and holds 1",
        ),
        (
            r#"{"configurationItems":[{"resourceType":"AWS::EC2::Instance","resourceId":"i-9","configuration":7}]}"#
                .to_owned(),
            "instance `i-9` cannot be read",
        ),
        (
            "instance_id,metadata_options\ni-1,\"{\"\"HttpTokens\"\":\"\"optional\"\"}\"\ni-2\n".to_owned(),
            "row 2: 1 of 2 columns",
        ),
    ];
    for (text, says) in cases {
        let (status, _, incomplete) = read(text.as_bytes(), &[]);
        assert_eq!(status, 3, "{text}: {incomplete}");
        assert!(incomplete.contains(says), "{text}: {incomplete}");
    }
    let (status, ids, _) = read(format!("{line}\n{}\n", scan(1)).as_bytes(), &[]);
    assert_eq!((status, ids.len()), (0, 1));
}

#[test]
fn what_is_asked_for_applies_to_files_too() {
    let fake = Fake::start(World::generate(Shape { accounts: 4, regions: 3, instances: 240 })).unwrap();
    let live = ["state", "--organization", "--role-name", "audit", "--all-regions"];
    let saved = ran(&fake, &[&live[..], &["--output", "jsonl"]].concat()).stdout;
    let directory = tempfile::tempdir().unwrap();
    let accounts = directory.path().join("accounts");
    std::fs::write(&accounts, "100000000001\n").unwrap();
    let accounts = accounts.to_str().unwrap();
    let cases: [&[&str]; 6] = [
        &["--v1-only"],
        &["--shard", "2/3"],
        &["--filter", "metadata-options.http-tokens=required", "--filter", "tag:Name=host-1*"],
        &["--filter", "instance-state-name=stopped"],
        &["--instances-only"],
        &["--exclude-accounts", "100000000001,100000000003"],
    ];
    for args in cases {
        // A filter of EC2 with a wildcard is only known to EC2.
        if args.contains(&"tag:Name=host-1*") {
            assert!(
                !from_file(&saved, &[args, &["--output", "json"]].concat()).json()["resources"]
                    .as_array()
                    .unwrap()
                    .is_empty()
            );
            continue;
        }
        let expected = ran(&fake, &[&live[..], args, &["--output", "json"]].concat()).json();
        let file = from_file(&saved, &[args, &["--output", "json"]].concat()).json();
        let ids = |document: &serde_json::Value| {
            let found = document["resources"].as_array().unwrap().clone();
            let id = |it: &serde_json::Value| {
                (
                    it["account"].to_string(),
                    it["region"].to_string(),
                    it["kind"].to_string(),
                    it["id"].to_string(),
                )
            };
            found.iter().map(id).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(ids(&file), ids(&expected), "{args:?}");
    }
    let of = |args: &[&str]| {
        from_file(&saved, &[args, &["--output", "json"]].concat()).json()["summary"]["instances"].clone()
    };
    assert_eq!(of(&["--accounts", accounts]), 60);
    assert_eq!(of(&["--regions", "ap-northeast-1,ap-northeast-2"]), 160);
    for (args, says) in [
        (&["--organization"][..], "`--organization` cannot be used with `--source file`"),
        (&["--all-regions"], "`--all-regions` cannot be used with"),
        (&["--checkpoint", "x"], "`--checkpoint` cannot be used with"),
        (&["--filter", "vpc-id=vpc-1"], "filter `vpc-id` cannot be applied to this source"),
    ] {
        let refused = from_file(&saved, args);
        assert_eq!(refused.status, 2, "{args:?}: {refused:?}");
        assert!(refused.stderr.contains(says), "{args:?}: {refused:?}");
    }
}

#[test]
fn a_pipe_is_read_once_and_to_its_end() {
    let fake = Fake::start(World::generate(Shape { accounts: 2, regions: 2, instances: 100 })).unwrap();
    let live = ["state", "--organization", "--role-name", "audit", "--all-regions", "--output", "jsonl"];
    let saved = ran(&fake, &live).stdout;
    for text in [saved, format!(r#"{{"Reservations":[{{"OwnerId":"1","Instances":[{INSTANCE}]}}]}}"#)] {
        let mut command = bare(Path::new("/nonexistent"));
        command.args(["state", "--source", "file", "--file", "-", "--output", "json"]);
        let mut child =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lines = text.matches("\"kind\":\"instance\"").count().max(1);
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
        let ended = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert_eq!(ended.status.code(), Some(0));
        let document: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert_eq!(document["summary"]["instances"], lines);
    }
}

#[test]
fn the_regions_that_nobody_asked_for_are_named() {
    let fake = Fake::start(World::new("111122223333", &["us-east-1", "eu-west-1", "eu-west-2"])).unwrap();
    let table = ran(&fake, &["state"]);
    assert!(
        table.stdout.contains("; not looked at: eu-west-1, eu-west-2 (`--all-regions` scans them)\n"),
        "{table:?}"
    );
    let json = ran(&fake, &["audit", "--output", "json"]).json();
    assert_eq!(json["summary"]["not_looked_at"], serde_json::json!(["eu-west-1", "eu-west-2"]));
    for asked in [&["--regions", "us-east-1"][..], &["--all-regions"]] {
        assert!(!ran(&fake, &[&["state"], asked].concat()).stdout.contains("not looked at"), "{asked:?}");
    }
}
