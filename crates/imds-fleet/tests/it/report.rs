//! `report`: one page that holds everything and loads nothing.

use imds_fake_aws::{Fake, Shape, World};

use crate::harness::ran;

#[test]
fn the_page_says_what_the_json_says_and_loads_nothing() {
    let mut world = World::generate(Shape { accounts: 3, regions: 2, instances: 120 });
    let hostile = "</script><script>alert(1)</script>";
    let first = world.instance_mut("i-00000000000000003").unwrap();
    first.tags.insert("Name".to_owned(), hostile.to_owned());
    world.closed.insert("100000000002".to_owned());
    let fake = Fake::start(world).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("report.html");
    let scope = ["--organization", "--role-name", "audit", "--all-regions"];
    let args = [&["report", "--out", page.to_str().unwrap()][..], &scope].concat();
    let written = ran(&fake, &args);
    assert_eq!(written.status, 3, "{written:?}");
    let json = ran(&fake, &[&["state", "--output", "json"][..], &scope].concat()).json();
    let html = std::fs::read_to_string(&page).unwrap();
    for (posture, count) in json["summary"]["postures"].as_object().unwrap() {
        assert!(html.contains(&format!("id=\"{posture}\">{count}<")), "{posture} {count}");
    }
    assert!(html.contains("Not (fully) scanned: 1"), "what was not scanned stands on the page");
    assert!(!html.contains(hostile), "a tag is no markup");
    assert!(html.contains("default-src 'none'"));
    for word in ["http://", "https://", "src=", "href=", "@import", "url("] {
        assert!(!html.contains(word), "{word}");
    }
    let rows = html.split("id=\"rows\">").nth(1).unwrap().split("</script>").next().unwrap();
    let rows: serde_json::Value = serde_json::from_str(rows).unwrap();
    assert_eq!(rows.as_array().unwrap().len() as u64, json["summary"]["instances"].as_u64().unwrap());
}
