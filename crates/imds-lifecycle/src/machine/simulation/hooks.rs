//! Which lifecycle hooks are asked about and answered.

use super::*;

#[test]
fn hooks_are_described_when_an_action_begins() {
    let mut it = Simulation::new(terminating());
    it.api.hooks.clear();
    it.pass(MINUTE);
    it.api.hooks = vec![LifecycleHook::new("added", Transition::Terminating, 30)];
    it.terminate(0).pass(5 * MINUTE).end(true);
    assert_eq!(it.results(), ["added CONTINUE"], "{}", it.said());

    let mut it = Simulation::new(terminating());
    it.api.hooks[0].heartbeat_timeout = 3_600;
    let mut it = it.restart(terminating(), 0);
    it.api.hooks[0].heartbeat_timeout = 30;
    it.terminate(0).pass(5 * MINUTE).end(true);
    assert_eq!(it.results(), ["drain CONTINUE"], "the lowered timeout counts");
}

#[test]
fn idle_it_asks_the_api_once() {
    let mut it = Simulation::new(terminating());
    it.pass(60 * MINUTE);
    assert_eq!(it.calls, ["DescribeLifecycleHooks ok"]);
    let mut group = Simulation::group();
    group.denied.push("DescribeLifecycleHooks".to_owned());
    let mut denied = Simulation::resumed(terminating(), Record::new("i-1", "b-1"), group, 1_000);
    denied.pass(60 * MINUTE);
    assert_eq!(denied.calls, ["DescribeLifecycleHooks refused"]);
    // In an action it is repeated with pauses that grow to half a minute at most.
    denied.terminate(0).pass(10 * MINUTE);
    let asked = denied.count("DescribeLifecycleHooks");
    assert!((20..=26).contains(&asked), "{asked}");
    assert_eq!(denied.said().matches("not authorized").count(), 2, "once idle, once acting");
}

#[test]
fn named_hooks_are_served_in_order_and_unnamed_ones_are_refused_at_the_start() {
    let mut group = Simulation::group();
    group.hooks.push(LifecycleHook::new("second", Transition::Terminating, 30));
    let it = Simulation::resumed(terminating(), Record::new("i-1", "b-1"), group.clone(), 1_000);
    let refusal = it.ended.unwrap();
    assert!(
        refusal.ends_with("name those to answer, in order, of `drain`, `second` with `--hook NAME`"),
        "{refusal}"
    );

    let names = ["second", "drain"];
    let mut it = Simulation::named(terminating(), Record::new("i-1", "b-1"), group.clone(), 1_000, &names);
    it.terminate(75).pass(10 * MINUTE).end(true);
    assert_eq!(it.results(), ["second CONTINUE", "drain CONTINUE"], "{}", it.said());
    let mut it = Simulation::named(terminating(), Record::new("i-1", "b-1"), group, 1_000, &names);
    it.terminate(0).end(false);
    assert_eq!((it.results(), it.machine.record.action.is_none()), (vec!["second ABANDON".to_owned()], true));
}

#[test]
fn the_time_limit_follows_from_the_hook() {
    let mut it = Simulation::new(terminating());
    it.terminate(0);
    assert_eq!(it.machine.time_limit(), Duration::from_secs(100 * MINUTE - 20));
    it.api.hooks.clear();
    let explicit = Rules { time_limit: Some(Duration::from_secs(9)), ..terminating() };
    assert_eq!(Simulation::new(explicit).machine.time_limit(), Duration::from_secs(9));
}
