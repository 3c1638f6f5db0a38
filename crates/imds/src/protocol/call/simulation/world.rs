//! What a process of the simulation finds around it: random numbers, time, and a store that fails.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use crate::clock::{BootId, Clock, Moment};
use crate::store::{FetchFailure, FetchLock, MemoryStore, StoreError, StoreKey, StoredToken, TokenStore};

/// SplitMix64: any seed is as good as any other.
#[derive(Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True this often in a thousand.
    pub(super) fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub(super) fn milliseconds(&mut self, limit: u64) -> Duration {
        // With microseconds, so that few events fall on the same moment.
        Duration::from_micros(self.below(limit * 1000))
    }
}

/// The clock and the randomness of every client of one simulation.
#[derive(Clone)]
pub(super) struct Invented(pub(super) Arc<Mutex<(Moment, Random)>>);

impl Invented {
    pub(super) fn state(&self) -> MutexGuard<'_, (Moment, Random)> {
        self.0.lock().unwrap()
    }
}

impl Clock for Invented {
    fn now(&self) -> Moment {
        self.state().0
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn boot_id(&self) -> Option<BootId> {
        BootId::new("boot")
    }

    #[allow(clippy::cast_precision_loss, reason = "any fraction will do")]
    fn random(&self) -> f64 {
        self.state().1.below(1000) as f64 / 1000.0
    }
}

/// A store that fails this often in a thousand.
#[derive(Clone)]
pub(super) struct FaultyStore {
    pub(super) inner: MemoryStore,
    pub(super) clock: Invented,
    pub(super) per_mille: u64,
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyStore")
    }
}

impl FaultyStore {
    pub(super) fn try_to(&self) -> Result<&MemoryStore, StoreError> {
        if self.clock.state().1.happens(self.per_mille) {
            return Err(StoreError::new("the disk is full"));
        }
        Ok(&self.inner)
    }
}

impl TokenStore for FaultyStore {
    fn load(&self, key: &StoreKey) -> Result<Option<StoredToken>, StoreError> {
        self.try_to()?.load(key)
    }

    fn save(&self, key: &StoreKey, token: &StoredToken) -> Result<(), StoreError> {
        self.try_to()?.save(key, token)
    }

    fn remove(&self, key: &StoreKey) -> Result<bool, StoreError> {
        self.try_to()?.remove(key)
    }

    fn try_lock(&self, key: &StoreKey) -> Result<Option<Box<dyn FetchLock>>, StoreError> {
        self.try_to()?.try_lock(key)
    }

    fn last_failure(&self, key: &StoreKey) -> Result<Option<FetchFailure>, StoreError> {
        self.try_to()?.last_failure(key)
    }
}
