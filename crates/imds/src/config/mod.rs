//! Where the service is and how it is asked: builder values, environment and profile files,
//! resolved into settings.

pub(crate) mod endpoint;
pub(crate) mod environment;
pub(crate) mod profile;
pub(crate) mod settings;
