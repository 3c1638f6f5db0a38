//! The locks of the session and its notification, in one place: the models in `loom/` put others
//! here.

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
