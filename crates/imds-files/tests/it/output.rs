//! Output to paths that a user named.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::Path;

use imds_files::{FileErrorKind as Kind, Mode, OutputFile, update_user_file, write_output};

use crate::private::{chmod, fifo, mode};

#[test]
fn a_regular_file_is_replaced_all_at_once() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("out");
    write_output(&path, Mode::Private, b"secret").unwrap();
    assert_eq!(mode(&path), 0o600);
    chmod(&path, 0o640);
    write_output(&path, Mode::Shared, b"shared").unwrap();
    assert_eq!(mode(&path), 0o640, "an existing file keeps its permissions");
    write_output(&path, Mode::Private, b"secret").unwrap();
    assert_eq!(mode(&path), 0o600, "unless it now holds secrets");
    let mut output = OutputFile::create(&path, Mode::Shared).unwrap();
    output.write_all(b"half").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    drop(output);
    assert_eq!(std::fs::read(&path).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(guard.path()).unwrap().count(), 1);
}

#[test]
fn a_device_stays_a_device() {
    write_output(Path::new("/dev/null"), Mode::Private, b"x").unwrap();
    assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let error = write_output(Path::new("/dev/full"), Mode::Private, b"x").unwrap_err();
    assert_eq!(error.to_string(), "cannot write `/dev/full`: No space left on device (os error 28)");
}

#[test]
fn a_pipe_is_written_through() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("pipe");
    fifo(&path);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut text = String::new();
            std::fs::File::open(&path).unwrap().read_to_string(&mut text).unwrap();
            text
        });
        write_output(&path, Mode::Private, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), "through");
    });
    assert!(std::fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
}

#[test]
fn the_names_of_standard_output_are_written_through() {
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/stderr"] {
        write_output(Path::new(path), Mode::Private, b"").unwrap();
    }
    assert!(std::fs::symlink_metadata("/dev/stdout").unwrap().is_symlink());
}

#[test]
fn what_is_neither_is_refused() {
    let guard = tempfile::tempdir().unwrap();
    let socket = guard.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for (path, what) in [(guard.path(), "a directory"), (&*socket, "a socket")] {
        let error = write_output(path, Mode::Shared, b"x").unwrap_err();
        assert_eq!(error.kind(), Kind::WrongType);
        assert_eq!(error.cause(), format!("it is {what}"));
    }
    let absent = guard.path().join("absent/out");
    assert_eq!(write_output(&absent, Mode::Shared, b"x").unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn a_link_of_this_user_stays_a_link() {
    let guard = tempfile::tempdir().unwrap();
    let (real, link) = (guard.path().join("real"), guard.path().join("link"));
    std::fs::write(&real, "old").unwrap();
    symlink("real", &link).unwrap();
    write_output(&link, Mode::Shared, b"new").unwrap();
    update_user_file(&link, b"newer").unwrap();
    assert!(link.is_symlink());
    assert_eq!(std::fs::read(&real).unwrap(), b"newer");
}

#[test]
fn a_configuration_file_keeps_its_mode_and_is_never_a_pipe() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("alias");
    update_user_file(&path, b"one").unwrap();
    chmod(&path, 0o604);
    update_user_file(&path, b"two").unwrap();
    assert_eq!(mode(&path), 0o604);
    std::fs::remove_file(&path).unwrap();
    fifo(&path);
    assert_eq!(update_user_file(&path, b"x").unwrap_err().kind(), Kind::WrongType);
    std::fs::remove_file(&path).unwrap();
    chmod(guard.path(), 0o777);
    assert_eq!(update_user_file(&path, b"x").unwrap_err().kind(), Kind::LooseMode);
}
