//! What all calls of one client share.

use std::fmt;
use std::sync::Arc;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::notice::Notice;
use crate::session::Session;
use crate::settings::Settings;
use crate::store::{StoreKey, TokenStore};

/// A listener for [`Notice`]s.
pub(crate) type Observer = Arc<dyn Fn(&Notice<'_>) + Send + Sync>;

/// Settings, clock, store, and what is common to the calls: the session and the request budget.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Option<Arc<dyn TokenStore>>,
    pub(crate) key: StoreKey,
    pub(crate) session: Arc<Session>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) observer: Option<Observer>,
}

impl Core {
    pub(crate) fn notice(&self, notice: &Notice<'_>) {
        if let Some(observer) = &self.observer {
            observer(notice);
        }
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("settings", &self.settings)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
