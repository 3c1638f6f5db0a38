//! The list of what a program is built from, as CycloneDX 1.6.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Release;
use super::program::Program;
use crate::workspace;

/// Writes `imds-1.2.3.cdx.json`: every crate that is linked into the program, for all targets.
pub(crate) fn write(out: &Path, program: &Program, release: &Release) -> Result<PathBuf, String> {
    let mut cargo = workspace::cargo();
    let text = workspace::output_of(cargo.args(["metadata", "--locked", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let document = document(&metadata, program, release)?;
    let path = out.join(format!("{}-{}.cdx.json", program.name, release.version));
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())? + "\n";
    std::fs::write(&path, text).map_err(|error| format!("`{}`: {error}", path.display()))?;
    Ok(path)
}

fn document(metadata: &Value, program: &Program, release: &Release) -> Result<Value, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let packages: BTreeMap<String, Value> =
        list(&metadata["packages"]).into_iter().map(|package| (string(&package["id"]), package)).collect();
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in list(&metadata["resolve"]["nodes"]) {
        // `null` is a normal dependency; what only builds or tests is not inside.
        let is_linked =
            |dependency: &Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let linked =
            list(&node["deps"]).into_iter().filter(is_linked).map(|dependency| string(&dependency["pkg"]));
        links.insert(string(&node["id"]), linked.collect());
    }
    let root = packages.iter().find(|(_, package)| package["name"] == program.krate);
    let root =
        root.map(|(id, _)| id.clone()).ok_or_else(|| format!("there is no crate `{}`", program.krate))?;
    let mut reached = BTreeSet::from([root.clone()]);
    let mut waiting = vec![root.clone()];
    while let Some(id) = waiting.pop() {
        for next in links.get(&id).into_iter().flatten() {
            if reached.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    let reference = |id: &String| {
        let package = &packages[id];
        format!("pkg:cargo/{}@{}", string(&package["name"]), string(&package["version"]))
    };
    let component = |id: &String, kind: &str| {
        let package = &packages[id];
        json!({
            "type": kind,
            "bom-ref": reference(id),
            "name": package["name"],
            "version": package["version"],
            "purl": reference(id),
            "licenses": [{ "expression": string(&package["license"]).replace('/', " OR ") }],
        })
    };
    let inside: Vec<Value> =
        reached.iter().filter(|id| **id != root).map(|id| component(id, "library")).collect();
    let dependencies: Vec<Value> = reached
        .iter()
        .map(|id| {
            let on: Vec<String> = links.get(id).into_iter().flatten().map(&reference).collect();
            json!({ "ref": reference(id), "dependsOn": on })
        })
        .collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "timestamp": format!("{}T00:00:00Z", release.date), "component": component(&root, "application") },
        "components": inside,
        "dependencies": dependencies,
    }))
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_what_is_linked_and_not_what_only_builds() {
        let package =
            |name: &str| json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0"});
        let dependency = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("imds-cli"), package("a"), package("b"), package("tests"), package("other")],
            "resolve": { "nodes": [
                { "id": "imds-cli", "deps": [dependency("a", Value::Null), dependency("tests", json!("dev"))] },
                { "id": "a", "deps": [dependency("b", Value::Null)] },
                { "id": "other", "deps": [] },
            ]},
        });
        let release =
            Release { version: "1.2.3".into(), commit: "abc".into(), epoch: 0, date: "1970-01-01".into() };
        let program = super::super::program::Program {
            name: "imds",
            krate: "imds-cli",
            profile: "release",
            units: &[],
            configuration: &[],
            journal: None,
            recommends: &[],
        };
        let document = document(&metadata, &program, &release).unwrap();
        let names: Vec<&Value> =
            document["components"].as_array().unwrap().iter().map(|component| &component["name"]).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["dependencies"][2]["dependsOn"], json!(["pkg:cargo/a@1.0.0"]));
    }
}
