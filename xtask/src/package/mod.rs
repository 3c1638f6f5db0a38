//! `cargo xtask package`: everything that a release offers, in `dist/packages/`.
//!
//! Archives with the program, its manual pages and completions; `.deb` and `.rpm`; checksums; the
//! list of dependencies; and the files of Homebrew, Scoop and the AUR, which follow from version
//! and checksums. Two runs on one commit give the same bytes: nothing in a package depends on the
//! time, the user, or where the checkout is.

mod build;
mod formats;
mod formulas;
mod layout;
mod program;
mod sbom;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

const USAGE: &str = "usage: cargo xtask package [--target TARGET]... [--program NAME]... [--quick] | --formulas | --check-tag TAG";

/// What one run builds.
#[derive(Debug, Default)]
struct Options {
    targets: Vec<String>,
    programs: Vec<String>,
    /// Unoptimised programs, for tests of the packages themselves.
    quick: bool,
}

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut options = Options::default();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match (argument, argument == "--quick") {
            (_, true) => options.quick = true,
            ("--target", _) => options.targets.push(arguments.next().ok_or(USAGE)?.to_owned()),
            ("--program", _) => options.programs.push(arguments.next().ok_or(USAGE)?.to_owned()),
            ("--formulas", _) => return only_formulas(),
            ("--check-tag", _) => return check_tag(arguments.next().ok_or(USAGE)?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    if options.targets.is_empty() {
        options.targets.push(format!("{}-unknown-linux-musl", std::env::consts::ARCH));
    }
    package(&options)
}

fn package(options: &Options) -> Result<(), String> {
    let root = workspace::root();
    let release = Release::read(&root)?;
    let programs = program::select(&options.programs)?;
    let out = root.join("dist/packages");
    std::fs::create_dir_all(&out).map_err(|error| format!("cannot create `{}`: {error}", out.display()))?;
    let mut made = Vec::new();
    for target in &options.targets {
        let target = build::Target::new(target)?;
        for program in &programs {
            let binary = build::build(program, &target, &release, options.quick)?;
            let host_binary = if target.runs_here() {
                binary.clone()
            } else {
                build::build(program, &build::Target::host()?, &release, options.quick)?
            };
            let stage = root.join("dist/stage").join(&target.triple).join(program.name);
            let layout = layout::lay_out(&root, &stage, program, &binary, &host_binary)?;
            made.push(formats::archive(&out, &layout, program, &target, &release)?);
            if target.is_linux() {
                made.push(formats::native_package(&out, &layout, program, &target, &release, "deb")?);
                made.push(formats::native_package(&out, &layout, program, &target, &release, "rpm")?);
                for package in made.iter().rev().take(3) {
                    check_size(package, program, options.quick)?;
                }
            }
        }
    }
    for program in &programs {
        made.push(sbom::write(&out, program, &release)?);
    }
    let sums = checksums(&out)?;
    made.extend(formulas::write(&root, &out, &release, &sums)?);
    for path in &made {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("{:>10} bytes  dist/packages/{name}", crate::dist::size(path)?);
    }
    println!("checksums: dist/packages/SHA256SUMS");
    Ok(())
}

/// Writes checksums and formulas for the packages that are there, which several machines may have
/// built.
fn only_formulas() -> Result<(), String> {
    let root = workspace::root();
    let out = root.join("dist/packages");
    for path in formulas::write(&root, &out, &Release::read(&root)?, &checksums(&out)?)? {
        println!("dist/packages/{}", path.file_name().unwrap_or_default().to_string_lossy());
    }
    Ok(())
}

/// Largest package of the command on the instance, in bytes.
const LIMIT: u64 = 5 << 20;

/// An unoptimised program is larger than what is released.
fn check_size(path: &Path, program: &program::Program, quick: bool) -> Result<(), String> {
    let size = crate::dist::size(path)?;
    if quick || program.name != "imds" || size <= LIMIT {
        return Ok(());
    }
    Err(format!("`{}` has {size} bytes, at most {LIMIT}", path.display()))
}

/// What identifies a release.
#[derive(Debug)]
struct Release {
    version: String,
    /// Short, and `-dirty` if the checkout has changes.
    commit: String,
    /// Seconds since 1970; every file in a package has this time.
    epoch: u64,
    /// The day of `epoch`, as `2026-11-25`.
    date: String,
}

impl Release {
    #[allow(
        clippy::disallowed_methods,
        reason = "SOURCE_DATE_EPOCH is read from the environment by convention"
    )]
    fn read(root: &Path) -> Result<Self, String> {
        let git = |arguments: &[&str]| {
            let output = workspace::output_of(Command::new("git").args(arguments).current_dir(root))?;
            Ok::<String, String>(output.trim().to_owned())
        };
        let version = workspace_version(root)?;
        let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
        let commit = git(&["rev-parse", "--short=12", "HEAD"])? + if changed { "-dirty" } else { "" };
        let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => git(&["log", "-1", "--format=%ct"])?,
        };
        let epoch: u64 = epoch.parse().map_err(|error| format!("SOURCE_DATE_EPOCH `{epoch}`: {error}"))?;
        let date = workspace::output_of(Command::new("date").args([
            "--utc",
            "+%F",
            "--date",
            &format!("@{epoch}"),
        ]))?;
        Ok(Self { version, commit, epoch, date: date.trim().to_owned() })
    }

    /// What `--version` prints behind the program's name.
    fn long_version(&self, target: &str) -> String {
        format!("{} ({} {} {target})", self.version, self.commit, self.date)
    }
}

fn workspace_version(root: &Path) -> Result<String, String> {
    let manifest = workspace::read(&root.join("Cargo.toml"))?;
    let table: toml::Table = manifest.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    let version = table.get("workspace").and_then(|w| w.get("package")?.get("version")?.as_str());
    version.map(str::to_owned).ok_or_else(|| "Cargo.toml names no version".to_owned())
}

/// A tag is released only if it is the version, and the changelog has a section for it.
fn check_tag(tag: &str) -> Result<(), String> {
    let root = workspace::root();
    let version = workspace_version(&root)?;
    if tag != format!("v{version}") {
        return Err(format!("the tag `{tag}` is not `v{version}`, the version in Cargo.toml"));
    }
    let changelog = workspace::read(&root.join("CHANGELOG.md"))?;
    if !changelog.lines().any(|line| line.starts_with(&format!("## {version} "))) {
        return Err(format!("CHANGELOG.md has no section `## {version} - DATE`"));
    }
    println!("{tag} can be released");
    Ok(())
}

/// Writes `SHA256SUMS` over every file in `out`; gives name and sum of each.
fn checksums(out: &Path) -> Result<Vec<(String, String)>, String> {
    let is_generated =
        |name: &str| name == "SHA256SUMS" || formulas::FORMULAS.iter().any(|(_, made)| *made == name);
    let mut names: Vec<String> = std::fs::read_dir(out)
        .map_err(|error| format!("`{}`: {error}", out.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !is_generated(name))
        .collect();
    names.sort();
    let text = workspace::output_of(Command::new("sha256sum").arg("--").args(&names).current_dir(out))?;
    let path: PathBuf = out.join("SHA256SUMS");
    std::fs::write(&path, &text).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let sums = text.lines().filter_map(|line| line.split_once("  "));
    Ok(sums.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_says_what_it_was_built_from() {
        let release =
            Release { version: "1.2.3".into(), commit: "abc".into(), epoch: 0, date: "1970-01-01".into() };
        assert_eq!(
            release.long_version("x86_64-unknown-linux-musl"),
            "1.2.3 (abc 1970-01-01 x86_64-unknown-linux-musl)"
        );
    }

    #[test]
    fn only_the_tag_of_this_version_is_released() {
        let version = workspace_version(&workspace::root()).unwrap();
        let expected = format!("the tag `v0.0.0` is not `v{version}`, the version in Cargo.toml");
        assert_eq!(check_tag("v0.0.0"), Err(expected));
    }
}
