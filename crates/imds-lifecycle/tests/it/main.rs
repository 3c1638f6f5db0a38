//! The command `imds-lifecycle` as systemd runs it, against the emulator and a fake Auto Scaling
//! API.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod api_server;
mod auto_scaling;
mod completions;
mod daemon;
mod faults;
mod killed;
mod outages;
mod output;
mod proxy;
mod soak;
mod states;

use imds_emulator::instance::TargetLifecycleState;
use imds_emulator::{Builder, Clock, Emulator, Event, Timestamp};

/// An instance of a group, in service.
fn instance() -> Emulator {
    let instance = instance_builder().start().unwrap();
    instance.service().apply(Event::TargetLifecycleState(Some(TargetLifecycleState::InService)));
    instance
}

fn instance_builder() -> Builder {
    Emulator::builder()
        .clock(Clock::stepped(Timestamp::from_seconds(1_900_000_000)))
        .set("tags/instance/aws:autoscaling:groupName", "web")
}

/// Shows this state from now on, whether there is such a state or not.
fn set_state(instance: &Emulator, state: &str) {
    instance.service().set("autoscaling/target-lifecycle-state", state).unwrap();
}
