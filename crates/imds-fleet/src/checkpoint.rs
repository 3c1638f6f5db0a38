//! What a scan has found so far, in a file, so that a scan that was cut short goes on where it stopped.
//!
//! The file is the JSON Lines output itself: the lines of a place count once the line that ends its scan is there.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Resource, Scan};
use crate::scan::Event;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// The end of a place's scan.
    Scan(ScanLine),
    /// Something found.
    Resource(Resource),
}

/// A scan's record with its kind, as it stands among resources.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScanLine {
    kind: ScanKind,
    /// The record.
    #[serde(flatten)]
    pub scan: Scan,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScanKind {
    Scan,
}

impl ScanLine {
    /// The line of a scan.
    #[must_use]
    pub fn new(scan: Scan) -> Self {
        Self { kind: ScanKind::Scan, scan }
    }
}

/// An open checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Checkpoint {
    /// Opens the file and says what is already done: the complete places only, the others are scanned again.
    ///
    /// # Errors
    ///
    /// When the file cannot be used, or is something else.
    pub fn open(path: &Path) -> Result<(Self, BTreeSet<AccountRegion>), Error> {
        let mut done = BTreeSet::new();
        if path.exists() {
            for_each(path, &mut |line| {
                if let Line::Scan(line) = line
                    && line.scan.is_complete()
                {
                    done.insert(line.scan.place);
                }
                Ok(())
            })?;
        }
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(|source| Error::file(path, source))?;
        // A run that was killed may have left half a line: it ends here, and counts for nothing.
        file.write_all(b"\n").map_err(|source| Error::file(path, source))?;
        Ok((Self { path: path.to_owned(), file: BufWriter::new(file) }, done))
    }

    /// Gives what earlier runs found in the places that are done.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or `to` fails.
    pub fn replay(
        &self,
        done: &BTreeSet<AccountRegion>,
        to: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // A place that took two runs has lines of both; a scan that ended incomplete is followed by a complete one.
        let mut seen: std::collections::HashSet<(AccountRegion, String)> = std::collections::HashSet::new();
        let mut ended = BTreeSet::new();
        for_each(&self.path, &mut |line| match line {
            Line::Resource(resource) if done.contains(resource.place()) => {
                let version = match &resource {
                    Resource::LaunchTemplate(template) => template.version,
                    _ => 0,
                };
                let key = format!("{}/{}/{version}", resource.kind(), resource.id());
                if seen.insert((resource.place().clone(), key)) {
                    to(Event::Found(vec![resource]))
                } else {
                    Ok(())
                }
            }
            Line::Scan(line) if line.scan.is_complete() && ended.insert(line.scan.place.clone()) => {
                to(Event::Scanned(line.scan))
            }
            Line::Resource(_) | Line::Scan(_) => Ok(()),
        })
    }

    /// Adds what was just found.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn add(&mut self, event: &Event) -> Result<(), Error> {
        let result = match event {
            Event::AccountRegions(_) => Ok(()),
            Event::Found(resources) => {
                resources.iter().try_for_each(|resource| write(&mut self.file, resource))
            }
            Event::Scanned(scan) => {
                write(&mut self.file, &ScanLine::new(scan.clone())).and_then(|()| self.file.flush())
            }
        };
        result.map_err(|source| Error::file(&self.path, source))
    }
}

/// Writes one line.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(to: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// Reads the file line by line. Half a line, as a killed run leaves it, is passed over.
///
/// # Errors
///
/// When the file cannot be read, or `to` fails.
pub fn for_each(path: &Path, to: &mut dyn FnMut(Line) -> Result<(), Error>) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| Error::file(path, source))?;
    let mut any = false;
    let mut foreign = None;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|source| Error::file(path, source))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line) {
            Ok(line) => {
                any = true;
                to(line)?;
            }
            Err(_) => foreign = foreign.or(Some(number + 1)),
        }
    }
    match foreign {
        Some(number) if !any => Err(Error::Input(format!(
            "`{}` is not the JSON Lines output of a scan (line {number})",
            path.display()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::options::{Options, Posture};
    use crate::inventory::resource::{Gap, Instance, Reason};

    fn place(region: &str) -> AccountRegion {
        AccountRegion { account: "111122223333".to_owned(), region: region.to_owned() }
    }

    fn instance(region: &str, id: &str) -> Event {
        Event::Found(vec![Resource::Instance(Box::new(Instance {
            place: place(region),
            id: id.to_owned(),
            name: None,
            run_state: "running".to_owned(),
            posture: Posture::Unknown,
            options: Options::NONE,
            options_state: None,
            instance_type: None,
            image_id: None,
            launched_at: None,
            lifecycle: None,
            auto_scaling_group: None,
            operator: None,
            hidden: false,
            tags: Default::default(),
        }))])
    }

    fn ended(region: &str, gaps: Vec<Gap>) -> Event {
        Event::Scanned(Scan { place: place(region), instances: 1, gaps })
    }

    #[test]
    fn only_what_was_complete_counts_and_half_a_line_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("scan.jsonl");
        let (mut checkpoint, done) = Checkpoint::open(&path).unwrap();
        assert!(done.is_empty());
        let gap = Gap { call: "DescribeImages".to_owned(), reason: Reason::Denied, message: "no".to_owned() };
        for event in [
            instance("eu-west-1", "i-1"),
            ended("eu-west-1", vec![]),
            instance("eu-west-2", "i-2"),
            ended("eu-west-2", vec![gap]),
            instance("eu-west-3", "i-3"),
        ] {
            checkpoint.add(&event).unwrap();
        }
        drop(checkpoint);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"kind\":\"inst").unwrap();

        let (checkpoint, done) = Checkpoint::open(&path).unwrap();
        assert_eq!(done.iter().map(|place| place.region.as_str()).collect::<Vec<_>>(), ["eu-west-1"]);
        let mut replayed = Vec::new();
        checkpoint
            .replay(&done, &mut |event| {
                replayed.push(match event {
                    Event::Found(found) => found[0].id().to_owned(),
                    Event::Scanned(scan) => scan.place.region,
                    Event::AccountRegions(_) => String::new(),
                });
                Ok(())
            })
            .unwrap();
        assert_eq!(replayed, ["i-1", "eu-west-1"]);
    }

    #[test]
    fn another_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        std::fs::write(&path, "shopping list\n").unwrap();
        let error = Checkpoint::open(&path).unwrap_err();
        assert!(error.to_string().contains("is not the JSON Lines output of a scan (line 1)"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "shopping list\n");
    }
}
