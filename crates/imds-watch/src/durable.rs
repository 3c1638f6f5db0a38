//! A small JSON file that is whole after any crash: the old content or the new one, never a part.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a file could not be read or written.
#[derive(Debug)]
pub struct DurableError {
    pub(crate) message: String,
    pub(crate) source: Option<io::Error>,
}

impl std::fmt::Display for DurableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DurableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

pub(crate) fn failed(what: &str, path: &Path, source: io::Error) -> DurableError {
    DurableError { message: format!("cannot {what} `{}`", path.display()), source: Some(source) }
}

/// Reads a file; `None` where there is none.
///
/// # Errors
/// Where it cannot be read, or is not what [`save`] wrote: by its own rules that is damage from outside.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, DurableError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!("`{}` is damaged at line {line}, column {column}", path.display());
        DurableError { message, source: None }
    })
}

/// Writes a file, mode 0600; when this returns, it is on the disk and survives a crash of the machine.
///
/// # Errors
/// Where a step fails; the file is then what it was before.
pub fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), DurableError> {
    let mut bytes = serde_json::to_vec(value).map_err(|error| failed("write", path, error.into()))?;
    bytes.push(b'\n');
    replace(path, &bytes).map_err(|error| failed("write", path, error))
}

/// Puts a file of mode 0600 in the place of what is there, if anything.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = directory.join(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    // The rename itself is durable only once the directory is.
    File::open(&directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_saved_is_loaded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), None);
        save(&path, &vec![1, 2]).unwrap();
        save(&path, &vec![3]).unwrap();
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), Some(vec![3]));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn damage_and_missing_places_are_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        std::fs::write(&path, "[1,").unwrap();
        let error = load::<Vec<u32>>(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("`{}` is damaged at line 1, column 3", path.display()));
        let nowhere = directory.path().join("absent").join("state.json");
        let error = save(&nowhere, &1).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write `{}`", nowhere.display()));
        assert!(error.source().unwrap().to_string().contains("No such file"));
    }
}
