//! The Auto Scaling API, and what signs its calls.

pub(crate) mod api;
pub(crate) mod credential_cache;
pub(crate) mod credentials;
pub(crate) mod http;
pub(crate) mod resolve;
