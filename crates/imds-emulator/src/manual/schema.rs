//! The JSON Schema of instance files, derived from the types that the parser reads into.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use crate::files::instance_file::{self, File};
use crate::instance::{Instance, Preset, TargetLifecycleState};

/// A text of these, and no other.
fn one_of(names: impl IntoIterator<Item = &'static str>) -> Schema {
    let names: Vec<&str> = names.into_iter().collect();
    json_schema!({ "type": "string", "enum": names })
}

macro_rules! words {
    ($name:ident, $words:expr, $what:literal) => {
        #[doc = $what]
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                one_of($words)
            }
        }
    };
}

words!(
    LifecycleState,
    TargetLifecycleState::ALL.map(TargetLifecycleState::as_str),
    "A target lifecycle state."
);
words!(Tokens, ["optional", "required"], "Whether a session token is needed.");
words!(OnOff, ["enabled", "disabled"], "A switch.");

/// The schema of a type, with doc comments as descriptions.
pub(super) fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of instance files. Nothing has to be there: what a file leaves out is the preset's.
/// An interface alone is whole.
fn instance_file() -> Value {
    let mut schema = json!({
        "$schema": null,
        "$id": "https://github.com/imds-rs/imds/blob/main/crates/imds-emulator/src/files/instance.schema.json",
        "$comment": "@generated from the types of instance_file.rs by a test in src/manual/schema.rs",
        "title": "Instance file of the imds emulator",
    });
    let Value::Object(members) = of::<File>() else { panic!("a schema is an object") };
    for (name, value) in members {
        if schema[&name].is_null() {
            schema[name] = value;
        }
    }
    schema
}

/// The names that a schema's objects take, with the path of each.
fn members(schema: &Value, root: &Value, path: &str, found: &mut Vec<(String, Vec<String>)>) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => &root["$defs"][name.trim_start_matches("#/$defs/")],
        None => schema,
    };
    for inner in ["anyOf", "oneOf"].iter().filter_map(|name| schema[*name].as_array()).flatten() {
        members(inner, root, path, found);
    }
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], false, "{path}");
        found.push((path.to_owned(), properties.keys().cloned().collect()));
        for (name, inner) in properties {
            members(inner, root, &format!("{path}/{name}"), found);
        }
    }
    if schema["items"].is_object() {
        members(&schema["items"], root, &format!("{path}/0"), found);
    }
}

#[test]
fn the_schema_is_that_of_the_parser() {
    super::hold("crates/imds-emulator/src/files/instance.schema.json", &format!("{:#}\n", instance_file()));
}

/// Each object takes the names that the parser's own error lists, and no other.
#[test]
fn every_object_of_the_schema_takes_what_the_parser_takes() {
    let schema = instance_file();
    let mut found = Vec::new();
    members(&schema, &schema, "", &mut found);
    assert!(found.len() > 12, "{found:?}");
    for (path, names) in found {
        // `{"instance": {"interfaces": [{"?": 0}]}}`, from the inside out.
        let mut text = json!({ "?": 0 });
        for step in path.split('/').filter(|step| !step.is_empty()).rev() {
            text = if step == "0" { json!([text]) } else { json!({ step: text }) };
        }
        let error = instance_file::parse(&text.to_string(), true).unwrap_err().to_string();
        let known: Vec<String> = error.split('`').skip(3).step_by(2).map(str::to_owned).collect();
        let [mut names, mut known] = [names, known];
        names.sort();
        known.sort();
        assert_eq!(names, known, "{path}: {error}");
    }
}

/// What the emulator itself writes of an instance is an instance file by the schema's names.
#[test]
fn every_preset_can_be_written_as_a_file() {
    for preset in Preset::ALL {
        let text = json!({ "instance": preset.instance() }).to_string();
        let described = instance_file::parse(&text, true).unwrap();
        assert_eq!(described.instance, preset.instance(), "{preset:?}");
    }
    assert_eq!(serde_json::to_value(Instance::default()).unwrap()["instance-type"], "m5.large");
}
