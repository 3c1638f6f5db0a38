//! JMESPath's own compliance suite, as the library that `--query` uses ships it, run against that library.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Where the library's package was unpacked.
fn package() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "jmespath").unwrap();
    PathBuf::from(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

/// What the expression finds, or the kind of its error.
fn search(expression: &str, given: &Value) -> Result<Value, ()> {
    let expression = jmespath::compile(expression).map_err(drop)?;
    let found = expression.search(given).map_err(drop)?;
    serde_json::to_value(found).map_err(drop)
}

#[test]
fn the_compliance_suite_is_green() {
    let mut cases = 0;
    let mut gaps = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(package().join("tests/compliance"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let suites: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for suite in suites.as_array().unwrap() {
            for case in suite["cases"].as_array().unwrap() {
                let expression = case["expression"].as_str().unwrap();
                if case.get("bench").is_some() {
                    continue;
                }
                cases += 1;
                let found = search(expression, &suite["given"]);
                let as_expected = match case.get("result") {
                    Some(result) => found.as_ref().is_ok_and(|found| same(found, result)),
                    None => found == Err(()),
                };
                if !as_expected {
                    gaps.push(format!("{}: {expression}: {found:?}", file.file_name().unwrap().display()));
                }
            }
        }
    }
    assert!(cases > 700, "{cases}");
    assert_eq!(gaps, Vec::<String>::new(), "{} of {cases} cases", gaps.len());
}

/// Equal as JSON, in which 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
