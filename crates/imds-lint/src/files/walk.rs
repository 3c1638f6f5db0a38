//! Directories, as ripgrep walks them, on all processors.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ignore::{WalkBuilder, WalkState};

use crate::check::{self, Checked, Settings};
use crate::extract::{kind, needles};
use crate::rules::finding::Unread;
use crate::text::limits;

/// Which files of a directory are read.
#[derive(Clone, Copy, Debug)]
pub struct Selection {
    /// Ignored ones, too.
    pub ignored: bool,
}

/// A file and what was found in it.
#[derive(Debug)]
pub struct FileReport {
    /// Its path as it was given or walked.
    pub path: PathBuf,
    /// What was found.
    pub checked: Checked,
}

/// A file or directory that could not be read, and why.
#[derive(Debug)]
pub struct Failure {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// What was found below some paths.
#[derive(Debug, Default)]
pub struct Found {
    /// Files with findings, or with parts that were not checked.
    pub reports: Vec<FileReport>,
    /// What could not be read.
    pub failures: Vec<Failure>,
    /// How many files were looked at.
    pub files: usize,
}

/// Checks every file below `paths`. A file that is named is read whatever its name; in a directory,
/// a file is read if its name or its first bytes say that it may hold something.
#[must_use]
pub fn check_all(paths: &[PathBuf], selection: Selection, settings: Settings) -> Found {
    let found = Mutex::new(Found::default());
    let mut walked = paths.iter();
    if let Some(first) = walked.next() {
        let mut builder = WalkBuilder::new(first);
        for path in walked {
            builder.add(path);
        }
        builder.standard_filters(!selection.ignored).hidden(false).threads(0).follow_links(false);
        // Workflows and Elastic Beanstalk's hooks are in hidden directories; a repository is not.
        builder.filter_entry(|entry| {
            entry.depth() == 0 || !REPOSITORIES.iter().any(|name| entry.file_name() == *name)
        });
        builder.build_parallel().run(|| {
            let mut buffer = Vec::new();
            let found = &found;
            Box::new(move |entry| {
                let outcome = match entry {
                    Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {
                        return WalkState::Continue;
                    }
                    // Links, sockets and devices of a directory are passed over; a named one is
                    // read.
                    Ok(entry)
                        if entry.depth() > 0 && !entry.file_type().is_some_and(|kind| kind.is_file()) =>
                    {
                        return WalkState::Continue;
                    }
                    Ok(entry) => {
                        let path = entry.path();
                        one(path, entry.depth() == 0, settings, &mut buffer)
                            .map_err(|reason| Failure { path: path.to_owned(), reason })
                    }
                    Err(error) => Err(Failure { path: PathBuf::new(), reason: error.to_string() }),
                };
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok(report) => {
                        found.files += 1;
                        found.reports.extend(report);
                    }
                    Err(failure) => found.failures.push(failure),
                }
                WalkState::Continue
            })
        });
    }
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.reports.sort_by(|a, b| a.path.cmp(&b.path));
    found.reports.dedup_by(|a, b| a.path == b.path);
    found.failures.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Directories of version control.
const REPOSITORIES: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// First bytes that are enough to tell a script from other files without an extension.
const HEAD: usize = 512;

fn one(
    path: &Path,
    named: bool,
    settings: Settings,
    buffer: &mut Vec<u8>,
) -> Result<Option<FileReport>, String> {
    let name = path.to_string_lossy();
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    buffer.clear();
    if kind::by_name(&name).is_none() && !named {
        let mut head = [0; HEAD];
        let length = file.read(&mut head).map_err(|error| error.to_string())?;
        let head = head.get(..length).unwrap_or_default();
        if kind::by_content(head).is_none() {
            return Ok(None);
        }
        buffer.extend_from_slice(head);
    }
    let limit = limits::FILE_BYTES + 1;
    file.take(limit).read_to_end(buffer).map_err(|error| error.to_string())?;
    let mut checked = check::check(&name, buffer, settings);
    let unknown = named && kind::by_name(&name).is_none() && kind::by_content(buffer).is_none();
    if unknown && needles::any(buffer, false) {
        let reason = "not a kind of file that imds-lint reads".to_owned();
        checked.unread.push(Unread { span: 0..0, reason });
    }
    let empty = checked.findings.is_empty() && checked.unread.is_empty() && checked.suppressed.is_empty();
    Ok((!empty).then(|| FileReport { path: path.to_owned(), checked }))
}
