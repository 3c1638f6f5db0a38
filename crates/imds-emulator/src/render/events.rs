//! `events/`, `spot/` and `autoscaling/`: what an instance is told about its future.

use super::Branch;
use super::json::quote;
use crate::instance::{Instance, MaintenanceEvent, MaintenanceState, SpotAction};
use crate::version::Version;

const V2018_08_17: Version = Version::released(2018, 8, 17);

pub(super) fn put(branch: &mut Branch<'_>, instance: &Instance) {
    let scheduled = maintenance(&instance.maintenance.scheduled);
    branch.put("events/maintenance/scheduled", V2018_08_17, scheduled);
    branch.put("events/maintenance/history", V2018_08_17, maintenance(&instance.maintenance.history));
    put_lifecycle(branch, instance);
}

/// What Spot and Auto Scaling have announced.
pub(super) fn put_lifecycle(branch: &mut Branch<'_>, instance: &Instance) {
    let lifecycle = &instance.lifecycle;
    if let Some(time) = lifecycle.rebalance {
        let json = format!("{{\"noticeTime\": \"{time}\"}}");
        branch.put("events/recommendations/rebalance", Version::released(2020, 10, 27), json);
    }
    if let Some(spot) = lifecycle.spot {
        let json = format!("{{\"action\": \"{}\", \"time\": \"{}\"}}", spot.action.as_str(), spot.time);
        branch.put("spot/instance-action", Version::released(2016, 11, 15), json);
        // The older leaf says nothing about stops and hibernation (EC2 User Guide, "Spot Instance interruption
        // notices").
        if spot.action == SpotAction::Terminate {
            branch.put("spot/termination-time", Version::released(2014, 11, 5), spot.time.to_string());
        }
    }
    if let Some(state) = lifecycle.target_lifecycle_state {
        branch.put("autoscaling/target-lifecycle-state", Version::released(2021, 7, 15), state.as_str());
    }
}

/// A JSON array of events; `[]` when there are none.
fn maintenance(events: &[MaintenanceEvent]) -> String {
    if events.is_empty() {
        return "[]".to_owned();
    }
    let mut text = String::from("[ ");
    for (at, event) in events.iter().enumerate() {
        text.push_str(if at == 0 { "{\n" } else { ", {\n" });
        let marker = match event.state {
            MaintenanceState::Active => "",
            MaintenanceState::Completed => "[Completed] ",
            MaintenanceState::Canceled => "[Canceled] ",
        };
        let mut members = vec![
            ("NotBefore", event.not_before.maintenance_date()),
            ("Code", event.code.clone()),
            ("Description", format!("{marker}{}", event.description)),
            ("EventId", event.event_id.clone()),
        ];
        if let Some(time) = event.not_after {
            members.push(("NotAfter", time.maintenance_date()));
        }
        members.push(("State", event.state.as_str().to_owned()));
        for (at, (name, value)) in members.iter().enumerate() {
            text.push_str("  ");
            quote(&mut text, name);
            text.push_str(" : ");
            quote(&mut text, value);
            text.push_str(if at + 1 < members.len() { ",\n" } else { "\n" });
        }
        text.push('}');
    }
    text.push_str(" ]");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maintenance_as_the_guide_shows_it() {
        let event = MaintenanceEvent {
            event_id: "instance-event-0d59937288b749b32".into(),
            code: "system-reboot".into(),
            description: "scheduled reboot".into(),
            not_before: "2019-01-21T09:00:43Z".parse().unwrap(),
            not_after: Some("2019-01-21T09:17:23Z".parse().unwrap()),
            state: MaintenanceState::Completed,
        };
        assert_eq!(
            maintenance(&[event]),
            "[ {\n  \"NotBefore\" : \"21 Jan 2019 09:00:43 GMT\",\n  \"Code\" : \"system-reboot\",\n  \
             \"Description\" : \"[Completed] scheduled reboot\",\n  \
             \"EventId\" : \"instance-event-0d59937288b749b32\",\n  \
             \"NotAfter\" : \"21 Jan 2019 09:17:23 GMT\",\n  \"State\" : \"completed\"\n} ]"
        );
        assert_eq!(maintenance(&[]), "[]");
    }
}
