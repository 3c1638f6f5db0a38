//! What needs root: files of another user, and processes of two.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use imds_testkit::{FaultServer, TestEnvironment, write_executable};

use crate::{INSTANCE_ID, needed_or_told};

/// The second user; nobody in particular.
const OTHER: u32 = 54_321;

/// Whether this is root, and if not, tells.
fn root_or_told(test: &str) -> bool {
    needed_or_told(rustix::process::geteuid().is_root(), test, "root")
}

/// A world that another user can enter, with a copy of the binary that the other user can run.
fn shared_world() -> TestEnvironment {
    let place = tempfile::tempdir().unwrap().keep();
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
    let binary = place.join("imds");
    write_executable(&binary, &std::fs::read(env!("CARGO_BIN_EXE_imds")).unwrap());
    let world = TestEnvironment::new(binary);
    std::fs::set_permissions(world.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    world
}

fn remove(world: TestEnvironment) {
    let place = world.binary().parent().unwrap().to_owned();
    drop(world);
    std::fs::remove_dir_all(place).unwrap();
}

fn as_other(command: imds_testkit::Invocation<'_>) -> imds_testkit::Invocation<'_> {
    let other = OTHER.to_string();
    command.under(["setpriv", "--reuid", &other, "--regid", &other, "--clear-groups", "--"])
}

fn token_file(world: &TestEnvironment) -> PathBuf {
    let is_token = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "token");
    world.cache_files().into_iter().find(is_token).unwrap()
}

#[test]
fn a_file_of_another_user_is_never_read() {
    if !root_or_told("a_file_of_another_user_is_never_read") {
        return;
    }
    let (world, server) = (shared_world(), FaultServer::start());
    let get = || world.get("instance-id", &server.endpoint()).arg("-v");
    let _ = get().run().prints(INSTANCE_ID);
    server.take_counts();

    // Root's own directory, another user's file: planted there before the directory was root's.
    let token = token_file(&world);
    chown(&token, Some(OTHER), Some(OTHER)).unwrap();
    let _ = get().run().prints(INSTANCE_ID).says("a file of another user");
    assert_eq!(server.take_counts().token_puts, 1);

    // Another user's directory with root's file in it.
    chown(world.cache(), Some(OTHER), Some(OTHER)).unwrap();
    let _ = get().run().prints(INSTANCE_ID).says("belongs to another user");
    assert_eq!(server.take_counts().token_puts, 1);

    // The other way round, with modes that would let the other user read.
    chown(world.cache(), Some(0), Some(0)).unwrap();
    std::fs::set_permissions(world.cache(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(token_file(&world), std::fs::Permissions::from_mode(0o644)).unwrap();
    let _ = as_other(get()).run().prints(INSTANCE_ID).says("belongs to another user");
    assert_eq!(server.take_counts().token_puts, 1);
    remove(world);
}

#[test]
fn users_do_not_share_tokens() {
    if !root_or_told("users_do_not_share_tokens") {
        return;
    }
    let (world, server) = (shared_world(), FaultServer::start());
    let own = world.root().join("other");
    std::fs::create_dir(&own).unwrap();
    chown(&own, Some(OTHER), Some(OTHER)).unwrap();
    let get = || world.get("instance-id", &server.endpoint());
    let other =
        || as_other(get().env("HOME", &own).env_remove("IMDS_CACHE_DIR").env_remove("XDG_RUNTIME_DIR"));
    let _ = get().run().prints(INSTANCE_ID);
    let _ = other().run().prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 2);
    assert!(own.join(".cache/imds").is_dir());
    let _ = other().run().prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 0);
    remove(world);
}

#[test]
fn a_directory_that_cannot_be_written_is_no_matter() {
    if !root_or_told("a_directory_that_cannot_be_written_is_no_matter") {
        return;
    }
    // As the other user, since root may write anywhere.
    let (world, server) = (shared_world(), FaultServer::start());
    std::fs::create_dir(world.cache()).unwrap();
    chown(world.cache(), Some(OTHER), Some(OTHER)).unwrap();
    std::fs::set_permissions(world.cache(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let get = || as_other(world.get("instance-id", &server.endpoint()).arg("-v"));
    let _ =
        get().run().prints(INSTANCE_ID).says("going on without the token store").says("Permission denied");
    // And a file system that is read-only, as root.
    let mount = "mount -t tmpfs -o ro none \"$0\"; exec \"$@\"";
    let read_only = world.get("instance-id", &server.endpoint()).arg("-v");
    let read_only = read_only.under(["unshare", "--mount", "--", "sh", "-ec", mount]).under([world.cache()]);
    let _ = read_only.run().prints(INSTANCE_ID).says("going on without the token store");
    assert_eq!(server.take_counts().token_puts, 2);
    remove(world);
}
