//! What a scan has found so far, in a file, so that a scan that was cut short resumes where it
//! stopped.
//!
//! The file is the JSON Lines output itself behind a line that says what was to be scanned: the
//! lines of an account and Region count once the line that ends its scan is there.

use std::collections::{BTreeSet, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Resource, Scan};
use crate::scan::Event;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    /// The beginning of a checkpoint.
    Begin(BeginLine),
    /// The end of a place's scan.
    Scan(ScanLine),
    /// Something found.
    Resource(Resource),
}

/// What a checkpoint is of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeginLine {
    kind: BeginKind,
    scope: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BeginKind {
    Checkpoint,
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
    /// Opens the file and says what is already done: the complete accounts and Regions only, the
    /// others are scanned again. A file of another kind, or of another scope, is left as it is.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, is something else, or is the checkpoint of
    /// another scan.
    pub fn open(path: &Path, scope: &str) -> Result<(Self, BTreeSet<AccountRegion>), Error> {
        let failed = |source| Error::file(path, source);
        // A pipe would block, and what is written to a device is not there for the next run.
        if std::fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
            return Err(Error::Input(format!("cannot open `{}`: it is a pipe or a device", path.display())));
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| Error::unusable("open", path, &source))?;
        let begin = BeginLine { kind: BeginKind::Checkpoint, scope: scope.to_owned() };
        let mut first = serde_json::to_vec(&begin).map_err(|error| failed(error.into()))?;
        first.push(b'\n');
        let mut done = BTreeSet::new();
        let mut whole = 0_u64;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(failed)?;
            // A line without its end was being written when the run was stopped: it is cut, and
            // counts for nothing.
            let torn = !line.ends_with(b"\n");
            if number == 0 && !(torn && first.starts_with(&line)) {
                recognise(path, &line, scope)?;
            }
            if read == 0 || torn {
                break;
            }
            number += 1;
            whole += read as u64;
            match serde_json::from_slice(&line) {
                Ok(Line::Scan(line)) if line.scan.is_complete() => {
                    done.insert(line.scan.place);
                }
                Ok(_) => {}
                Err(error) => {
                    return Err(Error::Input(format!(
                        "checkpoint `{}`, line {number}, is damaged: {error}",
                        path.display()
                    )));
                }
            }
        }
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let mut checkpoint = Self { path: path.to_owned(), file: BufWriter::new(file) };
        if number == 0 {
            checkpoint.file.write_all(&first).and_then(|()| checkpoint.file.flush()).map_err(failed)?;
        }
        Ok((checkpoint, done))
    }

    /// Gives what earlier runs found in the places that are done.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or `to` fails.
    pub fn replay(
        &self,
        done: &BTreeSet<AccountRegion>,
        to: &mut dyn FnMut(Event) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // A place that took two runs has lines of both; a scan that ended incomplete is followed by
        // a complete one.
        let mut seen: HashSet<(AccountRegion, String)> = HashSet::new();
        let mut ended = BTreeSet::new();
        for_each(&self.path, &mut |line| match line {
            Line::Resource(resource) if done.contains(resource.place()) => {
                let key = resource.key();
                if seen.insert((resource.place().clone(), key)) {
                    to(Event::Found(vec![resource]))
                } else {
                    Ok(())
                }
            }
            Line::Scan(line) if line.scan.is_complete() && ended.insert(line.scan.place.clone()) => {
                to(Event::Scanned(line.scan))
            }
            Line::Begin(_) | Line::Resource(_) | Line::Scan(_) => Ok(()),
        })
    }

    /// Adds what was just found.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub fn add(&mut self, event: &Event) -> Result<(), Error> {
        let result = match event {
            Event::AccountRegions(_) | Event::NotLookedAt(_) => Ok(()),
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
/// Returns an error if it cannot be written.
pub fn write(to: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// Refuses a file that does not begin as a checkpoint of this scan.
fn recognise(path: &Path, line: &[u8], scope: &str) -> Result<(), Error> {
    let path = path.display();
    match serde_json::from_slice(line) {
        Ok(Line::Begin(begin)) if begin.scope == scope => Ok(()),
        Ok(Line::Begin(begin)) => Err(Error::Input(format!(
            "checkpoint `{path}` is of another scan: it was begun for {}, and this is {scope}",
            begin.scope
        ))),
        Ok(_) => Err(Error::Input(format!(
            "`{path}` is the output of `state`, not a checkpoint: it does not say what was to be scanned"
        ))),
        Err(_) => Err(Error::Input(format!("`{path}` is not a checkpoint and was left as it is"))),
    }
}

/// Reads an open checkpoint line by line.
fn for_each(path: &Path, to: &mut dyn FnMut(Line) -> Result<(), Error>) -> Result<(), Error> {
    let failed = |source| Error::file(path, source);
    for line in BufReader::new(File::open(path).map_err(failed)?).lines() {
        let line = line.map_err(failed)?;
        to(serde_json::from_str(&line).map_err(|error| failed(error.into()))?)?;
    }
    Ok(())
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
            exposure: None,
            risk: None,
        }))])
    }

    fn ended(region: &str, gaps: Vec<Gap>) -> Event {
        Event::Scanned(Scan { place: place(region), instances: 1, gaps })
    }

    #[test]
    fn only_what_was_complete_counts_and_half_a_line_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("scan.jsonl");
        let (mut checkpoint, done) = Checkpoint::open(&path, "all of it").unwrap();
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
        drop(file);

        let (checkpoint, done) = Checkpoint::open(&path, "all of it").unwrap();
        assert_eq!(done.iter().map(|place| place.region.as_str()).collect::<Vec<_>>(), ["eu-west-1"]);
        let mut replayed = Vec::new();
        checkpoint
            .replay(&done, &mut |event| {
                replayed.push(match event {
                    Event::Found(found) => found[0].id().to_owned(),
                    Event::Scanned(scan) => scan.place.region,
                    Event::AccountRegions(_) | Event::NotLookedAt(_) => String::new(),
                });
                Ok(())
            })
            .unwrap();
        assert_eq!(replayed, ["i-1", "eu-west-1"]);
    }

    #[test]
    fn another_file_and_another_scope_are_refused_and_left_as_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        let other = "{\"kind\":\"checkpoint\",\"scope\":\"some of it\"}\n";
        let plain = "{\"kind\":\"scan\",\"account\":\"1\",\"region\":\"r\",\"instances\":0}\n";
        for (text, says) in [
            ("shopping list\n", "is not a checkpoint and was left as it is"),
            ("precious", "is not a checkpoint and was left as it is"),
            (other, "is of another scan: it was begun for some of it, and this is all of it"),
            (plain, "is the output of `state`, not a checkpoint"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Checkpoint::open(&path, "all of it").unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }
}
