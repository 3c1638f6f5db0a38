//! `events/`, `spot/` and `autoscaling/`: what is announced to an instance.

use imds_model::Category;

use super::json::quote;
use super::sink::Sink;
use crate::instance::{Instance, MaintenanceEvent, MaintenanceState, SpotAction};

/// Puts what was announced of this category.
pub(super) fn put(category: Category, instance: &Instance, sink: &mut Sink<'_>) {
    let lifecycle = &instance.lifecycle;
    match category {
        Category::ScheduledMaintenance => sink.text(maintenance(&instance.maintenance.scheduled)),
        Category::MaintenanceHistory => sink.text(maintenance(&instance.maintenance.history)),
        Category::RebalanceRecommendation => {
            sink.optional(lifecycle.rebalance.map(|time| format!("{{\"noticeTime\": \"{time}\"}}")));
        }
        Category::SpotInstanceAction => sink.optional(lifecycle.spot.map(|spot| {
            format!("{{\"action\": \"{}\", \"time\": \"{}\"}}", spot.action.as_str(), spot.time)
        })),
        Category::SpotTerminationTime => {
            // The older leaf says nothing about stops and hibernation (EC2 User Guide, "Spot
            // Instance interruption notices").
            let spot = lifecycle.spot.filter(|spot| spot.action == SpotAction::Terminate);
            sink.optional(spot.map(|spot| spot.time.to_string()));
        }
        Category::AutoScalingTargetLifecycleState => {
            sink.optional(lifecycle.target_lifecycle_state.map(|state| state.as_str()));
        }
        _ => {}
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
