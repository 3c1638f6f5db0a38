//! The service: one state, shared by its listeners and by those who change it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OnceCell, watch};

use crate::state::{Settings, State};

/// The emulated service; clones share one state.
#[derive(Clone, Debug)]
pub struct Service(pub(super) Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Counts changes, so that a listener that waits for one is woken.
    pub(super) changes: watch::Sender<u64>,
    /// Addresses that are to be listened on and cannot be bound at the moment, with the reason.
    unbound: Mutex<BTreeMap<SocketAddr, String>>,
    /// Set when the keys of the identity document's signatures are made; who waits for it waits for
    /// one making.
    pub(super) keys: OnceCell<()>,
}

impl Service {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(settings)),
            changes: watch::Sender::new(0),
            unbound: Mutex::default(),
            keys: OnceCell::new(),
        }))
    }

    /// The state. Never held across a wait.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the listeners: something was changed.
    pub(crate) fn changed(&self) {
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Notes that an address cannot be bound, or that it is bound.
    pub(super) fn set_unbound(&self, address: SocketAddr, error: Option<&io::Error>) {
        let mut unbound = self.0.unbound.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match error {
            Some(error) => unbound.insert(address, error.to_string()).is_none(),
            None => unbound.remove(&address).is_some(),
        };
        drop(unbound);
        if changed {
            self.changed();
        }
    }

    /// Addresses that are to be listened on and cannot be bound at the moment, with the reason.
    pub(crate) fn unbound(&self) -> Vec<(SocketAddr, String)> {
        let unbound = self.0.unbound.lock().unwrap_or_else(PoisonError::into_inner);
        unbound.iter().map(|(address, error)| (*address, error.clone())).collect()
    }
}
