//! Keeps session tokens in a store of its own instead of the user's cache directory.
//!
//! On an instance: `cargo run --example own_store`.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use imds::{ClientBuilder, StoreError, StoreKey, StoredToken, TokenStore};

/// A store that could as well be a keyring or a cache server. Three methods are enough; with
/// `try_lock` and `last_failure` one fetch would serve every client that shares it.
#[derive(Clone, Debug, Default)]
struct Keyring(Arc<Mutex<HashMap<StoreKey, StoredToken>>>);

impl TokenStore for Keyring {
    fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
    }

    fn save(&self, key: &StoreKey, token: &StoredToken) -> Result<(), StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), token.clone());
        Ok(())
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key).is_some())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(imds::Client::builder, &mut std::io::stdout().lock())
}

pub(crate) fn run(
    builder: impl Fn() -> ClientBuilder,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let keyring = Keyring::default();
    let first = builder().store(keyring.clone()).build()?;
    let second = builder().store(keyring).build()?;
    writeln!(out, "instance {}", first.get("instance-id")?.text()?)?;
    // The second client finds the token of the first and fetches none.
    writeln!(out, "region {}", second.get("placement/region")?.text()?)?;
    Ok(())
}
