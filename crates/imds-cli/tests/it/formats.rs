//! Random trees through the emulator, the walk, and every format that a dump has: nothing is lost
//! or changed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_emulator::Emulator;
use imds_testkit::CommandOutput;
use proptest::prelude::*;
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::world;

/// Values by path, the path in names.
type Tree = BTreeMap<Vec<String>, Vec<u8>>;

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9%?#+:=@~ßµ.-]{1,10}"
        .prop_filter("`.` and `..` are no names", |name| !matches!(name.as_str(), "." | ".."))
}

/// Text that stays text, and sometimes bytes that are none.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let text =
        any::<String>().prop_filter("JSON would come back as JSON", |text| !text.starts_with(['{', '[']));
    prop_oneof![4 => text.prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 1..40)]
        .prop_filter("JSON would come back as JSON", |value| {
            !value.starts_with(b"{") && !value.starts_with(b"[")
        })
}

fn tree() -> impl Strategy<Value = Tree> {
    prop::collection::btree_map(prop::collection::vec(name(), 1..4), value(), 1..12).prop_map(|tree| {
        let is_directory =
            |path: &Vec<String>| tree.keys().any(|other| other.len() > path.len() && other.starts_with(path));
        tree.iter().filter(|(path, _)| !is_directory(path)).map(|(k, v)| (k.clone(), v.clone())).collect()
    })
}

fn emulator(tree: &Tree) -> Emulator {
    let set = |builder: imds_emulator::Builder, (path, value): (&Vec<String>, &Vec<u8>)| {
        builder.set(&format!("/latest/meta-data/random/{}", path.join("/")), value.clone())
    };
    tree.iter().fold(crate::emulator(), set).start().unwrap()
}

fn dump(emulator: &Emulator, format: &str) -> CommandOutput {
    world().imds(["dump", "random/", "--output", format]).endpoint(&emulator.endpoint()).run()
}

/// The bytes that a JSON value stands for.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => STANDARD.decode(other["base64"].as_str().unwrap()).unwrap(),
    }
}

fn flatten(tree: &mut Tree, path: &[String], value: &Value) {
    match value {
        Value::Object(map) if !(map.len() == 1 && map.get("base64").is_some_and(|_| !path.is_empty())) => {
            for (name, value) in map {
                flatten(tree, &[path, std::slice::from_ref(name)].concat(), value);
            }
        }
        leaf => {
            tree.insert(path.to_vec(), bytes(leaf));
        }
    }
}

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Hash(map) => map.iter().map(|(k, v)| (k.as_str().unwrap().to_owned(), json_of(v))).collect(),
        other => panic!("neither text nor mapping: {other:?}"),
    }
}

/// The name that a variable is given, written apart from the command's own.
fn variable(path: &[String]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("random/{}", path.join("/")).chars().map(plain).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn json_yaml_flat_and_snapshots_hold_everything(tree in tree()) {
        let emulator = emulator(&tree);
        let mut found = Tree::new();
        flatten(&mut found, &[], &serde_json::from_str(dump(&emulator, "json").exits_with(0).stdout()).unwrap());
        prop_assert_eq!(&found, &tree);

        let mut found = Tree::new();
        let yaml = YamlLoader::load_from_str(dump(&emulator, "yaml").exits_with(0).stdout()).unwrap();
        flatten(&mut found, &[], &json_of(&yaml[0]));
        prop_assert_eq!(&found, &tree);

        let names = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let flat = dump(&emulator, "flat").exits_with(0);
        let found: Tree = flat.stdout().lines().map(|line| {
            let (path, value) = line.split_once(" = ").unwrap();
            let path = path.strip_prefix("meta-data/random/").unwrap();
            (names(path), bytes(&serde_json::from_str(value).unwrap()))
        }).collect();
        prop_assert_eq!(&found, &tree);

        let world = world();
        let file = world.root().join("snapshot.json");
        let out = world.imds(["dump", "random/", "--snapshot", file.to_str().unwrap()]).endpoint(&emulator.endpoint()).run();
        let _ = out.prints("");
        let again = crate::emulator().described(imds_emulator::read_instance(&file).unwrap()).start().unwrap();
        let again = dump(&again, "json").exits_with(0);
        let first = dump(&emulator, "json").exits_with(0);
        prop_assert_eq!(again.stdout(), first.stdout());
    }

    #[test]
    fn variables_hold_every_text(tree in tree()) {
        let texts: Tree = tree.into_iter().filter(|(_, value)| std::str::from_utf8(value).is_ok() && !value.contains(&0)).collect();
        let expected: BTreeMap<String, &Vec<u8>> = texts.iter().map(|(path, value)| (variable(path), value)).collect();
        prop_assume!(!texts.is_empty());
        let emulator = emulator(&texts);
        let out = dump(&emulator, "env");
        if expected.len() < texts.len() {
            let _ = out.fails_with(2).says("would both be variable `RANDOM_");
            return Ok(());
        }
        let world = world();
        let file = world.root().join("values.env");
        std::fs::write(&file, out.exits_with(0).stdout()).unwrap();
        let print: String = expected.keys().map(|name| format!("printf '%s\\0' \"${name}\"; ")).collect();
        let script = format!(". {}; {print}", file.display());
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let wanted: Vec<u8> = expected.values().flat_map(|value| value.iter().copied().chain([0])).collect();
        prop_assert!(output.stdout == wanted, "{:?}", String::from_utf8_lossy(&output.stdout));
    }
}
