//! What all calls of one client share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use crate::clock::{BootId, Clock};
use crate::config::settings::Settings;
use crate::protocol::events::ClientEvent;
use crate::protocol::rate_limit::RateLimit;
use crate::protocol::session::Session;
use crate::protocol::trace;
use crate::store::{StoreKey, TokenStore};

/// A listener for [`ClientEvent`]s.
pub(crate) type Observer = Arc<dyn Fn(&ClientEvent<'_>) + Send + Sync>;

/// Settings, clock, store, and what is common to the calls: the session and the rate limit.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Option<Arc<dyn TokenStore>>,
    pub(crate) key: StoreKey,
    pub(crate) session: Arc<Session>,
    pub(crate) rate_limit: Arc<RateLimit>,
    pub(crate) observer: Option<Observer>,
    /// The start of the machine that stored tokens belong to; `None` without a store, or if it is
    /// not known.
    pub(crate) boot_id: Option<BootId>,
    /// The threads on which the observer is running.
    pub(crate) observing: Mutex<Vec<ThreadId>>,
}

impl Shared {
    /// Reports an event. Events of calls that the observer itself makes are not reported.
    pub(crate) fn emit(&self, event: &ClientEvent<'_>) {
        if !self.is_observed() || self.is_nested() {
            return;
        }
        let _observing = Observing::begin(&self.observing);
        trace::record(event);
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }

    fn is_observed(&self) -> bool {
        self.observer.is_some() || trace::is_on()
    }

    /// Returns whether this is a call that the observer makes. It must not wait for the call that
    /// is being observed.
    pub(crate) fn is_nested(&self) -> bool {
        self.is_observed() && lock(&self.observing).contains(&std::thread::current().id())
    }
}

struct Observing<'a>(&'a Mutex<Vec<ThreadId>>);

impl<'a> Observing<'a> {
    fn begin(threads: &'a Mutex<Vec<ThreadId>>) -> Self {
        lock(threads).push(std::thread::current().id());
        Self(threads)
    }
}

impl Drop for Observing<'_> {
    fn drop(&mut self) {
        let id = std::thread::current().id();
        lock(self.0).retain(|thread| *thread != id);
    }
}

fn lock(threads: &Mutex<Vec<ThreadId>>) -> MutexGuard<'_, Vec<ThreadId>> {
    threads.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
