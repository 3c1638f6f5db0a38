//! Session tokens in memory, shared by the clients of one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{FetchFailure, FetchLock, StoreError, StoreKey, StoredToken, TokenStore};

/// Session tokens of one process. Clones share one memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    slots: Arc<Mutex<HashMap<StoreKey, Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    token: Option<StoredToken>,
    failure: Option<FetchFailure>,
    locked: bool,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<StoreKey, Slot>> {
        // A slot is whole after every statement: what a panicking thread left is as good as any.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryStore {
    fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.slots().get(key).and_then(|slot| slot.token.clone()))
    }

    fn save(&self, key: &StoreKey, token: &StoredToken) -> Result<(), StoreError> {
        self.slots().entry(key.clone()).or_default().token = Some(token.clone());
        Ok(())
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        Ok(self.slots().get_mut(key).and_then(|slot| slot.token.take()).is_some())
    }

    fn try_lock(&self, key: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        let mut slots = self.slots();
        let slot = slots.entry(key.clone()).or_default();
        if slot.locked {
            return Ok(None);
        }
        slot.locked = true;
        Ok(Some(Box::new(MemoryLock { store: self.clone(), key: key.clone() })))
    }

    fn last_failure(&self, key: &StoreKey) -> Result<Option<FetchFailure>, StoreError> {
        Ok(self.slots().get(key).and_then(|slot| slot.failure.clone()))
    }
}

#[derive(Debug)]
struct MemoryLock {
    store: MemoryStore,
    key: StoreKey,
}

impl FetchLock for MemoryLock {
    fn record_failure(&mut self, failure: &FetchFailure) -> Result<(), StoreError> {
        self.store.slots().entry(self.key.clone()).or_default().failure = Some(failure.clone());
        Ok(())
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        if let Some(slot) = self.store.slots().get_mut(&self.key) {
            slot.locked = false;
        }
    }
}
