//! Waiting until another thread or task of this process has changed something.

use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How often something has changed; what was read before a check says whether it is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

/// Something that changes, and those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    epoch: Mutex<u64>,
    changed: Condvar,
    #[cfg(feature = "tokio")]
    tasks: tokio::sync::Notify,
}

impl Notify {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Read this before looking at what may change, so that no change between looking and waiting
    /// is missed.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(*self.lock())
    }

    /// Wakes everyone who waits.
    pub(crate) fn notify(&self) {
        let mut epoch = self.lock();
        *epoch = epoch.wrapping_add(1);
        drop(epoch);
        self.changed.notify_all();
        #[cfg(feature = "tokio")]
        self.tasks.notify_waiters();
    }

    /// Blocks until something has changed since the epoch, or for the duration.
    pub(crate) fn wait(&self, seen: Epoch, at_most: Duration) {
        let epoch = self.lock();
        if *epoch == seen.0 {
            // A wait that ends for no reason does no harm: the call looks again.
            drop(self.changed.wait_timeout(epoch, at_most).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// As [`wait`](Self::wait), for a task.
    #[cfg(feature = "tokio")]
    pub(crate) async fn wait_task(&self, seen: Epoch, at_most: Duration) {
        let notified = self.tasks.notified();
        tokio::pin!(notified);
        // From here on no notification is missed; one before it has moved the epoch.
        notified.as_mut().enable();
        if self.epoch() == seen {
            let _ = tokio::time::timeout(at_most, notified).await;
        }
    }
}
