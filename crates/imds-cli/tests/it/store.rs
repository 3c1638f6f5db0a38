//! Whatever is wrong with the token store, the value comes out; `-v` says what it was.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use imds_testkit::{CommandOutput, FaultServer, Signal, TestEnvironment};

use crate::{INSTANCE_ID, world};

/// A world whose store holds a token of the server's, and the file that it is in.
fn with_token(server: &FaultServer) -> (TestEnvironment, PathBuf) {
    let world = world();
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 1);
    let mut tokens = world.cache_files();
    tokens.retain(|file| file.extension().is_some_and(|extension| extension == "token"));
    let [token] = <[PathBuf; 1]>::try_from(tokens).unwrap();
    (world, token)
}

/// Gets the value and expects that it cost a token of its own; gives what `-v` said.
fn get_without_store(world: &TestEnvironment, server: &FaultServer) -> CommandOutput {
    let output = world.get("instance-id", &server.endpoint()).arg("-v").run().prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 1, "{output}");
    output
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_store_is_the_users_own() {
    let server = FaultServer::start();
    let (world, token) = with_token(&server);
    assert_eq!((mode(&world.cache()), mode(&token)), (0o700, 0o600));
    let leftovers = world.cache_files().len();
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(world.cache_files().len(), leftovers, "processes leave nothing behind");
}

#[test]
fn a_file_that_others_could_write_is_not_read() {
    let server = FaultServer::start();
    let (world, token) = with_token(&server);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o666)).unwrap();
    let _ = get_without_store(&world, &server).says("other users could write");
    // The next save replaces it, so the store heals.
    assert_eq!(mode(&token), 0o600);
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(server.counts().token_puts, 0);
}

#[test]
fn what_is_ours_and_too_open_is_tightened() {
    let server = FaultServer::start();
    let (world, token) = with_token(&server);
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::set_permissions(world.cache(), std::fs::Permissions::from_mode(0o775)).unwrap();
    let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
    assert_eq!(server.take_counts().token_puts, 0);
    assert_eq!((mode(&world.cache()), mode(&token)), (0o700, 0o600));
}

#[test]
fn a_loose_directory_is_not_used() {
    let server = FaultServer::start();
    let (world, _) = with_token(&server);
    std::fs::write(world.cache().join("notes"), "shared on purpose").unwrap();
    std::fs::set_permissions(world.cache(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let _ = get_without_store(&world, &server).says("can be written by other users");
}

#[test]
fn a_link_is_not_followed() {
    let server = FaultServer::start();
    let (world, token) = with_token(&server);
    let elsewhere = world.root().join("elsewhere");
    std::fs::rename(&token, &elsewhere).unwrap();
    let before = std::fs::read(&elsewhere).unwrap();
    symlink(&elsewhere, &token).unwrap();
    let _ = get_without_store(&world, &server).says("symbolic link");
    assert_eq!(std::fs::read(&elsewhere).unwrap(), before, "nothing is written through a link");
}

#[test]
fn a_link_in_place_of_the_directory_is_not_followed() {
    let server = FaultServer::start();
    let (world, _) = with_token(&server);
    let elsewhere = world.root().join("elsewhere");
    std::fs::rename(world.cache(), &elsewhere).unwrap();
    symlink(&elsewhere, world.cache()).unwrap();
    let _ = get_without_store(&world, &server).says("going on without the token store");
}

#[test]
fn a_corrupt_file_is_replaced() {
    let server = FaultServer::start();
    let (world, token) = with_token(&server);
    let whole = std::fs::read(&token).unwrap();
    for corrupt in [&b""[..], b"\0\xff nonsense", &whole[..whole.len() / 2], &[b'x'; 100_000]] {
        std::fs::write(&token, corrupt).unwrap();
        let _ = get_without_store(&world, &server).says("something other than a token");
        let _ = world.get("instance-id", &server.endpoint()).run().prints(INSTANCE_ID);
        assert_eq!(server.take_counts().token_puts, 0, "the store healed");
    }
}

#[test]
fn a_full_disk_is_no_matter() {
    let server = FaultServer::start();
    let world = world();
    std::fs::create_dir(world.cache()).unwrap();
    // A file system of its own, one page large and full; then one that takes no more files.
    for options in ["size=4k,mode=700", "size=4k,nr_inodes=1,mode=700"] {
        let fill = format!(
            "mount -t tmpfs -o {options} none \"$0\"; (head -c 4096 /dev/zero > \"$0/fill\") || :; exec \"$@\""
        );
        let command = world.get("instance-id", &server.endpoint()).arg("-v");
        let command = command.under(["unshare", "--map-root-user", "--mount", "--", "sh", "-ec", &fill]);
        let output = command.under([world.cache()]).run().prints(INSTANCE_ID);
        let _ = output.says("going on without the token store").says("No space left on device");
        assert_eq!(server.take_counts().token_puts, 1);
    }
}

#[test]
fn no_directory_for_it_is_no_matter() {
    let server = FaultServer::start();
    let world = world();
    for place in ["/proc/nowhere/imds", "/dev/null/imds", "relative"] {
        let command = world.get("instance-id", &server.endpoint()).env("IMDS_CACHE_DIR", place);
        let _ = command.run().prints(INSTANCE_ID);
    }
}

#[test]
fn a_lock_that_is_never_released_is_no_matter() {
    let server = FaultServer::start();
    let world = world();
    // The first process stands still with the lock in its hands: its token PUT is not answered.
    server.next_token([imds_testkit::Behaviour::Stall]);
    let command = world.get("instance-id", &server.endpoint()).env("AWS_METADATA_SERVICE_TIMEOUT", "60");
    let stopped = command.arg("--timeout").arg("60").spawn();
    server.wait_for(|counts| counts.token_puts == 1);
    stopped.signal(Signal::STOP);
    let _ = world.get("instance-id", &server.endpoint()).arg("-v").run().prints(INSTANCE_ID);
    assert_eq!(server.counts().token_puts, 2);
    drop(stopped);
}

#[test]
fn the_store_is_where_it_should_be() {
    let server = FaultServer::start();
    let world = world();
    let run = |command: imds_testkit::Invocation<'_>| {
        let _ = command.run().prints(INSTANCE_ID);
        server.take_counts().token_puts
    };
    let command = || world.get("instance-id", &server.endpoint()).env_remove("IMDS_CACHE_DIR");
    assert_eq!(run(command()), 1);
    assert!(world.root().join("run/imds").is_dir(), "below XDG_RUNTIME_DIR");
    assert!(!world.cache().exists());
    assert_eq!(run(command()), 0);
    // Empty means unset.
    assert_eq!(run(command().env("IMDS_CACHE_DIR", "")), 0);
    assert_eq!(run(command().env("IMDS_CACHE_DIR", world.cache())), 1);
    assert!(world.cache().is_dir());
}
