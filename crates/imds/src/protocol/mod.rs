//! Every rule of the client, without I/O: which token to use, when to renew it, what to retry, what
//! an answer means.

pub(crate) mod body_stream;
pub(crate) mod call;
pub(crate) mod classify;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod outcome;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod session;
pub(crate) mod shared;
pub(crate) mod step;
pub(crate) mod token_fetch;
pub(crate) mod trace;
