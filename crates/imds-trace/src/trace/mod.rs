//! What the packets of a connection mean, with no I/O: events in, judged requests out.

pub(crate) mod event;
pub(crate) mod request;
pub(crate) mod stream;
pub(crate) mod tracker;
