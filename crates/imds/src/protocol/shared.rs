//! What all calls of one client share.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::settings::Settings;
use crate::protocol::events::ClientEvent;
use crate::protocol::rate_limit::RateLimit;
use crate::protocol::session::Session;
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
}

impl Shared {
    pub(crate) fn emit(&self, event: &ClientEvent<'_>) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("settings", &self.settings)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
