//! Builds one program for one target, the same bytes wherever it is built.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Release;
use super::program::Program;
use crate::{dist, link, workspace};

/// A target triple, and how it is built from here.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) triple: String,
}

impl Target {
    pub(crate) fn new(triple: &str) -> Result<Self, String> {
        const KNOWN: [&str; 5] = [
            "x86_64-unknown-linux-musl",
            "aarch64-unknown-linux-musl",
            "x86_64-apple-darwin",
            "aarch64-apple-darwin",
            "x86_64-pc-windows-gnu",
        ];
        if KNOWN.contains(&triple) {
            Ok(Self { triple: triple.to_owned() })
        } else {
            Err(format!("no packages are made for `{triple}`, but for `{}`", KNOWN.join("`, `")))
        }
    }

    /// The target of this machine, whose programs write the manual pages for all.
    pub(crate) fn host() -> Result<Self, String> {
        Self::new(&format!("{}-unknown-linux-musl", std::env::consts::ARCH))
    }

    pub(crate) fn is_linux(&self) -> bool {
        self.triple.contains("-linux-")
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.triple.contains("-windows-")
    }

    pub(crate) fn runs_here(&self) -> bool {
        self.is_linux() && self.triple.starts_with(std::env::consts::ARCH)
    }

    pub(crate) fn executable(&self, program: &str) -> String {
        if self.is_windows() { format!("{program}.exe") } else { program.to_owned() }
    }

    /// As Debian and RPM name the processor.
    pub(crate) fn debian_architecture(&self) -> &'static str {
        if self.triple.starts_with("aarch64") { "arm64" } else { "amd64" }
    }
}

/// Builds `program`; gives the path of the binary.
pub(crate) fn build(
    program: &Program,
    target: &Target,
    release: &Release,
    quick: bool,
) -> Result<PathBuf, String> {
    let profile = if quick { "dev" } else { program.profile };
    let mut cargo = workspace::cargo();
    cargo.arg(build_command(target)?);
    cargo.args(["--locked", "--quiet", "--profile", profile, "--target", &target.triple]);
    cargo.args(["--package", program.krate, "--bin", program.name]);
    cargo.arg("--config").arg(rustflags(target)?);
    if quick {
        cargo.args(["--config", "profile.dev.strip=true"]);
    }
    // Strings of the programs, read at compile time.
    cargo.env("IMDS_VERSION", release.long_version(&target.triple));
    cargo.env("SOURCE_DATE_EPOCH", release.epoch.to_string());
    if !quick && target.runs_here() {
        link::set(&mut cargo, &target.triple)?;
    }
    workspace::run(&mut cargo)?;
    let metadata = dist::metadata()?;
    let directory =
        metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    // Cargo's folder for the profile `dev` has another name.
    let folder = if quick { "debug" } else { profile };
    let built = Path::new(directory).join(&target.triple).join(folder).join(target.executable(program.name));
    if target.is_linux() && dist::is_dynamic(&built)? {
        return Err(format!("`{}` is not static: it names a program interpreter", built.display()));
    }
    Ok(built)
}

/// `build`, or `zigbuild` where a linker for another system or processor is needed.
fn build_command(target: &Target) -> Result<&'static str, String> {
    if target.runs_here() || target.is_windows() {
        return Ok("build");
    }
    let zig = Command::new("cargo-zigbuild").arg("--version").output();
    if zig.is_ok_and(|output| output.status.success()) {
        return Ok("zigbuild");
    }
    Err(format!(
        "to build for {} here, install cargo-zigbuild and zig (`cargo install cargo-zigbuild`, `pip install ziglang`)",
        target.triple
    ))
}

/// No path of this machine is in the program; cargo adds these flags to those of
/// `.cargo/config.toml`.
#[allow(clippy::disallowed_methods, reason = "cargo's own directories are named by the environment")]
fn rustflags(target: &Target) -> Result<String, String> {
    let cargo_home = match (std::env::var("CARGO_HOME"), std::env::var("HOME")) {
        (Ok(cargo_home), _) => cargo_home,
        (_, Ok(home)) => format!("{home}/.cargo"),
        _ => return Err("neither CARGO_HOME nor HOME is set".to_owned()),
    };
    let root = workspace::root();
    let flags = [
        format!("--remap-path-prefix={cargo_home}/registry/src=/cargo"),
        format!("--remap-path-prefix={}=/src", root.display()),
    ];
    Ok(format!("target.{}.rustflags={flags:?}", target.triple))
}
