//! Reads and replaces the alias file.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::report::Failure;

/// Largest alias file that is read. People's have a few kilobytes.
const LARGEST: u64 = 1024 * 1024;

/// Returns the file's content; nothing if it does not exist.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let content = || -> io::Result<Vec<u8>> {
        let file = fs::File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut content = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LARGEST {
            return Err(io::Error::other("it is larger than 1 MiB"));
        }
        Ok(content)
    };
    match fs::metadata(path) {
        // Looked at before it is opened: opening a pipe waits for its writer.
        Ok(metadata) if !metadata.is_file() => {
            Err(failed("cannot read", path, &io::Error::other("it is not a regular file")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => content().map_err(|error| failed("cannot read", path, &error)),
    }
}

/// Replaces the file atomically, or removes it if nothing is left of it. Owner and mode stay as
/// they are.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    let target = target(path).map_err(|error| failed("cannot write", path, &error))?;
    if after.is_empty() {
        return fs::remove_file(&target).map_err(|error| failed("cannot remove", path, &error));
    }
    imds_files::update_user_file(&target, after).map_err(|error| {
        Failure::told(Exit::Unexpected, format!("cannot write `{}`", path.display()))
            .caused_by(error)
            .hint("as root, run it as the user whose file it is: `sudo -u USER imds aws-cli install`")
    })
}

/// The file that is written: people keep such files in a repository and link to them, so a link of
/// this user's stays a link. Its directory is made if it does not exist.
fn target(path: &Path) -> io::Result<PathBuf> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut existing = directory;
    while !existing.exists() {
        existing =
            existing.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    }
    check_owner(&fs::metadata(existing)?, existing)?;
    fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() => {
            check_owner(&link, path)?;
            check_owner(&fs::metadata(directory)?, directory)?;
            fs::canonicalize(path)
        }
        _ => Ok(path.to_owned()),
    }
}

/// What another user owns could be changed by that user between any two steps.
fn check_owner(metadata: &fs::Metadata, path: &Path) -> io::Result<()> {
    if metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "`{}` belongs to user {}, not to the one that runs this",
        path.display(),
        metadata.uid()
    )))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::told(Exit::Unexpected, format!("{what} `{}`", path.display())).caused_by(error)
}
