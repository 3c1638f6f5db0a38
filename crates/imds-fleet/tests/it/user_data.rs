//! `--user-data`: `imds-lint` reads the user data of launch templates.

use imds_fake_aws::world::Options;
use imds_fake_aws::{Fake, Template, World};

use crate::change::{ACCOUNT, REGION};
use crate::harness::ran;

const SECRET_OF_SCRIPT: &str = "hunter2-of-the-user-data";

/// base64, which the tests have no library for.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

fn world() -> World {
    let mut world = World::new(ACCOUNT, &[REGION]);
    let required = Options { http_tokens: Some("required".to_owned()), ..Options::default() };
    let mut add = |id: &str, data: Option<String>| {
        world.at(ACCOUNT, REGION).templates.push(Template {
            id: id.to_owned(),
            name: id.to_owned(),
            versions: vec![(required.clone(), None)],
            default: 1,
            user_data: data.into_iter().map(|data| (1, data)).collect(),
            ..Template::default()
        });
    };
    let v1 = format!(
        "#!/bin/bash\nexport TOKEN={SECRET_OF_SCRIPT}\nid=$(curl -H \"x: {SECRET_OF_SCRIPT}\" http://169.254.169.254/latest/meta-data/instance-id)\n"
    );
    add("lt-0v1", Some(base64(&v1)));
    add(
        "lt-0cloud",
        Some(base64(
            "#cloud-config\nruncmd:\n  - curl http://169.254.169.254/latest/meta-data/instance-id\n",
        )),
    );
    add("lt-0fine", Some(base64("#!/bin/bash\nimds get instance-id\n")));
    add("lt-0none", None);
    world
}

#[test]
fn findings_are_of_a_version_and_the_text_is_never_shown() {
    let fake = Fake::start(world()).unwrap();
    let document = ran(&fake, &["state", "--user-data", "--output", "json"]);
    assert_eq!(document.status, 0, "{document:?}");
    assert!(!document.stdout.contains(SECRET_OF_SCRIPT));
    let document = document.json();
    let of = |id: &str| {
        let found = document["resources"].as_array().unwrap().iter().find(|it| it["id"] == id).cloned();
        found.unwrap()["user_data"].clone()
    };
    assert_eq!(of("lt-0v1")["findings"][0]["line"], 3);
    assert_eq!(of("lt-0v1")["findings"][0]["v1"], true);
    assert_eq!(of("lt-0cloud")["findings"][0]["line"], 3);
    assert_eq!(of("lt-0fine")["findings"].as_array().unwrap().len(), 0);
    assert!(of("lt-0none").is_null());
    for format in ["table", "json", "jsonl", "csv", "sarif", "ocsf", "junit"] {
        let judged = ran(&fake, &["audit", "--user-data", "--output", format]);
        assert_eq!(judged.status, 1, "{judged:?}");
        assert!(judged.stdout.contains("user data line 3"), "{format}: {judged:?}");
        assert!(!judged.stdout.contains(SECRET_OF_SCRIPT), "{format}");
    }
    // Not asked, nothing said.
    assert!(!ran(&fake, &["audit"]).stdout.contains("user data"));
    let refused = ran(&fake, &["state", "--user-data", "--source", "file", "--file", "/dev/null"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("`--user-data` cannot be used with `--source file`"), "{refused:?}");
}

#[test]
fn user_data_that_cannot_be_read_makes_the_scan_incomplete() {
    let mut given = world();
    given.at(ACCOUNT, REGION).templates[3].user_data.insert(1, "%%% no base64".to_owned());
    let fake = Fake::start(given).unwrap();
    let shown = ran(&fake, &["state", "--user-data"]);
    assert_eq!(shown.status, 3, "{shown:?}");
    assert!(
        shown.stdout.contains("user data of `lt-0none` version 1 not checked: it is not base64"),
        "{shown:?}"
    );
    assert!(shown.stdout.contains(" findings in its user data, 1 of them IMDSv1"), "{shown:?}");
    assert_eq!(ran(&fake, &["state"]).status, 0);
}
