//! Whatever is wrong with the store, the call succeeds and says why the store did not serve.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use imds::{FetchLock, FileStore, StoreError, StoreKey, StoredToken, TokenStore};
use imds_testkit::FaultServer;

use crate::drivers::{BOTH, Driver};

/// Calls twice, each time with a client of its own, and gives the token PUTs and what was noticed
/// of the store.
fn two_calls(
    driver: Driver,
    store: impl TokenStore + Clone + 'static,
    server: &FaultServer,
) -> (u64, Vec<String>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..2 {
        let noticed = events.clone();
        let observe = move |event: &imds::ClientEvent<'_>| {
            if let imds::ClientEvent::StoreUnavailable { .. } = event {
                noticed.lock().unwrap().push(event.to_string());
            }
        };
        let store = store.clone();
        let client = driver.client(&server.endpoint(), |builder| builder.store(store).observer(observe));
        assert_eq!(client.get("instance-id").unwrap().bytes(), b"i-0123456789abcdef0");
    }
    (server.take_counts().token_puts, Arc::try_unwrap(events).unwrap().into_inner().unwrap())
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_good_store_serves_the_second_client() {
    for driver in BOTH {
        let (server, home) = (FaultServer::start(), tempfile::tempdir().unwrap());
        let store = FileStore::new(home.path().join("imds"));
        assert_eq!(two_calls(driver, store, &server), (1, Vec::new()), "{driver:?}");
    }
}

#[test]
fn a_file_that_is_loose_or_corrupt_is_replaced() {
    for driver in BOTH {
        let (server, home) = (FaultServer::start(), tempfile::tempdir().unwrap());
        let store = FileStore::new(home.path().join("imds"));
        two_calls(driver, store.clone(), &server);
        let file = std::fs::read_dir(store.directory())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|extension| extension == "token"))
            .unwrap();

        mode(&file, 0o644);
        let (puts, events) = two_calls(driver, store.clone(), &server);
        assert_eq!((puts, events.len()), (0, 0), "{driver:?}: tightened and served");

        mode(&file, 0o666);
        let (puts, events) = two_calls(driver, store.clone(), &server);
        assert_eq!(puts, 1, "{driver:?}: replaced once, then served");
        assert!(events[0].contains("other users could write"), "{events:?}");

        std::fs::write(&file, "\0garbage").unwrap();
        let (puts, events) = two_calls(driver, store, &server);
        assert_eq!(puts, 1, "{driver:?}: replaced once, then served");
        assert!(events[0].contains("something other than a token"), "{events:?}");
    }
}

#[test]
fn a_directory_that_others_can_write_is_not_used() {
    for driver in BOTH {
        let (server, home) = (FaultServer::start(), tempfile::tempdir().unwrap());
        let directory = home.path().join("imds");
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("notes"), "shared on purpose").unwrap();
        mode(&directory, 0o777);
        let (puts, events) = two_calls(driver, FileStore::new(&directory), &server);
        assert_eq!(puts, 2, "{driver:?}");
        assert!(events.iter().all(|event| event.contains("can be written by other users")), "{events:?}");
        assert_eq!(directory.read_dir().unwrap().count(), 1, "nothing was put there");
    }
}

#[test]
fn a_store_directory_of_ours_that_is_too_open_is_tightened() {
    for driver in BOTH {
        let (server, home) = (FaultServer::start(), tempfile::tempdir().unwrap());
        let directory = home.path().join("imds");
        std::fs::create_dir(&directory).unwrap();
        mode(&directory, 0o777);
        assert_eq!(two_calls(driver, FileStore::new(&directory), &server), (1, Vec::new()), "{driver:?}");
        let tightened = std::fs::metadata(&directory).unwrap().permissions().mode();
        assert_eq!(tightened & 0o777, 0o700);
    }
}

/// A store that fails in everything.
#[derive(Clone, Debug)]
struct Broken;

impl TokenStore for Broken {
    fn load(&self, _: &StoreKey) -> Result<Option<StoredToken>, StoreError> {
        Err(StoreError::new("broken: load"))
    }

    fn save(&self, _: &StoreKey, _: &StoredToken) -> Result<(), StoreError> {
        Err(StoreError::new("broken: save"))
    }

    fn remove(&self, _: &StoreKey) -> Result<bool, StoreError> {
        Err(StoreError::new("broken: remove"))
    }

    fn try_lock(&self, _: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        Err(StoreError::new("broken: lead"))
    }
}

#[test]
fn a_store_of_the_callers_own_that_is_broken_is_done_without() {
    for driver in BOTH {
        let server = FaultServer::start();
        let (puts, events) = two_calls(driver, Broken, &server);
        assert_eq!(puts, 2, "{driver:?}");
        assert!(events.iter().any(|event| event.contains("broken: load")), "{events:?}");
        assert!(events.iter().any(|event| event.contains("broken: lead")), "{events:?}");
    }
}
