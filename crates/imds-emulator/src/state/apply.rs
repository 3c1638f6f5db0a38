//! What each event does to the state.

use std::time::Duration;

use super::State;
use crate::base::limits::MAINTENANCE_HISTORY;
use crate::base::path::ValuePath;
use crate::base::time::Timestamp;
use crate::event::Event;
use crate::event::auto_scaling::{AutoScaling, Step};
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
            Event::Terminate => {
                self.end_walk();
                self.terminated = true;
            }
            Event::Start => {
                self.end_walk();
                self.terminated = false;
                self.instance.lifecycle = Lifecycle::default();
            }
            Event::TargetLifecycleState(state) => {
                self.end_walk();
                self.instance.lifecycle.target_lifecycle_state = state;
            }
            Event::AutoScaling(walk) => return self.begin_walk(&walk, now),
            Event::AutoScalingStep(step) => self.step_walk(step),
            Event::CompleteLifecycleAction => return self.end_wait(now),
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

    /// Puts the walk's steps on the timeline; a walk that is under way ends where it is.
    fn begin_walk(&mut self, walk: &AutoScaling, now: Timestamp) {
        self.end_walk();
        for (gap, step) in walk.steps() {
            self.take_step(gap, step, now);
        }
        self.rebuild(now);
    }

    fn take_step(&mut self, gap: Duration, step: Step, now: Timestamp) {
        if gap.is_zero() {
            self.step_walk(step);
        } else {
            self.schedule(now.after(gap), Event::AutoScalingStep(step));
        }
    }

    /// Removes what is left of a walk; its last state is no longer known to be the group's view.
    fn end_walk(&mut self) {
        self.timeline.retain(|_, event| !matches!(event, Event::AutoScalingStep(_)));
        self.lifecycle_state = None;
    }

    fn step_walk(&mut self, step: Step) {
        if self.terminated && step.runs {
            // A new boot: nothing of the one before is announced any more.
            self.instance.lifecycle = Lifecycle::default();
        }
        self.terminated = !step.runs;
        self.instance.lifecycle.target_lifecycle_state = Some(step.target);
        self.lifecycle_state = Some(step.state);
    }

    /// Moves what is left of a walk that waits, so that its next state begins now.
    fn end_wait(&mut self, now: Timestamp) {
        if !self.lifecycle_state.is_some_and(|state| state.ends_with(":Wait")) {
            return;
        }
        let mut steps = Vec::new();
        for ((time, number), event) in std::mem::take(&mut self.timeline) {
            if let Event::AutoScalingStep(step) = event {
                steps.push((time, step));
            } else {
                self.timeline.insert((time, number), event);
            }
        }
        let Some((first, _)) = steps.first().copied() else { return };
        for (time, step) in steps {
            self.take_step(time.since(first), step, now);
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
