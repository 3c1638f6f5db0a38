//! A file that is made once there is something to put into it: what fails before leaves an older one as it was.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// How much may be held back.
const HELD: usize = 1 << 20;

/// The file, or what will be its beginning.
#[derive(Debug)]
pub struct LazyFile {
    path: PathBuf,
    held: Vec<u8>,
    file: Option<File>,
}

impl LazyFile {
    /// A file of this name, made when it is flushed or has become long.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, held: Vec::new(), file: None }
    }

    fn pass_on(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(File::create(&self.path)?),
        };
        file.write_all(&self.held)?;
        self.held.clear();
        Ok(())
    }
}

impl Write for LazyFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= HELD {
            self.pass_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.pass_on()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_stays_until_there_is_a_newer_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("page");
        std::fs::write(&path, "older").unwrap();
        let mut late = LazyFile::new(path.clone());
        late.write_all(b"head").unwrap();
        drop(late);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "older");
        let mut late = LazyFile::new(path.clone());
        late.write_all(&[b'x'; HELD]).unwrap();
        late.write_all(b"tail").unwrap();
        late.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap().len(), HELD + 4);
    }
}
