//! Stripped static binaries, one per published command, in `dist/`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{link, workspace};

pub(crate) fn run(packages: &[String]) -> Result<(), String> {
    let target = target()?;
    let commands = commands(packages)?;
    let dist = workspace::root().join("dist");
    std::fs::create_dir_all(&dist).map_err(|error| format!("cannot create `{}`: {error}", dist.display()))?;
    for built in build(&commands, &target, Symbols::Stripped)? {
        let name = built.file_name().unwrap_or_default();
        let place = dist.join(name);
        std::fs::copy(&built, &place)
            .map_err(|error| format!("cannot copy `{}` to dist/: {error}", built.display()))?;
        println!("{:>10} bytes  dist/{}  ({target})", size(&place)?, name.to_string_lossy());
    }
    Ok(())
}

/// Builds one command of the workspace as `dist` ships it; gives the binary's path.
pub(crate) fn static_binary(package: &str) -> Result<PathBuf, String> {
    let commands = commands(&[package.to_owned()])?;
    build(&commands, &target()?, Symbols::Stripped)?.pop().ok_or_else(|| format!("`{package}` has no binary"))
}

/// The same with the names of its functions.
pub(crate) fn binary_with_symbols(package: &str) -> Result<PathBuf, String> {
    let commands = commands(&[package.to_owned()])?;
    build(&commands, &target()?, Symbols::Kept)?.pop().ok_or_else(|| format!("`{package}` has no binary"))
}

enum Symbols {
    Stripped,
    Kept,
}

pub(crate) fn size(path: &Path) -> Result<u64, String> {
    let metadata = std::fs::metadata(path);
    metadata.map(|metadata| metadata.len()).map_err(|error| format!("`{}`: {error}", path.display()))
}

/// A command of the workspace: its package and its binary.
struct Shipped {
    package: String,
    binary: String,
}

/// The binaries of `packages`, or of every package that may be published.
fn commands(packages: &[String]) -> Result<Vec<Shipped>, String> {
    let metadata = metadata()?;
    let mut commands = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        // `publish = false` is an empty list of registries here.
        let published = package["publish"].as_array().is_none_or(|registries| !registries.is_empty());
        let wanted =
            if packages.is_empty() { published } else { packages.iter().any(|wanted| wanted == name) };
        for target in package["targets"].as_array().into_iter().flatten().filter(|_| wanted) {
            if target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin")) {
                let binary = target["name"].as_str().unwrap_or_default().to_owned();
                commands.push(Shipped { package: name.to_owned(), binary });
            }
        }
    }
    if commands.is_empty() { Err(format!("no binary in {packages:?}")) } else { Ok(commands) }
}

fn build(commands: &[Shipped], target: &str, symbols: Symbols) -> Result<Vec<PathBuf>, String> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--locked", "--target", target]);
    for command in commands {
        cargo.args(["--package", &command.package, "--bin", &command.binary]);
    }
    if matches!(symbols, Symbols::Kept) {
        cargo.args(["--config", "profile.release.strip=false"]);
    }
    link::set(&mut cargo, target)?;
    workspace::run(&mut cargo)?;
    let metadata = metadata()?;
    let directory =
        metadata["target_directory"].as_str().ok_or("cargo metadata names no target directory")?;
    let directory = Path::new(directory).join(target).join("release");
    let built: Vec<PathBuf> = commands.iter().map(|command| directory.join(&command.binary)).collect();
    for binary in &built {
        if is_dynamic(binary)? {
            return Err(format!("`{}` is not static: it names a program interpreter", binary.display()));
        }
    }
    Ok(built)
}

/// What cargo says of the workspace.
pub(crate) fn metadata() -> Result<Value, String> {
    let mut cargo = workspace::cargo();
    let metadata = workspace::output_of(cargo.args(["metadata", "--no-deps", "--format-version=1"]))?;
    serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))
}

/// The musl target of this machine, which is installed if it is missing.
fn target() -> Result<String, String> {
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let sysroot = workspace::output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(&target).is_dir() {
        return Ok(target);
    }
    println!("the target `{target}` is missing; installing it with rustup");
    let installed = Command::new("rustup").args(["target", "add", &target]).stdin(Stdio::null()).status();
    match installed {
        Ok(status) if status.success() => Ok(target),
        _ => Err(format!(
            "the target `{target}` is not installed and rustup cannot install it; get it from your toolchain's \
             packages (rust-std for {target}), or run `rustup target add {target}` where the network allows it"
        )),
    }
}

/// Whether a program needs a dynamic loader.
pub(crate) fn is_dynamic(binary: &Path) -> Result<bool, String> {
    let bytes = std::fs::read(binary).map_err(|error| format!("`{}`: {error}", binary.display()))?;
    has_interpreter(&bytes)
}

/// Whether a 64-bit little-endian ELF file asks for a dynamic loader (a program header of type
/// `PT_INTERP`).
fn has_interpreter(elf: &[u8]) -> Result<bool, String> {
    const PT_INTERP: u64 = 3;
    let field = |offset: usize, length: usize| {
        let bytes = elf.get(offset..offset + length).ok_or("an ELF file that is cut")?;
        Ok::<u64, String>(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    };
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return Err("not a 64-bit little-endian ELF file".to_owned());
    }
    let (table, entry, count) = (field(32, 8)?, field(54, 2)?, field(56, 2)?);
    for index in 0..count {
        let offset = usize::try_from(table + index * entry).map_err(|error| error.to_string())?;
        if field(offset, 4)? == PT_INTERP {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::has_interpreter;

    #[test]
    fn knows_a_dynamic_program() {
        let this_test = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(has_interpreter(&this_test), Ok(cfg!(not(target_feature = "crt-static"))));
    }

    #[test]
    fn refuses_what_is_no_elf_file() {
        assert_eq!(has_interpreter(b"#!/bin/sh"), Err("not a 64-bit little-endian ELF file".to_owned()));
        assert_eq!(has_interpreter(b"\x7fELF\x02\x01"), Err("an ELF file that is cut".to_owned()));
    }
}
