//! What everything else stands on: time, versions, paths, statuses, places in files, errors.

pub(crate) mod block;
pub(crate) mod clock;
pub(crate) mod error;
pub(crate) mod limits;
pub(crate) mod path;
pub(crate) mod profile;
pub(crate) mod span;
pub(crate) mod status;
pub(crate) mod time;
pub(crate) mod version;
