//! The formats: archives by tar and zip, system packages by nfpm.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::Release;
use super::build::Target;
use super::layout::Layout;
use super::program::Program;
use crate::{dist, workspace};

/// Findings of lintian that are accepted, with the reasons.
const OVERRIDES: &str = "\
# One file for every distribution.
NAME: statically-linked-binary [usr/bin/NAME]
# Debian's helper for this is part of debhelper, which is not used.
NAME: maintainer-script-calls-systemctl [*]
# Written by nfpm; dpkg passes it on.
NAME: unknown-field License
# It is not an upload to Debian.
NAME: initial-upload-closes-no-bugs *
NAME: changelog-file-missing-in-native-package *
NAME: debian-changelog-file-missing-or-wrong-name *
NAME: syntax-error-in-debian-changelog *
";

/// `imds-1.2.3-x86_64-unknown-linux-musl.tar.gz`, or `.zip` for Windows.
pub(crate) fn archive(
    out: &Path,
    layout: &Layout,
    program: &Program,
    target: &Target,
    release: &Release,
) -> Result<PathBuf, String> {
    let name = format!("{}-{}-{}", program.name, release.version, target.triple);
    let folder = layout.stage.join(&name);
    for entry in layout.entries.iter().filter(|entry| !entry.archived.is_empty()) {
        let place = folder.join(&entry.archived);
        let parent = place.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).map_err(|error| format!("`{}`: {error}", parent.display()))?;
        std::fs::copy(&entry.source, &place)
            .map_err(|error| format!("`{}`: {error}", entry.source.display()))?;
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(entry.mode))
            .map_err(|error| format!("`{}`: {error}", place.display()))?;
    }
    let time = format!("@{}", release.epoch);
    if target.is_windows() {
        let path = out.join(format!("{name}.zip"));
        drop(std::fs::remove_file(&path));
        workspace::run(
            Command::new("find")
                .args([&name, "-exec", "touch", "-d", &time, "{}", "+"])
                .current_dir(&layout.stage),
        )?;
        // Sorted, without extra fields: the same bytes on any machine.
        let files = workspace::output_of(
            Command::new("find").args([&name, "-type", "f"]).current_dir(&layout.stage),
        )?;
        let mut files: Vec<&str> = files.lines().collect();
        files.sort_unstable();
        let mut zip = Command::new("zip");
        zip.args(["--quiet", "-X", "-D"]).arg(&path).args(files).env("TZ", "UTC").current_dir(&layout.stage);
        workspace::run(&mut zip)?;
        return Ok(path);
    }
    let path = out.join(format!("{name}.tar.gz"));
    let plain = layout.stage.join("archive.tar");
    let mut tar = Command::new("tar");
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--format=ustar",
        "--mtime",
        &time,
    ]);
    workspace::run(tar.arg("--create").arg("--file").arg(&plain).arg(&name).current_dir(&layout.stage))?;
    workspace::run(Command::new("gzip").args(["--no-name", "--best", "--force"]).arg(&plain))?;
    let packed = layout.stage.join("archive.tar.gz");
    std::fs::rename(&packed, &path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    Ok(path)
}

/// A `.deb` or `.rpm`.
pub(crate) fn native_package(
    out: &Path,
    layout: &Layout,
    program: &Program,
    target: &Target,
    release: &Release,
    format: &str,
) -> Result<PathBuf, String> {
    let description = description(program)?;
    let time = workspace::output_of(Command::new("date").args([
        "--utc",
        "+%FT%TZ",
        "--date",
        &format!("@{}", release.epoch),
    ]))?;
    let time = time.trim();
    let mut contents: Vec<Value> = layout
        .entries
        .iter()
        .filter(|entry| !entry.installed.is_empty() && belongs(&entry.installed, format))
        .map(|entry| {
            json!({
                "src": entry.source,
                "dst": entry.installed,
                "type": if entry.is_configuration { "config|noreplace" } else { "file" },
                "file_info": { "mode": entry.mode, "owner": "root", "group": "root", "mtime": time },
            })
        })
        .collect();
    if format == "deb" {
        let text = OVERRIDES.replace("NAME", program.name);
        let overrides = layout.write("lintian-overrides", text.as_bytes())?;
        contents.push(json!({
            "src": overrides,
            "dst": format!("/usr/share/lintian/overrides/{}", program.name),
            "file_info": { "mode": 0o644, "owner": "root", "group": "root", "mtime": time },
        }));
    }
    let mut package = json!({
        "name": program.name,
        "arch": target.debian_architecture(),
        "platform": "linux",
        "version": release.version,
        "version_schema": "semver",
        "section": "net",
        "priority": "optional",
        "maintainer": "The imds authors <noreply@users.noreply.github.com>",
        "description": description,
        "homepage": "https://github.com/imds-rs/imds",
        "license": "MIT OR Apache-2.0",
        "mtime": time,
        "recommends": program.recommends,
        "contents": contents,
        // The machine that builds it is nobody's business.
        "rpm": { "buildhost": "localhost", "group": "Applications/System", "summary": description.lines().next() },
    });
    if !program.units.is_empty() {
        let folder = workspace::root().join("packaging/scripts");
        let script = |name: &str| -> Result<PathBuf, String> {
            let text = workspace::read(&folder.join(name))?.replace("@UNITS@", &program.units.join(" "));
            layout.write(name, text.as_bytes())
        };
        package["scripts"] = json!({
            "postinstall": script("postinstall.sh")?,
            "preremove": script("preremove.sh")?,
            "postremove": script("postremove.sh")?,
        });
    }
    let configuration = layout.write("nfpm.yaml", package.to_string().as_bytes())?;
    let mut nfpm = Command::new("nfpm");
    nfpm.args(["package", "--packager", format, "--config"]).arg(&configuration);
    let path = out.join(file_name(program, target, release, format));
    nfpm.arg("--target").arg(&path).env("SOURCE_DATE_EPOCH", release.epoch.to_string());
    let told = workspace::output_of(&mut nfpm).map_err(|error| {
        format!("{error}; `go install github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.0` installs nfpm")
    })?;
    drop(told);
    Ok(path)
}

fn file_name(program: &Program, target: &Target, release: &Release, format: &str) -> String {
    let (name, version) = (program.name, &release.version);
    match (format, target.debian_architecture()) {
        ("deb", architecture) => format!("{name}_{version}_{architecture}.deb"),
        (_, "arm64") => format!("{name}-{version}-1.aarch64.rpm"),
        _ => format!("{name}-{version}-1.x86_64.rpm"),
    }
}

/// Debian has its own copyright file; elsewhere the licences lie beside it.
fn belongs(path: &str, format: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    match format {
        "deb" => !name.starts_with("LICENSE-"),
        _ => name != "copyright" && !(path.starts_with("/usr/share/doc/") && name == "changelog.gz"),
    }
}

/// A line that says what the package does, and the first paragraph of the crate's page.
fn description(program: &Program) -> Result<String, String> {
    let metadata = dist::metadata()?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == program.krate);
    let line = package.and_then(|package| package["description"].as_str()).unwrap_or_default();
    // "The command `x`: " is for a list of crates.
    let line = line.rsplit_once("`: ").map_or(line, |(_, rest)| rest).trim_end_matches('.').replace('`', "");
    let page = workspace::read(&workspace::root().join("crates").join(program.krate).join("README.md"))?;
    let paragraph = page.split("\n\n").nth(1).unwrap_or_default().replace('`', "");
    if line.is_empty() || paragraph.is_empty() {
        return Err(format!("`{}` has no description, or no page", program.krate));
    }
    Ok(format!("{line}\n{}", wrap(&paragraph)))
}

/// As wide as Debian's tools show a description.
fn wrap(text: &str) -> String {
    const WIDTH: usize = 76;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
