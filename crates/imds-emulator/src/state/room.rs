//! How much of each kind the state may hold, for those who are not trusted with its memory.

use super::State;
use crate::base::limits::{FAULTS, MAINTENANCE, SCHEDULED_EVENTS, SET_BYTES, SET_VALUES, TAGS};
use crate::event::Event;

impl State {
    /// Whether there is room for what an event adds.
    ///
    /// # Errors
    /// Returns an error that says how much there is, and how to make room.
    pub(crate) fn check_room(&self, event: &Event, scheduled: bool) -> Result<(), String> {
        let full = |held: usize, most: usize, what: &str, advice: &str| match held < most {
            true => Ok(()),
            false => Err(format!("the emulator holds {most} {what} already; {advice}")),
        };
        if scheduled {
            full(self.timeline.len(), SCHEDULED_EVENTS, "events to come", "wait until some have happened")?;
        }
        match event {
            Event::Set(path, value) => {
                if !self.overrides.contains_key(path) {
                    full(self.overrides.len(), SET_VALUES, "set values", "restart it")?;
                }
                let bytes: usize = self.override_bytes + value.as_ref().map_or(0, Vec::len);
                full(bytes, SET_BYTES, "bytes of set values", "restart it")
            }
            Event::Fault(_) => full(self.faults.len(), FAULTS, "faults", "`clear-faults` ends them"),
            Event::Tag(key, Some(_)) if !self.instance.tags.contains_key(key) => {
                full(self.instance.tags.len(), TAGS, "tags", "`untag` removes one")
            }
            Event::ScheduleMaintenance(_) => {
                let held = self.instance.maintenance.scheduled.len();
                full(held, MAINTENANCE, "maintenance events", "complete or cancel one")
            }
            _ => Ok(()),
        }
    }
}
