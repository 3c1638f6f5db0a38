//! Files and directories of other users. Root makes them; another user finds root's.

use std::os::unix::fs::{MetadataExt as _, chown, lchown, symlink};
use std::path::Path;

use imds_files::{
    FileErrorKind as Kind, Journal, Mode, PrivateDirectory, PrivateFile, update_user_file, write_output,
};

use crate::private::{chmod, mode};

/// Of nobody in particular.
const STRANGER: u32 = 54_321;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn the_file_of_another_user_is_never_read_or_written() {
    if !is_root() {
        // Root owns both, and this user cannot write them.
        let error = PrivateFile::at(Path::new("/etc/passwd")).unwrap().read(9).unwrap_err();
        assert_eq!(error.kind(), Kind::ForeignOwner);
        let error = Journal::open(Path::new("/etc/passwd"), false, 9).unwrap_err();
        assert_eq!(error.kind(), Kind::ForeignOwner);
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("state");
    std::fs::write(&path, "planted").unwrap();
    chown(&path, Some(STRANGER), None).unwrap();
    chmod(&path, 0o600);
    let directory = PrivateDirectory::open(guard.path()).unwrap();
    let error = directory.read("state", 99).unwrap_err();
    assert_eq!(error.kind(), Kind::ForeignOwner);
    assert_eq!(error.cause(), format!("it belongs to another user (uid {STRANGER})"));
    let lock = directory.lock("state", std::time::Duration::ZERO).unwrap_err();
    assert_eq!(lock.kind(), Kind::ForeignOwner);
    assert_eq!(Journal::open(&path, true, 99).unwrap_err().kind(), Kind::ForeignOwner);
    assert_eq!(update_user_file(&path, b"x").unwrap_err().kind(), Kind::ForeignOwner);
    assert_eq!(std::fs::read(&path).unwrap(), b"planted");
}

#[test]
fn output_over_the_file_of_another_user_stays_that_user_s() {
    if !is_root() {
        let error = write_output(Path::new("/etc/passwd"), Mode::Shared, b"x").unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("out");
    std::fs::write(&path, "theirs").unwrap();
    chown(&path, Some(STRANGER), Some(STRANGER)).unwrap();
    chmod(&path, 0o640);
    write_output(&path, Mode::Shared, b"ours").unwrap();
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid(), mode(&path)), (STRANGER, STRANGER, 0o640));
}

#[test]
fn a_directory_or_a_link_of_another_user_is_refused() {
    if !is_root() {
        // This user cannot make one; what root owns is trusted.
        PrivateDirectory::open("/etc").unwrap();
        return;
    }
    let guard = tempfile::tempdir().unwrap();
    let home = guard.path().join("home");
    std::fs::create_dir(&home).unwrap();
    chown(&home, Some(STRANGER), None).unwrap();
    assert_eq!(PrivateDirectory::open(&home).unwrap_err().kind(), Kind::ForeignOwner);
    assert_eq!(update_user_file(&home.join("alias"), b"x").unwrap_err().kind(), Kind::ForeignOwner);

    let (victim, link) = (guard.path().join("victim"), guard.path().join("link"));
    std::fs::write(&victim, "root's").unwrap();
    symlink(&victim, &link).unwrap();
    lchown(&link, Some(STRANGER), None).unwrap();
    for refused in [
        write_output(&link, Mode::Shared, b"x").unwrap_err(),
        update_user_file(&link, b"x").unwrap_err(),
        PrivateFile::at(&link).unwrap_err(),
        Journal::open(&link, true, 99).unwrap_err(),
    ] {
        assert_eq!(refused.kind(), Kind::SymbolicLink, "{refused}");
    }
    assert_eq!(std::fs::read(&victim).unwrap(), b"root's");
}
