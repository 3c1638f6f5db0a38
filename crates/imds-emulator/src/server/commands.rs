//! What can be done to a service while it runs.

use std::time::Duration;

use imds_model::MetadataOptions;

use super::service::Service;
use crate::base::clock::Clock;
use crate::base::error::Invalid;
use crate::base::path::ValuePath;
use crate::base::time::Timestamp;
use crate::event::Event;
use crate::identity::Certificates;
use crate::instance::{Instance, RoleCredentials};
use crate::state::record::{Counters, RecordedRequest};

impl Service {
    /// Applies an event now.
    pub fn apply(&self, event: Event) {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        state.apply(event, now);
        drop(state);
        self.changed();
    }

    /// Applies an event after this time by the emulator's clock.
    pub fn apply_after(&self, wait: Duration, event: Event) {
        if wait.is_zero() {
            return self.apply(event);
        }
        let mut state = self.state();
        let now = state.clock().now();
        state.schedule(now.after(wait), event);
        drop(state);
        self.changed();
    }

    /// The same for a caller who is not trusted with this process's memory: the control API.
    ///
    /// # Errors
    /// Returns an error if the service holds as much of its kind as it may.
    pub(crate) fn apply_bounded(&self, wait: Duration, event: Event) -> Result<(), String> {
        self.state().check_room(&event, !wait.is_zero())?;
        self.apply_after(wait, event);
        Ok(())
    }

    /// Moves a stepped clock on, with everything that happens meanwhile; `false` where the clock
    /// moves by itself.
    pub fn step(&self, by: Duration) -> bool {
        let mut state = self.state();
        let stepped = state.clock().step(by);
        let now = state.clock().now();
        state.advance(now);
        drop(state);
        self.changed();
        stepped
    }

    /// A value at a path, above what the instance has there: `placement/region`,
    /// `/latest/user-data`.
    ///
    /// # Errors
    /// Returns an error if no value can be at the path.
    pub fn set(&self, path: &str, value: impl Into<Vec<u8>>) -> Result<(), Invalid> {
        let path = ValuePath::parse(path).map_err(Invalid::new)?;
        self.apply(Event::Set(path, Some(value.into())));
        Ok(())
    }

    /// Removes what is at a path: `iam`, `user-data`.
    ///
    /// # Errors
    /// Returns an error if no value can be at the path.
    pub fn unset(&self, path: &str) -> Result<(), Invalid> {
        let path = ValuePath::parse(path).map_err(Invalid::new)?;
        self.apply(Event::Set(path, None));
        Ok(())
    }

    /// Serves these credentials of the role from now on, instead of fake ones.
    pub fn set_role_credentials(&self, credentials: RoleCredentials) {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        state.set_role_credentials(credentials, now);
    }

    /// The metadata options in force, `pending` while others are on their way.
    #[must_use]
    pub fn options(&self) -> MetadataOptions {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        state.options()
    }

    /// The instance as it is now.
    #[must_use]
    pub fn instance(&self) -> Instance {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        state.instance().clone()
    }

    /// The certificates that the identity document's signatures are verified with; made now if they
    /// are not yet there. `None` where no key can be made.
    #[must_use]
    pub fn certificates(&self) -> Option<Certificates> {
        let (keys, now) = {
            let state = self.state();
            (state.keys().clone(), state.clock().now())
        };
        // Without the state, so that requests are answered meanwhile.
        keys.make(now).map(|keys| keys.certificates.clone())
    }

    /// Every leaf at the latest version by path, as a reader with a session token sees it.
    #[must_use]
    pub fn leaves(&self) -> Vec<(String, Vec<u8>)> {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        let mut leaves = Vec::new();
        state.leaves(&mut |path, value| leaves.push((path.to_owned(), value.to_vec())));
        leaves
    }

    /// Events to come and when, soonest first.
    #[must_use]
    pub fn timeline(&self) -> Vec<(Timestamp, Event)> {
        self.state().timeline().map(|(time, event)| (time, event.clone())).collect()
    }

    /// The Auto Scaling group's view of the instance, such as `Terminating:Wait`, once an event
    /// [`Event::AutoScaling`] has set it. The metadata service does not show it.
    #[must_use]
    pub fn lifecycle_state(&self) -> Option<&'static str> {
        let mut state = self.state();
        let now = state.clock().now();
        state.advance(now);
        state.lifecycle_state()
    }

    /// Names of the faults in force.
    #[must_use]
    pub fn faults(&self) -> Vec<&'static str> {
        self.state().faults()
    }

    /// The seed that rates of faults are drawn with; another run with it draws the same.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.state().seed()
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
