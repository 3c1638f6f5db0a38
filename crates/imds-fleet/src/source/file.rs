//! Reads state from files, with no credentials: `aws ec2 describe-instances` output, AWS Config snapshots, and this
//! program's own JSON and JSON Lines. None is held in memory as a whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::document::{self, Kind, Part};
use crate::checkpoint::{self, Line};
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Scan};
use crate::scan::Event;

/// Reads one file. `region` stands in where the file does not say.
///
/// # Errors
///
/// When it cannot be read or is none of the known kinds. What came before the place where it breaks off has been
/// handed on by then.
pub fn read(
    path: &Path,
    region: Option<&str>,
    to: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| Error::file(path, source))?;
    let mut seen: BTreeMap<AccountRegion, u64> = BTreeMap::new();
    let mut incomplete: BTreeMap<AccountRegion, Scan> = BTreeMap::new();
    let kind = document::read(BufReader::new(file), region, &mut |part| match part {
        Part::Resource(resource) => {
            *seen.entry(resource.place().clone()).or_insert(0) += u64::from(resource.kind() == "instance");
            to(Event::Found(vec![resource]))
        }
        Part::Incomplete(scan) => {
            incomplete.insert(scan.place.clone(), scan);
            Ok(())
        }
    })?;
    match kind {
        Kind::Known => {}
        Kind::Unknown => return lines(path, to),
        Kind::Broken(why) => {
            return Err(Error::Input(format!("`{}` is not a state file: {why}", path.display())));
        }
    }
    for (place, instances) in seen {
        if !incomplete.contains_key(&place) {
            to(Event::Scanned(Scan { place, instances, gaps: Vec::new() }))?;
        }
    }
    incomplete.into_values().try_for_each(|scan| to(Event::Scanned(scan)))
}

fn lines(path: &Path, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
    checkpoint::for_each(path, &mut |line| match line {
        Line::Resource(resource) => to(Event::Found(vec![resource])),
        Line::Scan(line) => to(Event::Scanned(line.scan)),
    })
}
