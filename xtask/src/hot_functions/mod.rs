//! Which functions reading one value runs: every instruction of it is stepped through.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::link::plain_name;
use crate::service::Emulator;
use crate::{dist, workspace};

/// The command lines that are made fast: each with an empty token store and with a full one.
const COMMANDS: [&[&str]; 3] =
    [&["get", "instance-id"], &["get", "placement/region", "ami-id"], &["get", "spot/instance-action"]];

/// Writes `functions.txt` anew.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask hot-functions".to_owned());
    }
    if std::env::consts::ARCH != "x86_64" {
        return Err("the list of hot functions is made on x86-64; it serves every processor".to_owned());
    }
    let imds = dist::binary_with_symbols("imds-cli")?;
    let scratch = tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
    let steps = scratch.path().join("steps");
    let source = workspace::root().join("xtask/src/hot_functions/steps.c");
    workspace::run(Command::new("cc").args(["-O2", "-o"]).arg(&steps).arg(source))?;
    let emulator = Emulator::start(&imds, &[])?;
    let symbols = Symbols::of(&imds)?;
    let (mut seen, mut list) = (HashSet::new(), String::new());
    for (number, command) in COMMANDS.iter().enumerate() {
        let store = scratch.path().join(number.to_string());
        for _ in ["empty store", "full store"] {
            let addresses = workspace::output_of(
                Command::new(&steps)
                    .arg(&imds)
                    .args(*command)
                    .env_clear()
                    .env(imds_model::env::ENDPOINT, &emulator.endpoint)
                    .env(imds_model::env::CACHE_DIR, &store)
                    .stdin(Stdio::null()),
            )?;
            for address in addresses.lines() {
                let address = u64::from_str_radix(address, 16).map_err(|error| format!("steps: {error}"))?;
                let name = symbols.name_at(address).map(plain_name);
                if let Some(name) = name.filter(|name| seen.insert(name.clone())) {
                    list.push_str(&name);
                    list.push('\n');
                }
            }
        }
    }
    let place = workspace::root().join("xtask/src/link/functions.txt");
    std::fs::write(&place, &list).map_err(|error| format!("cannot write `{}`: {error}", place.display()))?;
    println!("{} functions", seen.len());
    Ok(())
}

/// The functions of a program by their first address.
struct Symbols(Vec<(u64, String)>);

impl Symbols {
    fn of(binary: &Path) -> Result<Self, String> {
        let names =
            workspace::output_of(Command::new("nm").args(["--defined-only", "--format=posix"]).arg(binary))?;
        let mut functions = Vec::new();
        for line in names.lines() {
            let mut words = line.split(' ');
            if let (Some(name), Some("t" | "T" | "w" | "W"), Some(address)) =
                (words.next(), words.next(), words.next())
            {
                let address = u64::from_str_radix(address, 16).map_err(|error| format!("nm: {error}"))?;
                functions.push((address, name.to_owned()));
            }
        }
        functions.sort_unstable();
        Ok(Self(functions))
    }

    fn name_at(&self, address: u64) -> Option<&str> {
        let after = self.0.partition_point(|(first, _)| *first <= address);
        self.0.get(after.checked_sub(1)?).map(|(_, name)| name.as_str())
    }
}
