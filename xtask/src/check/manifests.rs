//! What the manifest of a crate must say, above all of one that is published.

use toml::{Table, Value};

use super::Finding;
use super::source::Source;

/// What a page about a crate on a registry needs; a path in `readme` must exist.
const NEEDED: [&str; 6] = ["description", "license", "repository", "readme", "keywords", "categories"];
const FILES: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// What crates.io takes.
const MOST_KEYWORDS: usize = 5;

pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let members = sources.iter().filter(|source| {
        let folder = source.path.strip_suffix("/Cargo.toml");
        folder.is_some_and(|folder| folder == "xtask" || folder.starts_with("crates/"))
    });
    members.flat_map(|manifest| check_one(manifest, sources)).collect()
}

/// The crates that call the system where there is no safe name for it. Their lints are the
/// workspace's but for that.
const WITH_UNSAFE: [&str; 2] = ["crates/imds-stdout/Cargo.toml", "crates/imds-windows/Cargo.toml"];

fn check_one(manifest: &Source, sources: &[Source]) -> Vec<Finding> {
    let finding = |rule: String| Finding::new(&manifest.path, rule);
    let table: Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![finding(format!("{error}"))],
    };
    let inherits = |table: &Table, key: &str| {
        table.get(key).and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    let mut findings = Vec::new();
    let takes_lints = table.get("lints").and_then(|lints| lints.get("workspace")).is_some();
    if !takes_lints && !WITH_UNSAFE.contains(&manifest.path.as_str()) {
        findings.push(finding("does not take the workspace's lints".to_owned()));
    }
    let Some(package) = table.get("package").and_then(Value::as_table) else { return findings };
    if package.get("publish").and_then(Value::as_bool) == Some(false) {
        return findings;
    }
    for key in NEEDED.into_iter().filter(|key| !package.contains_key(*key)) {
        findings.push(finding(format!("is published and has no `{key}`")));
    }
    for key in ["version", "edition", "license", "repository"] {
        if package.contains_key(key) && !inherits(package, key) {
            findings.push(finding(format!("does not take `{key}` from the workspace")));
        }
    }
    let keywords = package.get("keywords").and_then(Value::as_array).map_or(0, Vec::len);
    if keywords > MOST_KEYWORDS {
        findings.push(finding(format!("has {keywords} keywords, at most {MOST_KEYWORDS}")));
    }
    let docs =
        package.get("metadata").and_then(|metadata| metadata.get("docs")?.get("rs")?.get("all-features"));
    if docs.and_then(Value::as_bool) != Some(true) {
        findings.push(finding("does not ask docs.rs for all features".to_owned()));
    }
    let folder = manifest.path.trim_end_matches("Cargo.toml");
    for file in FILES {
        let path = format!("{folder}{file}");
        if !sources.iter().any(|source| source.path == path) {
            findings.push(finding(format!("is published without `{file}` in its folder")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::new(path, (*text).to_owned())).collect();
        check(&sources).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_of_ours_alone_needs_the_lints_only() {
        let lints = "[package]\npublish = false\n[lints]\nworkspace = true\n";
        assert_eq!(
            found(&[("xtask/Cargo.toml", lints), ("Cargo.toml", "[workspace]\n")]),
            Vec::<String>::new()
        );
        let none = "[package]\npublish = false\n";
        assert_eq!(
            found(&[("crates/b/Cargo.toml", none)]),
            ["crates/b/Cargo.toml: does not take the workspace's lints"]
        );
    }

    #[test]
    fn a_published_crate_needs_a_whole_page() {
        let whole = "[package]\nname = \"a\"\ndescription = \"b\"\nlicense.workspace = true\nrepository.workspace = true\n\
                     readme = \"README.md\"\nkeywords = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]\nversion = \"1.0.0\"\n\
                     [package.metadata.docs.rs]\nall-features = true\n[lints]\nworkspace = true\n";
        let files =
            [("crates/a/Cargo.toml", whole), ("crates/a/README.md", ""), ("crates/a/LICENSE-MIT", "")];
        assert_eq!(
            found(&files),
            [
                "crates/a/Cargo.toml: is published and has no `categories`",
                "crates/a/Cargo.toml: does not take `version` from the workspace",
                "crates/a/Cargo.toml: has 6 keywords, at most 5",
                "crates/a/Cargo.toml: is published without `LICENSE-APACHE` in its folder",
            ]
        );
    }
}
