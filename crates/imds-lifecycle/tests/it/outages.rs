//! What goes wrong while the command runs: whatever it is, the command ran once, the heartbeats go
//! on, and the action is completed once.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use imds_emulator::{Builder, Emulator, Event, Fault as ServiceFault, FaultKind, Status};

use crate::auto_scaling::{AutoScaling, Fault};
use crate::daemon::{Daemon, Place};
use crate::{instance_builder, set_state};

const COMPLETED: &str = "state `Terminated`: completed";
const BEAT: &str = "RecordLifecycleActionHeartbeat";
const THROTTLED: Fault = Fault::Error(400, "ThrottlingException", "Rate exceeded");

/// A port on a loopback address that no other test has, so that nobody takes the port while nothing
/// listens there.
fn address() -> SocketAddr {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 77, number + 1)), 0)
}

/// A daemon whose command runs until the test lets it end.
struct Acting {
    instance: Option<Emulator>,
    at: SocketAddr,
    api: AutoScaling,
    place: Place,
    fifo: PathBuf,
    command: String,
    daemon: Daemon,
}

impl Acting {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let instance = instance_builder().listen(address()).start().unwrap();
        let (at, api, place) = (instance.address(), AutoScaling::start_at(address(), 1), Place::new());
        let fifo = place.fifo();
        let command = format!("{}; read go < {}", place.command(), fifo.display());
        let words: Vec<&str> = arguments.iter().copied().chain(["--exec", &command]).collect();
        let mut daemon = place.daemon(&instance, &api, &words);
        daemon.says("Auto Scaling group `web`");
        set_state(&instance, "Terminated");
        let acting = Self { instance: Some(instance), at, api, place, fifo, command, daemon };
        acting.beats();
        acting
    }

    fn instance(&self) -> &Emulator {
        self.instance.as_ref().unwrap()
    }

    /// The metadata service goes away.
    fn stop_instance(&mut self) {
        self.instance = None;
    }

    /// It comes back, at the same address, with other tokens.
    fn start_instance(&mut self) {
        let again: Builder = instance_builder().listen(self.at);
        self.instance = Some(again.set("autoscaling/target-lifecycle-state", "Terminated").start().unwrap());
    }

    fn restart_daemon(&mut self) {
        let arguments = ["--exec", self.command.as_str()];
        let endpoint = format!("http://{}", self.at);
        let next = self.place.daemon_at(&[], &endpoint, &self.api, &arguments);
        std::mem::replace(&mut self.daemon, next).kill();
    }

    /// Waits for further heartbeats. One may have been under way when this was called; two cannot
    /// have been.
    fn beats(&self) {
        let seen = self.api.world(|world| world.count(BEAT));
        self.api.wait_for(|world| world.count(BEAT) >= seen + 2);
    }

    fn end_command(&self) {
        std::fs::OpenOptions::new().write(true).open(&self.fifo).unwrap().write_all(b"go\n").unwrap();
    }

    /// Lets the command end, and sees that all of it was done once.
    fn finish(mut self) -> String {
        self.beats();
        self.end_command();
        self.daemon.says("the command ended with exit status: 0").says(COMPLETED);
        self.done()
    }

    fn done(self) -> String {
        let said = self.daemon.stop();
        assert_eq!(self.place.runs(), 1, "{said}");
        assert_eq!(self.api.world(|world| world.completed()), ["CONTINUE"], "{said}");
        said
    }
}

const GONE: &str = "the metadata service cannot be read: ";
const BACK: &str = "the metadata service can be read again";

#[test]
fn the_metadata_service_is_busy() {
    let mut acting = Acting::start();
    let fault = ServiceFault::new(FaultKind::Status(Status::ServiceUnavailable));
    acting.instance().service().apply(Event::Fault(fault));
    acting.daemon.says(GONE);
    acting.beats();
    acting.instance().service().apply(Event::ClearFaults);
    acting.daemon.says(BACK);
    acting.finish();
}

#[test]
fn the_session_token_is_refused_and_renewed() {
    let mut acting = Acting::start();
    let before = acting.instance().counters().token_puts;
    let refused = || ServiceFault::new(FaultKind::Status(Status::Unauthorized)).method("GET");
    acting.instance().service().apply(Event::Fault(refused().count(1)));
    // Read after the refusal, with another token.
    acting.instance().service().unset("autoscaling/target-lifecycle-state").unwrap();
    acting.daemon.says("there is no target lifecycle state any more");
    set_state(acting.instance(), "Terminated");
    acting.daemon.says("state `Terminated`: its command was already started");
    assert_eq!(acting.instance().counters().token_puts, before + 1);
    acting.beats();
    // And where no token is any good.
    acting.instance().service().apply(Event::Fault(refused()));
    acting.daemon.says(GONE);
    acting.beats();
    acting.instance().service().apply(Event::ClearFaults);
    acting.daemon.says(BACK);
    let said = acting.finish();
    assert_eq!(said.matches(GONE).count(), 1, "{said}");
}

#[test]
fn the_metadata_service_is_gone_and_comes_back_with_other_tokens() {
    let mut acting = Acting::start();
    acting.stop_instance();
    acting.daemon.says(GONE);
    acting.beats();
    acting.start_instance();
    acting.daemon.says(BACK);
    acting.finish();
}

#[test]
fn the_metadata_service_stays_away() {
    let mut acting = Acting::start();
    acting.stop_instance();
    acting.daemon.says(GONE);
    acting.finish();
}

#[test]
fn the_api_is_throttled() {
    let mut acting = Acting::start();
    // More than the SDK repeats by itself.
    acting.api.next(BEAT, [THROTTLED; 7]);
    acting.daemon.says("the heartbeat failed: ThrottlingException: Rate exceeded");
    acting.api.next("CompleteLifecycleAction", [THROTTLED; 2]);
    acting.end_command();
    acting.daemon.says("the completion failed: ThrottlingException: Rate exceeded").says(COMPLETED);
    acting.done();
}

#[test]
fn the_api_fails_in_every_way() {
    let acting = Acting::start();
    acting.api.next(BEAT, [Fault::Hangup, Fault::Html, THROTTLED, Fault::DoneAndHangup]);
    acting.beats();
    acting.finish();
}

#[test]
fn the_api_refuses_connections() {
    let mut acting = Acting::start();
    acting.api.refuse();
    acting.daemon.says("the heartbeat failed: ");
    acting.api.listen_again();
    acting.beats();
    acting.finish();
}

#[test]
fn the_api_refuses_connections_when_the_command_ends() {
    let mut acting = Acting::start();
    acting.api.refuse();
    acting.end_command();
    acting.daemon.says("the command ended with exit status: 0").says("the completion failed: ");
    acting.api.listen_again();
    acting.daemon.says(COMPLETED);
    acting.done();
}

#[test]
fn the_daemon_is_killed() {
    let mut acting = Acting::start();
    acting.restart_daemon();
    acting.daemon.says("state `Terminated`: going on where the last process ended");
    acting.finish();
}

#[test]
fn the_daemon_is_killed_while_the_metadata_service_is_away() {
    let mut acting = Acting::start();
    let kept = acting.place.runtime_directory().join("credentials.json");
    assert!(kept.exists(), "kept while the action is worked on");
    assert_eq!(acting.place.files_that_hold("wJalrXUtnFEMI"), 1);
    acting.stop_instance();
    acting.restart_daemon();
    acting.daemon.says("state `Terminated`: going on where the last process ended").says(GONE);
    let said = acting.finish();
    assert!(!said.contains("waiting for the metadata service"), "{said}");
    assert!(!kept.exists(), "gone with the action");
}

#[test]
fn nothing_is_kept_without_a_runtime_directory() {
    let instance = instance_builder().listen(address()).start().unwrap();
    let (api, place) = (AutoScaling::start(3_600), Place::without_runtime_directory());
    set_state(&instance, "Terminated");
    let fifo = place.fifo();
    let hook = format!("exec cat {}", fifo.display());
    let mut daemon = place.daemon(&instance, &api, &["--exec", &hook]);
    daemon.says("Auto Scaling group `web`");
    let endpoint = instance.endpoint();
    drop(instance);
    daemon.kill();
    let mut daemon = place.daemon_at(&[], &endpoint, &api, &["--exec", &hook]);
    daemon.says("going on where the last process ended").says("the heartbeat failed: ");
    assert_eq!(api.world(|world| world.count(BEAT)), 0);
    assert_eq!(place.files_that_hold("wJalrXUtnFEMI"), 0);
    // Lets the hook end, and with it its supervisor.
    drop(std::fs::OpenOptions::new().write(true).open(&fifo).unwrap());
}
