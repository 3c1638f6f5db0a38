//! What others wrote (tags, names, messages, files) never moves the cursor of anyone who reads it.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Fault, Group, Harm, Instance, Template, World};

use crate::change::{ACCOUNT, REGION, files};
use crate::harness::{Ran, bare, ran, run};

/// XML has no way to write ESC; the C1 control that stands for `ESC [` it has.
const HOSTILE: &str = "web\r\u{9b}2K\u{9b}1A0 findings\u{202e}txt\u{7f}";

fn fake() -> Fake {
    let mut world = World::new(ACCOUNT, &[REGION]);
    let v1 = Options::full("optional", 1, "enabled", "disabled", "disabled");
    let mut instance = Instance::new("i-1", v1);
    instance.tags.insert("Name".to_owned(), HOSTILE.to_owned());
    instance.tags.insert("aws:autoscaling:groupName".to_owned(), HOSTILE.to_owned());
    let here = world.at(ACCOUNT, REGION);
    here.instances.push(instance);
    here.templates.push(Template {
        id: "lt-1".to_owned(),
        name: HOSTILE.to_owned(),
        versions: vec![(Options::default(), Some(format!("resolve:ssm:{HOSTILE}")))],
        default: 1,
        ..Template::default()
    });
    let template = Some(("lt-1".to_owned(), "1".to_owned()));
    here.groups.push(Group { name: HOSTILE.to_owned(), template, ..Group::default() });
    Fake::start(world).unwrap()
}

#[track_caller]
fn harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let bad = |c: &char| {
            c.is_control() && *c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.chars().any(|c| bad(&c)), "{ran:?}");
    }
}

#[test]
fn no_table_and_no_message_holds_a_control_character() {
    let fake = fake();
    for args in [&["state"][..], &["audit"], &["usage"], &["rules"]] {
        let shown = ran(&fake, args);
        harmless(&shown);
        assert!(args == ["rules"] || shown.stdout.contains("web\\r\\u{9b}2K"), "{shown:?}");
    }
    let files = files();
    let all = ["--launch-templates", "--pinned-groups", "--account-defaults"];
    harmless(&files.plan(&fake, &all));
    let denied = Harm::Error(403, "UnauthorizedOperation".to_owned(), HOSTILE.to_owned());
    fake.world().faults.push(Fault::always("GetMetricData", denied.clone()));
    harmless(&files.apply(&fake, &[]));
    fake.world().faults = vec![Fault::always("DescribeInstances", denied)];
    for args in [&["state"][..], &["audit"], &["usage"]] {
        harmless(&ran(&fake, args));
    }
    harmless(&files.apply(&fake, &[]));
    harmless(&files.rollback(&fake, &[]));
    let saved = files.plan.with_extension("saved");
    let instance = serde_json::json!([{ "InstanceId": "i-\u{1b}[2J", "Tags": [{ "Key": "Name", "Value": "\u{1b}[1A" }] }]);
    std::fs::write(&saved, instance.to_string()).unwrap();
    for command in ["state", "audit"] {
        harmless(&ran(&fake, &[command, "--source", "file", "--file", saved.to_str().unwrap()]));
    }
    harmless(&ran(&fake, &["state", "--source", "file", "--file", "no\u{1b}[2J"]));
    harmless(&ran(&fake, &["rollback", "no\u{1b}[2J"]));
    harmless(&ran(&fake, &["apply", "no\u{1b}[2J"]));
}

#[test]
fn cells_of_csv_start_no_formula() {
    let fake = fake();
    for start in ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1"] {
        fake.world().instance_mut("i-1").unwrap().tags.insert("Name".to_owned(), start.to_owned());
        for command in ["state", "audit", "usage"] {
            let csv = ran(&fake, &[command, "--output", "csv"]).stdout;
            assert!(csv.contains(&format!("\"'{start}")), "{command} {start:?}: {csv}");
        }
    }
}

#[test]
fn completions_and_man_pages_are_made_without_credentials() {
    let directory = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let mut command = bare(directory.path());
        command.args(["completions", shell]);
        let script = run(command);
        assert_eq!((script.status, script.stderr.as_str()), (0, ""), "{shell}");
        assert!(script.stdout.contains("allow-irreversible"), "{shell}");
    }
    for (words, page) in [
        (&["man"][..], "imds-fleet"),
        (&["man", "plan"], "imds-fleet-plan"),
        (&["man", "policy"], "imds-fleet-policy"),
    ] {
        let mut command = bare(directory.path());
        command.args(words);
        let text = run(command).stdout;
        assert!(text.contains(&format!(".TH {page} 1")), "{page}: {text}");
        assert!(text.contains(".SH \"EXIT STATUS\"") && text.contains(".SH \"SEE ALSO\""), "{page}");
    }
    let mut command = bare(directory.path());
    command.args(["man", "plam"]);
    let refused = run(command);
    assert_eq!((refused.status, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("there is no subcommand `plam`"), "{}", refused.stderr);
}

#[test]
fn every_command_that_is_advised_is_one() {
    let fake = fake();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("plan.json");
    let rules = ran(&fake, &["rules", "--output", "json"]).json();
    let audit = ran(&fake, &["audit", "--output", "json"]).json();
    let all = rules.as_array().unwrap().iter().chain(audit["findings"].as_array().unwrap());
    let commands: Vec<String> = all.filter_map(|it| it["command"].as_str().map(str::to_owned)).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let args: Vec<&str> = command.strip_prefix("imds-fleet ").unwrap().split(' ').collect();
        let args: Vec<&str> = args
            .into_iter()
            .map(|word| if word == "plan.json" { out.to_str().unwrap() } else { word })
            .collect();
        let done = ran(&fake, &args);
        assert!(done.status < 2, "{command}: {done:?}");
        let _ = std::fs::remove_file(&out);
    }
}
