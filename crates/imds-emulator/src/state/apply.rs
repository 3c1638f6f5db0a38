//! What each event does to the state.

use super::State;
use crate::base::limits::MAINTENANCE_HISTORY;
use crate::base::path::ValuePath;
use crate::base::time::Timestamp;
use crate::event::Event;
use crate::instance::{Lifecycle, MaintenanceState, Spot, UserData};

impl State {
    /// Applies an event at this time.
    pub(crate) fn apply(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Rebalance => self.instance.lifecycle.rebalance = Some(now),
            Event::Interrupt { action, notice } => {
                self.instance.lifecycle.spot = Some(Spot { action, time: now.after(notice) });
            }
            Event::ClearSpot => {
                self.instance.lifecycle.spot = None;
                self.instance.lifecycle.rebalance = None;
            }
            Event::Terminate => self.terminated = true,
            Event::Start => {
                self.terminated = false;
                self.instance.lifecycle = Lifecycle::default();
            }
            Event::TargetLifecycleState(state) => self.instance.lifecycle.target_lifecycle_state = state,
            Event::ScheduleMaintenance(event) => {
                self.instance.maintenance.scheduled.retain(|one| one.event_id != event.event_id);
                self.instance.maintenance.scheduled.push(event);
            }
            Event::CompleteMaintenance(id) => self.end_maintenance(&id, MaintenanceState::Completed),
            Event::CancelMaintenance(id) => self.end_maintenance(&id, MaintenanceState::Canceled),
            Event::Tag(key, value) if self.snapshot.is_some() => {
                return self.set(&format!("tags/instance/{key}"), value.map(String::into_bytes), now);
            }
            Event::Tag(key, Some(value)) => {
                self.instance.tags.insert(key, value);
            }
            Event::Tag(key, None) => {
                self.instance.tags.remove(&key);
            }
            Event::UserData(data) if self.snapshot.is_some() => {
                return self.set("user-data", data, now);
            }
            Event::UserData(data) => self.instance.user_data = data.map(UserData),
            Event::RotateCredentials => {
                self.rotations += 1;
                self.credentials_since = now;
            }
            Event::Options(change) => {
                // A change on top of one that is still pending is a change of what will be.
                let base = self.pending.map_or(self.options, |(options, _)| options);
                let options = change.apply(base);
                if change.pending.is_zero() {
                    self.pending = None;
                    self.options = options;
                } else {
                    self.pending = Some((options, now.after(change.pending)));
                    self.next = self.next.min(now.after(change.pending));
                }
            }
            Event::Set(path, value) => return self.set_value(path, value, now),
            Event::Fault(fault) => {
                self.faults.add(fault, now);
                return;
            }
            Event::ClearFaults => {
                self.faults.clear();
                return;
            }
        }
        self.rebuild(now);
    }

    /// Serves a value, or nothing, at a path of a snapshot.
    fn set(&mut self, path: &str, value: Option<Vec<u8>>, now: Timestamp) {
        // Tag keys were checked when the event was read, so that the path can be.
        if let Ok(path) = ValuePath::parse(path) {
            self.set_value(path, value, now);
        }
    }

    /// Moves maintenance to the history; nothing happens where none of this id is scheduled.
    fn end_maintenance(&mut self, id: &str, state: MaintenanceState) {
        let maintenance = &mut self.instance.maintenance;
        let Some(at) = maintenance.scheduled.iter().position(|event| event.event_id == id) else { return };
        let mut event = maintenance.scheduled.remove(at);
        event.state = state;
        if maintenance.history.len() >= MAINTENANCE_HISTORY {
            maintenance.history.remove(0);
        }
        maintenance.history.push(event);
    }
}
