//! What can be done to a service while it runs.

use imds_model::MetadataOptions;

use crate::clock::Clock;
use crate::record::{Counters, RecordedRequest};
use crate::server::Service;

impl Service {
    /// A value at a path, above what the instance has there: `placement/region`, `/latest/user-data`.
    pub fn set(&self, path: &str, value: impl Into<Vec<u8>>) {
        self.state().set(path, Some(value.into()));
    }

    /// Takes away what is at a path: `iam`, `user-data`.
    pub fn unset(&self, path: &str) {
        self.state().set(path, None);
    }

    /// The metadata options in force.
    #[must_use]
    pub fn options(&self) -> MetadataOptions {
        self.state().options()
    }

    /// Other metadata options, in force at once.
    pub fn set_options(&self, options: MetadataOptions) {
        self.state().set_options(options);
    }

    /// The clock that it goes by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.state().clock().clone()
    }

    /// The requests numbered above `after` that are still kept, oldest first; 0 gives all.
    #[must_use]
    pub fn requests(&self, after: u64) -> Vec<RecordedRequest> {
        self.state().recorder.requests_after(after)
    }

    /// Counts of everything since the start or the last [`Service::forget_requests`].
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state().recorder.counters()
    }

    /// Forgets the recorded requests and sets the counts back.
    pub fn forget_requests(&self) {
        self.state().recorder.reset();
    }
}
