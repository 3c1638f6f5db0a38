//! The linker that rustc calls for a static binary: this program, by a variable of its environment.
//!
//! The kernel maps a program's text in chunks of 64 KiB as they are touched. Left where link-time
//! optimisation puts them, the 0.2 MB of functions that `imds get` runs are spread over all 3 MB:
//! twenty more page faults in a process of half a millisecond, and 1.3 MiB more of resident memory.
//! So they are put next to each other. `functions.txt` names them in the order of their first use;
//! `cargo xtask hot-functions` writes it.
//!
//! Only the linker sees the symbols of link-time optimisation, whose names hold hashes of the
//! compiler; so the list is turned into symbols here. It calls the usual C compiler with lld, which
//! comes with the Rust toolchain and, unlike GNU ld, takes an order of symbols.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace;

/// The functions in the order of their first use.
const FUNCTIONS: &str = include_str!("functions.txt");
/// The variable that makes this program a linker; it names the linker to call.
const REAL_LINKER: &str = "IMDS_XTASK_LINKER";

/// Has `cargo` link programs for `triple` with their hot functions in order.
pub(crate) fn set(cargo: &mut Command, triple: &str) -> Result<(), String> {
    let this = std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    let variable = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"));
    #[allow(clippy::disallowed_methods, reason = "cargo's own setting, passed on")]
    let real = std::env::var_os(&variable).unwrap_or_else(|| "cc".into());
    cargo.env(variable, this).env(REAL_LINKER, real);
    Ok(())
}

/// The linker to call, where rustc has called this program as one.
#[allow(clippy::disallowed_methods, reason = "set by `set`, for the process that cargo starts")]
pub(crate) fn real_linker() -> Option<std::ffi::OsString> {
    std::env::var_os(REAL_LINKER)
}

/// Links as rustc asks for.
pub(crate) fn run(linker: &std::ffi::OsStr, arguments: &[String]) -> Result<(), String> {
    let mut command = Command::new(linker);
    command.args(arguments);
    match lld()? {
        Some(lld) => {
            let objects: Vec<&String> =
                arguments.iter().filter(|argument| argument.ends_with(".rcgu.o")).collect();
            let order = order(FUNCTIONS, &symbols(&objects)?);
            let output = after(arguments, "-o").ok_or("rustc names no output to the linker")?;
            let file = PathBuf::from(format!("{output}.order"));
            std::fs::write(&file, order.join("\n") + "\n")
                .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
            command.arg("-fuse-ld=lld").arg(format!("-B{}", lld.display()));
            command.arg(format!("-Wl,--symbol-ordering-file={}", file.display()));
            // A name of the list that this program lacks is no fault: one list serves all programs.
            command.arg("-Wl,--no-warn-symbol-ordering");
        }
        None => eprintln!("note: the toolchain has no lld: hot functions are not put in order"),
    }
    workspace::run(&mut command)
}

/// The folder in which the toolchain has lld for C compilers to find.
fn lld() -> Result<Option<PathBuf>, String> {
    let sysroot = workspace::output_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let host = workspace::output_of(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(host.trim()).join("bin/gcc-ld");
    Ok(folder.join("ld.lld").exists().then_some(folder))
}

fn after<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    let place = arguments.iter().position(|argument| argument == option)?;
    arguments.get(place + 1).map(String::as_str)
}

fn symbols(objects: &[&String]) -> Result<Vec<String>, String> {
    let names = workspace::output_of(
        Command::new("nm").args(["--defined-only", "--format=posix", "--no-sort"]).args(objects),
    )?;
    Ok(names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

/// The symbols of `functions`, in its order. A name that no symbol has is kept: it is that of a
/// function of libc, which has no other name.
fn order(functions: &str, symbols: &[String]) -> Vec<String> {
    let mut by_name: HashMap<String, Vec<&str>> = HashMap::new();
    for symbol in symbols {
        by_name.entry(plain_name(symbol)).or_default().push(symbol);
    }
    let mut order = Vec::new();
    for function in functions.lines() {
        match by_name.get_mut(function) {
            Some(symbols) => {
                symbols.sort_unstable();
                order.extend(symbols.iter().map(|symbol| (*symbol).to_owned()));
            }
            None => order.push(function.to_owned()),
        }
    }
    order
}

/// A function's name as it stands in `functions.txt`, the same for every build: without the hash of
/// its crate and without the number that link-time optimisation adds to one of two equal names.
pub(crate) fn plain_name(symbol: &str) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    match name.rsplit_once('.') {
        Some((name, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            name.to_owned()
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{order, plain_name};

    #[test]
    fn names_no_hash_and_no_number() {
        assert_eq!(plain_name("_RNvNtCs5l0xKqZ1xYz_4imds5early3run"), "imds::early::run");
        assert_eq!(plain_name("_RNvNtCs5l0xKqZ1xYz_4imds5early3run.1268"), "imds::early::run");
        assert_eq!(plain_name("memcpy"), "memcpy");
    }

    #[test]
    fn lays_symbols_out_in_the_order_of_the_list_whatever_their_hash() {
        let symbols = [
            "_ZN4imds4late17h0123456789abcdefE",
            "_ZN4imds5other17h0123456789abcdefE",
            "_ZN4imds5early17hfedcba9876543210E",
            "_ZN4imds5early17h0123456789abcdefE",
        ]
        .map(str::to_owned);
        let order = order("imds::early\nmemcpy\nimds::late\n", &symbols);
        let expected = [
            "_ZN4imds5early17h0123456789abcdefE",
            "_ZN4imds5early17hfedcba9876543210E",
            "memcpy",
            "_ZN4imds4late17h0123456789abcdefE",
        ];
        assert_eq!(order, expected);
    }
}
