//! Reading and replacing the alias file.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::report::Failure;

/// Mode of a file that was not there before: it holds no secret, and the AWS CLI's own have this mode.
const NEW_FILE_MODE: u32 = 0o644;

/// The file's content; none where there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match fs::read(path) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed("cannot read", path, &error)),
    }
}

/// Replaces the file at once, or removes it where nothing is left of it.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    write(path, after).map_err(|error| failed("cannot write", path, &error))
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    // People keep such files in a repository of their own and link to them: the link stays a link.
    let target: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if content.is_empty() {
        return fs::remove_file(&target);
    }
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let permissions = match fs::metadata(&target) {
        Ok(metadata) => metadata.permissions(),
        Err(_) => Permissions::from_mode(NEW_FILE_MODE),
    };
    let mut file = tempfile::Builder::new().prefix(".alias-").tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::told(Exit::Unexpected, format!("{what} `{}`", path.display())).caused_by(error)
}
