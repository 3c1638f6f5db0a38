//! Reads state from files, with no credentials: output of the AWS CLI, AWS Config, Steampipe,
//! Terraform, and this program's own. What cannot be read of a file makes the scan incomplete, and
//! is named.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::path::Path;

use super::document::{self, Kind, Part};
use super::{input, table};
use crate::checkpoint::Line;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Gap, Reason, Resource, Scan};
use crate::scan::Event;

/// How many things that cannot be read are named of one file.
const NAMED: usize = 20;

/// Reads one file, or standard input for `-`. `region` stands in where it does not say.
///
/// # Errors
///
/// Returns an error if it cannot be opened, or is none of the known kinds.
pub fn read(
    path: &Path,
    region: Option<&str>,
    to: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut from = input::open(path)?;
    let head = from.fill_buf().map_err(|source| Error::unusable("read", path, &source))?.to_vec();
    let mut file = Seen::new(path);
    if is_lines(&head) {
        lines(path, from, &mut file, to)?;
        return file.finish(true, to);
    }
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if !head.trim_ascii_start().starts_with(b"{") && table::is_head(&String::from_utf8_lossy(first)) {
        table::read(from, region, &mut |part| file.take(part, to))?;
        return file.finish(false, to);
    }
    match document::read(from, region, &mut |part| file.take(part, to))? {
        Kind::Known => {}
        Kind::Broken { why, known: true } => file.unreadable(format!("it breaks off: {why}")),
        Kind::Broken { why, known: false } => {
            return Err(Error::Input(format!("`{}` is not a state file: {why}", path.display())));
        }
        Kind::Unknown => {
            return Err(Error::Input(format!(
                "`{}` is not a state file: it is neither output of the AWS CLI, AWS Config, Steampipe or Terraform \
                 about instances, nor of `imds-fleet state`",
                path.display()
            )));
        }
    }
    file.finish(false, to)
}

/// Whether a file begins as the JSON Lines of `state` do.
fn is_lines(head: &[u8]) -> bool {
    let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"{\"kind\":\"")
        || matches!(serde_json::from_slice(line), Ok(Line::Resource(_) | Line::Scan(_)))
}

/// Reads our own lines, one by one: a damaged one hides no other.
fn lines(
    path: &Path,
    from: impl BufRead,
    file: &mut Seen,
    to: &mut dyn FnMut(Event) -> Result<(), Error>,
) -> Result<(), Error> {
    for (number, line) in from.split(b'\n').enumerate() {
        let line = line.map_err(|source| Error::file(path, source))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(Line::Resource(resource)) => file.take(Part::Resource(resource), to)?,
            Ok(Line::Scan(line)) => file.take(Part::Scan(line.scan), to)?,
            Ok(Line::Begin(_)) => {}
            Err(error) => file.unreadable(format!("line {} is damaged: {error}", number + 1)),
        }
    }
    Ok(())
}

/// What a file has held so far.
struct Seen {
    path: String,
    /// The instances of each account and Region: a scan that was resumed holds some of them twice.
    instances: BTreeMap<AccountRegion, BTreeSet<String>>,
    scans: BTreeMap<AccountRegion, Scan>,
    unreadable: Vec<String>,
    more_unreadable: usize,
    said: Option<u64>,
}

impl Seen {
    fn new(path: &Path) -> Self {
        Self {
            path: path.display().to_string(),
            instances: BTreeMap::new(),
            scans: BTreeMap::new(),
            unreadable: Vec::new(),
            more_unreadable: 0,
            said: None,
        }
    }

    fn unreadable(&mut self, why: String) {
        if self.unreadable.len() < NAMED {
            self.unreadable.push(why);
        } else {
            self.more_unreadable += 1;
        }
    }

    fn take(&mut self, part: Part, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
        match part {
            Part::Resource(resource) => {
                let here = self.instances.entry(resource.place().clone()).or_default();
                if matches!(resource, Resource::Instance(_)) {
                    here.insert(resource.id().to_owned());
                }
                return to(Event::Found(vec![resource]));
            }
            Part::Scan(scan) => {
                // A scan that was run again has a record of each run: the last one counts.
                self.scans.insert(scan.place.clone(), scan);
            }
            Part::Unreadable(why) => self.unreadable(why),
            Part::Instances(said) => self.said = Some(self.said.unwrap_or(0) + said),
        }
        Ok(())
    }

    fn gap(&self, message: String) -> Gap {
        Gap { call: format!("`{}`", self.path), reason: Reason::Other, message }
    }

    /// Says how the scan of each account and Region ended. In JSON Lines each has a record of its
    /// own.
    fn finish(mut self, recorded: bool, to: &mut dyn FnMut(Event) -> Result<(), Error>) -> Result<(), Error> {
        let total: u64 = self.instances.values().map(|ids| ids.len() as u64).sum();
        if let Some(said) = self.said.filter(|said| *said != total) {
            self.unreadable(format!("it says that it holds {said} instances, and holds {total}"));
        }
        if self.more_unreadable > 0 {
            self.unreadable.push(format!("and {} more", self.more_unreadable));
        }
        let mut scans = std::mem::take(&mut self.scans);
        for (place, ids) in &self.instances {
            let seen = ids.len() as u64;
            let record = scans.remove(place);
            let mut scan = record.clone().unwrap_or_else(|| Scan {
                place: place.clone(),
                instances: seen,
                gaps: Vec::new(),
            });
            if recorded && record.is_none() {
                scan.gaps
                    .push(self.gap("the record of its scan is missing: it may have been cut".to_owned()));
            } else if recorded && scan.instances != seen {
                let text = format!("its record says {} instances, and it holds {seen}", scan.instances);
                scan.gaps.push(self.gap(text));
            }
            to(Event::Scanned(scan))?;
        }
        for mut scan in scans.into_values() {
            if recorded && scan.instances > 0 && scan.is_complete() {
                let text = format!("its record says {} instances, and it holds none", scan.instances);
                scan.gaps.push(self.gap(text));
            }
            to(Event::Scanned(scan))?;
        }
        if self.unreadable.is_empty() {
            return Ok(());
        }
        let place = AccountRegion { account: "unknown".to_owned(), region: "unknown".to_owned() };
        let gaps = self.unreadable.iter().map(|why| self.gap(why.clone())).collect();
        to(Event::Scanned(Scan { place, instances: 0, gaps }))
    }
}
