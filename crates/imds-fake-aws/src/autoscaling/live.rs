//! A group whose time passes by itself, and walks that are begun from outside, in the words of the
//! emulator's event `auto-scaling`.

#![allow(clippy::disallowed_methods, reason = "the one place that lives by the clock of the machine")]

use std::time::{Duration, Instant};

use imds_model::duration;

use super::lifecycle::{Lifecycle, LifecycleHook, Transition};
use crate::answer::{Answer, Refusal};
use crate::request::{Request, form};

/// The deregistration delay of a target group (Elastic Load Balancing, "Deregistration delay").
const DRAIN: Duration = Duration::from_secs(300);

/// The calls that [`Lifecycle`] answers.
pub(crate) const ACTIONS: [&str; 4] = [
    "CompleteLifecycleAction",
    "DescribeAutoScalingInstances",
    "DescribeLifecycleHooks",
    "RecordLifecycleActionHeartbeat",
];

/// A group with one instance, by the time of this process.
#[derive(Debug)]
pub struct LiveGroup {
    lifecycle: Lifecycle,
    last: Instant,
}

impl LiveGroup {
    /// A group of this name with this instance in service, and a hook for each transition, `drain`
    /// and `warm`, whose heartbeat timeout is this many seconds.
    #[must_use]
    pub fn new(group: &str, instance_id: &str, heartbeat_timeout: u32) -> Self {
        let mut lifecycle = Lifecycle::in_service(group, instance_id);
        lifecycle.hooks = vec![
            LifecycleHook::new("drain", Transition::Terminating, heartbeat_timeout),
            LifecycleHook::new("warm", Transition::Launching, heartbeat_timeout),
        ];
        Self { lifecycle, last: Instant::now() }
    }

    /// The group as it is now.
    pub fn now(&mut self) -> &mut Lifecycle {
        let last = std::mem::replace(&mut self.last, Instant::now());
        self.lifecycle.advance(self.last - last);
        &mut self.lifecycle
    }

    /// Answers a call of the API.
    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        self.now().answer(&request.action, &|name| request.get(name))
    }

    /// Begins the walk that a form names: `walk=terminate&drain=75s`. An empty form begins none.
    /// Answers with the group's view.
    pub(crate) fn walk(&mut self, body: &str) -> Result<Answer, Refusal> {
        let form = form(body);
        let wrong = |text: String| Refusal::new("ValidationError", text);
        let drain = form.get("drain").map_or(Ok(DRAIN), |text| duration::parse(text));
        let drain = drain.map_err(|error| wrong(error.to_string()))?;
        let group = self.now();
        match form.get("walk").map(String::as_str) {
            None => {}
            Some("launch") => group.launch("InService"),
            Some("warm-launch") => group.launch("Warmed:Stopped"),
            Some("terminate") => group.terminate(drain),
            Some("warm-terminate") => group.terminate(Duration::ZERO),
            Some("warm-return") => group.return_to_pool(drain),
            Some(other) => {
                let shown = other.escape_debug();
                return Err(wrong(format!(
                    "`walk` is `{shown}`; one of `launch`, `terminate`, `warm-launch`, `warm-terminate`, \
                     `warm-return`"
                )));
            }
        }
        let ended: Vec<String> =
            group.ended.iter().map(|(hook, result)| format!("{hook} {result}")).collect();
        Ok(Answer::json(&serde_json::json!({
            "lifecycle-state": group.state(),
            "target-lifecycle-state": group.target_state(),
            "ended": ended,
        })))
    }
}
