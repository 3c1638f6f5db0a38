//! The public face: clients, what they return, and how they are built.

#[cfg(feature = "tokio")]
pub(crate) mod async_body;
#[cfg(feature = "tokio")]
pub(crate) mod async_walk;
pub(crate) mod blocking;
pub(crate) mod body;
pub(crate) mod builder;
pub(crate) mod documents;
#[cfg(feature = "identity")]
pub(crate) mod identity;
pub(crate) mod interface;
pub(crate) mod response;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;
pub(crate) mod typed_reads;
pub(crate) mod walk;
