//! Files that only this user can read or write.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use imds_files::{FileErrorKind as Kind, PrivateDirectory, PrivateFile};
use rustix::fs::{CWD, FileType, Mode};

pub(crate) fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

pub(crate) fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

fn directory() -> (tempfile::TempDir, PrivateDirectory) {
    let guard = tempfile::tempdir().unwrap();
    let directory = PrivateDirectory::create(guard.path().join("a/b")).unwrap();
    (guard, directory)
}

#[test]
fn what_is_replaced_is_read_and_nothing_is_left_beside_it() {
    let (_guard, directory) = directory();
    assert_eq!(mode(directory.path()), 0o700);
    assert_eq!(directory.read("state", 9).unwrap(), None);
    directory.replace("state", b"one").unwrap();
    directory.replace("state", b"two").unwrap();
    assert_eq!(directory.read("state", 3).unwrap().unwrap(), b"two");
    assert_eq!(directory.read("state", 2).unwrap_err().kind(), Kind::TooLarge);
    assert_eq!(mode(&directory.path().join("state")), 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    assert!(directory.remove("state").unwrap());
    assert!(!directory.remove("state").unwrap());
}

#[test]
fn a_new_file_is_made_once() {
    let (_guard, directory) = directory();
    assert!(directory.create_new("started", b"1").unwrap());
    assert!(!directory.create_new("started", b"2").unwrap());
    assert_eq!(directory.read("started", 9).unwrap().unwrap(), b"1");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_planted_file_is_refused() {
    let (guard, directory) = directory();
    let path = directory.path().join("state");
    let elsewhere = guard.path().join("elsewhere");
    std::fs::write(&elsewhere, "theirs").unwrap();

    symlink(&elsewhere, &path).unwrap();
    assert_eq!(directory.read("state", 9).unwrap_err().kind(), Kind::SymbolicLink);
    assert_eq!(directory.replace("state", b"x").unwrap_err().kind(), Kind::WrongType);
    std::fs::remove_file(&path).unwrap();

    std::fs::hard_link(&elsewhere, &path).unwrap();
    assert_eq!(directory.read("state", 9).unwrap_err().kind(), Kind::HardLink);
    // A rename only takes the name away from it.
    directory.replace("state", b"ours").unwrap();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"theirs");
    std::fs::remove_file(&path).unwrap();

    fifo(&path);
    assert_eq!(directory.read("state", 9).unwrap_err().kind(), Kind::WrongType);
    assert_eq!(directory.lock("state", Duration::ZERO).unwrap_err().kind(), Kind::WrongType);
    let error = directory.replace("state", b"x").unwrap_err();
    assert_eq!(error.to_string(), format!("cannot write `{}`: it is a pipe or a device", path.display()));
    std::fs::remove_file(&path).unwrap();

    std::fs::create_dir(&path).unwrap();
    assert_eq!(directory.read("state", 9).unwrap_err().kind(), Kind::WrongType);
    assert_eq!(directory.replace("state", b"x").unwrap_err().kind(), Kind::WrongType);
}

#[test]
fn a_file_that_others_could_write_is_refused_and_one_that_they_could_read_is_tightened() {
    let (_guard, directory) = directory();
    let path = directory.path().join("state");
    directory.replace("state", b"x").unwrap();
    for loose in [0o660, 0o602, 0o666] {
        chmod(&path, loose);
        assert_eq!(directory.read("state", 9).unwrap_err().kind(), Kind::LooseMode, "{loose:o}");
    }
    chmod(&path, 0o644);
    assert_eq!(directory.read("state", 9).unwrap().unwrap(), b"x");
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_directory_that_others_can_write_is_refused_unless_it_is_sticky() {
    let (_guard, directory) = directory();
    for loose in [0o777, 0o770, 0o702] {
        chmod(directory.path(), loose);
        let error = PrivateDirectory::open(directory.path()).unwrap_err();
        assert_eq!(error.kind(), Kind::LooseMode, "{loose:o}");
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }
    chmod(directory.path(), 0o1777);
    PrivateDirectory::open(directory.path()).unwrap();
}

#[test]
fn a_name_cannot_leave_the_directory() {
    let (_guard, directory) = directory();
    for name in ["", ".", "..", "a/b", "../x", "/etc/passwd", "x/"] {
        assert_eq!(directory.replace(name, b"x").unwrap_err().kind(), Kind::WrongType, "{name:?}");
        assert_eq!(directory.read(name, 9).unwrap_err().kind(), Kind::WrongType, "{name:?}");
    }
    let long = "n".repeat(255);
    directory.replace(&long, b"x").unwrap();
    assert_eq!(directory.read(&long, 9).unwrap().unwrap(), b"x");
}

#[test]
fn one_process_holds_a_lock_and_another_gives_up_at_its_deadline() {
    let (_guard, directory) = directory();
    let held = directory.lock("lock", Duration::ZERO).unwrap();
    let error = directory.lock("lock", Duration::from_millis(30)).unwrap_err();
    assert_eq!(error.kind(), Kind::Locked);
    assert!(error.to_string().ends_with("another process holds the lock"), "{error}");
    drop(held);
    directory.lock("lock", Duration::ZERO).unwrap();
}

#[test]
fn a_path_may_be_a_link_of_this_user_and_the_directory_too() {
    let guard = tempfile::tempdir().unwrap();
    std::fs::create_dir(guard.path().join("real")).unwrap();
    symlink("real", guard.path().join("linked")).unwrap();
    symlink("linked/state", guard.path().join("state")).unwrap();
    let file = PrivateFile::at(&guard.path().join("state")).unwrap();
    file.replace(b"x").unwrap();
    assert_eq!(std::fs::read(guard.path().join("real/state")).unwrap(), b"x");
    assert_eq!(file.read(9).unwrap().unwrap(), b"x");
    assert!(guard.path().join("state").is_symlink());
    let held = file.lock(Duration::ZERO).unwrap();
    assert_eq!(file.lock(Duration::ZERO).unwrap_err().kind(), Kind::Locked);
    drop(held);
    symlink("loop", guard.path().join("loop")).unwrap();
    assert_eq!(PrivateFile::at(&guard.path().join("loop")).unwrap_err().kind(), Kind::Io);
    assert_eq!(PrivateFile::at(Path::new("/")).unwrap_err().kind(), Kind::Io);
    assert_eq!(PrivateFile::at(&guard.path().join("absent/x")).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn json_is_read_back_and_damage_is_named_without_the_content() {
    let (_guard, directory) = directory();
    directory.replace_json("a.json", &vec![1, 2]).unwrap();
    assert_eq!(directory.read_json::<Vec<u32>>("a.json").unwrap(), Some(vec![1, 2]));
    assert_eq!(directory.read_json::<Vec<u32>>("b.json").unwrap(), None);
    directory.replace("a.json", b"[\"secret\"").unwrap();
    let error = directory.read_json::<Vec<u32>>("a.json").unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    assert_eq!(error.cause(), "it is damaged at line 1, column 9");
}

#[test]
fn a_failed_write_leaves_nothing() {
    let (_guard, directory) = directory();
    let error = directory.replace("n".repeat(256), b"x").unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
