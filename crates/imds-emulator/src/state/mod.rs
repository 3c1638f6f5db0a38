//! The service's state: the instance and its options as they are now, and what follows from them.

mod apply;
pub(crate) mod record;
mod room;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use imds_model::MetadataOptions;
use imds_model::options::{State as OptionsState, Switch};
use imds_model::request_target::path_of;

use self::record::{Entry, ImdsVersion, Recorder, RequestHook};
use crate::base::clock::Clock;
use crate::base::path::ValuePath;
use crate::base::profile::Profile;
use crate::base::time::Timestamp;
use crate::event::Event;
use crate::event::fault::{FaultKind, Faults};
use crate::files::snapshot::Snapshot;
use crate::identity::{DocumentSigner, Keyring};
use crate::instance::{Instance, RoleCredentials};
use crate::protocol::token::TokenIssuer;
use crate::protocol::wire::Encoder;
use crate::protocol::{self, Body, Request, Response, View};
use crate::render::{self, Source, Tree};
use crate::tree::Directory;

/// What a state is made from.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The instance.
    pub(crate) instance: Instance,
    /// The tree of a real instance, instead of the model's.
    pub(crate) snapshot: Option<Snapshot>,
    /// The metadata options.
    pub(crate) options: MetadataOptions,
    /// The wire profile.
    pub(crate) profile: Profile,
    /// Whether a Snowball names the token TTL as EC2 does.
    pub(crate) snowball_token_ttl: bool,
    /// Values by path that stand above the instance's; `None` takes a path away.
    pub(crate) overrides: BTreeMap<ValuePath, Option<Vec<u8>>>,
    /// Where the time comes from.
    pub(crate) clock: Clock,
    /// Key of the session tokens.
    pub(crate) token_key: [u8; 32],
    /// What the keys of the identity document's signatures follow from.
    pub(crate) signer_seed: [u8; 32],
    /// The role's credentials, if they come from elsewhere.
    pub(crate) given: Option<RoleCredentials>,
    /// Called with each answered request.
    pub(crate) on_request: Option<RequestHook>,
    /// How many requests are kept for the recorder.
    pub(crate) record_limit: usize,
    /// What happens how long after the start.
    pub(crate) timeline: Vec<(std::time::Duration, Event)>,
    /// What rates of faults are drawn with.
    pub(crate) seed: u64,
}

/// The service's state.
pub(crate) struct State {
    instance: Instance,
    snapshot: Option<Snapshot>,
    options: MetadataOptions,
    /// Options to come, and when.
    pending: Option<(MetadataOptions, Timestamp)>,
    profile: Profile,
    overrides: BTreeMap<ValuePath, Option<Vec<u8>>>,
    /// How long the values in it are together.
    override_bytes: usize,
    clock: Clock,
    tokens: TokenIssuer,
    signer: DocumentSigner,
    credentials_since: Timestamp,
    rotations: u64,
    /// The role's credentials, if they come from elsewhere.
    given: Option<RoleCredentials>,
    tree: Tree,
    encoder: Encoder,
    faults: Faults,
    /// Events to come, by time and number.
    timeline: BTreeMap<(Timestamp, u64), Event>,
    scheduled: u64,
    terminated: bool,
    /// The Auto Scaling group's view of the instance, `LifecycleState`, if a walk has set it.
    lifecycle_state: Option<&'static str>,
    /// When anything has to be done before an answer.
    next: Timestamp,
    /// Who asked for what.
    pub(crate) recorder: Recorder,
}

impl std::fmt::Debug for State {
    /// Credentials and user data are in it: only the instance is named.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("instance_id", &self.instance.instance_id).finish_non_exhaustive()
    }
}

/// How an answer's bytes are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// Not yet: the answer is a signature, whose keys are to be made first; then
    /// [`State::answer_at_last`] is asked with the fault that was drawn.
    Keys(Option<FaultKind>),
    /// As they are.
    Whole,
    /// Never: the connection hangs.
    Stall,
    /// Never: the connection is reset.
    Reset,
    /// This many of them, then the end.
    Cut(usize),
    /// This many at once, the rest at this many per second.
    Slow(usize, u32),
}

/// What the connection has to do once an answer's bytes are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    /// The connection stays open.
    pub(crate) keep_alive: bool,
    /// The answer may travel this many hops: the answer to a token PUT.
    pub(crate) hop_limit: Option<u8>,
    /// How it is delivered.
    pub(crate) delivery: Delivery,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Number of the connection.
    pub(crate) connection: u64,
    /// The other end of the connection; none where there is no socket.
    pub(crate) client: Option<SocketAddr>,
    /// Whether it is the first of its connection, whose packets count as well.
    pub(crate) first: bool,
}

impl State {
    /// The state that these settings describe.
    #[must_use]
    pub(crate) fn new(settings: Settings) -> Self {
        let now = settings.clock.now();
        let tokens = TokenIssuer::new(&settings.token_key, &settings.instance.instance_id, settings.profile);
        let mut state = Self {
            instance: settings.instance,
            snapshot: settings.snapshot,
            options: settings.options,
            pending: None,
            profile: settings.profile,
            override_bytes: settings.overrides.values().flatten().map(Vec::len).sum(),
            overrides: settings.overrides,
            clock: settings.clock,
            tokens,
            signer: DocumentSigner::new(settings.signer_seed),
            credentials_since: now,
            rotations: 0,
            given: settings.given,
            tree: Tree { root: Directory::default(), until: now },
            encoder: Encoder::new(settings.profile, now).with_snowball_token_ttl(settings.snowball_token_ttl),
            faults: Faults::new(settings.seed),
            timeline: BTreeMap::new(),
            scheduled: 0,
            terminated: false,
            lifecycle_state: None,
            next: now,
            recorder: Recorder::new(settings.record_limit, settings.on_request),
        };
        for (after, event) in settings.timeline {
            state.schedule(now.after(after), event);
        }
        state.rebuild(now);
        state.advance(now);
        state
    }

    /// Where the time comes from.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The instance as it is now.
    pub(crate) const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// The options in force, `pending` while others are on their way.
    pub(crate) fn options(&self) -> MetadataOptions {
        let state = if self.pending.is_some() { OptionsState::Pending } else { OptionsState::Applied };
        MetadataOptions { state, ..self.options }
    }

    /// The Auto Scaling group's view of the instance, such as `Terminating:Wait`.
    pub(crate) const fn lifecycle_state(&self) -> Option<&'static str> {
        self.lifecycle_state
    }

    /// The seed of the faults.
    pub(crate) const fn seed(&self) -> u64 {
        self.faults.seed()
    }

    /// Names of the faults in force.
    pub(crate) fn faults(&self) -> Vec<&'static str> {
        self.faults.names(self.clock.now())
    }

    /// Events to come, soonest first.
    pub(crate) fn timeline(&self) -> impl Iterator<Item = (Timestamp, &Event)> {
        self.timeline.iter().map(|((time, _), event)| (*time, event))
    }

    /// Every leaf at the latest version, by path, as a reader with a token sees it.
    pub(crate) fn leaves(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.tree.root.leaves("/latest/", &mut |path, leaf| match leaf.signature {
            None => visit(path, leaf.value(true)),
            Some(_) => visit(path, b"(made when it is asked for)"),
        });
    }

    /// The keys of the identity document's signatures.
    pub(crate) const fn keys(&self) -> &Keyring {
        self.signer.keys()
    }

    /// Whether connections to an IPv6 address are served.
    pub(crate) fn serves_ipv6(&self) -> bool {
        self.options.http_protocol_ipv6 == Switch::Enabled
    }

    /// Until when nothing listens, if that is so.
    pub(crate) fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.terminated { Some(Timestamp::NEVER) } else { self.faults.refusing(now) }
    }

    /// When the timeline goes on.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        self.timeline.keys().next().map(|(time, _)| *time)
    }

    /// Schedules an event; one that is not in the future is applied at the next request.
    pub(crate) fn schedule(&mut self, time: Timestamp, event: Event) {
        self.scheduled += 1;
        self.timeline.insert((time, self.scheduled), event);
        self.next = self.next.min(time);
    }

    /// Applies every event that is due.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if now < self.next {
            return;
        }
        loop {
            let event_time = self.next_event().unwrap_or(Timestamp::NEVER);
            let applied = self.pending.map_or(Timestamp::NEVER, |(_, time)| time);
            // In the order of time, so that a long pause ends in the same state as a short one.
            if applied <= now && applied <= event_time {
                if let Some((options, _)) = self.pending.take() {
                    self.options = options;
                    self.rebuild(applied);
                }
            } else if event_time <= now {
                if let Some((_, event)) = self.timeline.pop_first() {
                    self.apply(event, event_time);
                }
            } else {
                break;
            }
        }
        self.faults.prune(now);
        if now >= self.tree.until {
            self.rebuild(now);
        }
        let applied = self.pending.map_or(Timestamp::NEVER, |(_, time)| time);
        self.next = self.tree.until.min(applied).min(self.next_event().unwrap_or(Timestamp::NEVER));
    }

    /// Serves these credentials of the role from now on.
    pub(crate) fn set_role_credentials(&mut self, given: RoleCredentials, now: Timestamp) {
        self.given = Some(given);
        self.rebuild(now);
    }

    /// Serves a value, or nothing, at a path, whatever the instance has there. The tree is changed
    /// where it is, so that many values cost no more than their number.
    fn set_value(&mut self, path: ValuePath, value: Option<Vec<u8>>, now: Timestamp) {
        // What was set below the path before is gone with it.
        let below: Vec<ValuePath> = self
            .overrides
            .range(path.first_below()..)
            .take_while(|(other, _)| path.holds(other))
            .map(|(other, _)| other.clone())
            .collect();
        for other in below {
            let removed = self.overrides.remove(&other).flatten();
            self.override_bytes -= removed.map_or(0, |value| value.len());
        }
        let rebuild = is_taken_over(&path);
        override_value(&mut self.tree.root, &path, value.as_deref());
        self.override_bytes += value.as_ref().map_or(0, Vec::len);
        let replaced = self.overrides.insert(path, value).flatten();
        self.override_bytes -= replaced.map_or(0, |value| value.len());
        if rebuild {
            return self.rebuild(now);
        }
        self.encoder.set_last_modified(now);
    }

    fn rebuild(&mut self, now: Timestamp) {
        // What was set above the instance reaches what follows from it: the identity document, for
        // one.
        let taken_over = self.overrides.keys().any(is_taken_over).then(|| {
            let mut instance = self.instance.clone();
            for (path, value) in &self.overrides {
                if let Some(value) = value {
                    instance.take_over(path.as_str(), value);
                }
            }
            // What is set itself lies above what is derived.
            instance.derive(&self.instance, &|_| false);
            instance
        });
        let source = Source {
            instance: taken_over.as_ref().unwrap_or(&self.instance),
            profile: self.profile,
            tags: self.options.instance_metadata_tags == Switch::Enabled,
            credentials_since: self.credentials_since,
            rotations: self.rotations,
            given: self.given.as_ref(),
        };
        self.tree = match &self.snapshot {
            Some(snapshot) => render::snapshot(snapshot, &self.instance.lifecycle),
            None => render::tree(source, now),
        };
        let root = &mut self.tree.root;
        for (path, value) in &self.overrides {
            override_value(root, path, value.as_deref());
        }
        self.encoder.set_last_modified(now);
        self.next = self.next.min(self.tree.until);
    }

    /// Answers a request: notes it, and appends the answer's bytes to `out`.
    pub(crate) fn answer(
        &mut self,
        origin: Origin,
        request: &Request<'_>,
        keep_alive_asked: bool,
        out: &mut Vec<u8>,
    ) -> After {
        let now = self.clock.now();
        self.advance(now);
        let fault = if self.faults.is_empty() {
            None
        } else {
            // Two packets for the request and its answer; five more to open and close a connection.
            let packets = if origin.first { 7 } else { 2 };
            self.faults.meets(request.method, &path_of(request.target), packets, now)
        };
        self.respond(now, fault, origin, request, keep_alive_asked, out)
    }

    /// Answers a request that was held back, with the fault that was drawn for it then.
    pub(crate) fn answer_at_last(
        &mut self,
        fault: Option<FaultKind>,
        origin: Origin,
        request: &Request<'_>,
        keep_alive_asked: bool,
        out: &mut Vec<u8>,
    ) -> After {
        let now = self.clock.now();
        self.advance(now);
        self.respond(now, fault, origin, request, keep_alive_asked, out)
    }

    fn respond(
        &mut self,
        now: Timestamp,
        fault: Option<FaultKind>,
        origin: Origin,
        request: &Request<'_>,
        keep_alive_asked: bool,
        out: &mut Vec<u8>,
    ) -> After {
        let path = &*path_of(request.target);
        let response = match fault {
            Some(FaultKind::Status(status)) => Response::error(self.profile, status),
            _ => {
                let mut view = View {
                    profile: self.profile,
                    options: self.options,
                    root: &self.tree.root,
                    tokens: &mut self.tokens,
                    signer: &mut self.signer,
                };
                protocol::respond(&mut view, request, now)
            }
        };
        if matches!(response.body, Body::Awaited) {
            return After { keep_alive: true, hop_limit: None, delivery: Delivery::Keys(fault) };
        }
        let start = out.len();
        let keep_alive = self.encoder.keeps_alive(keep_alive_asked);
        self.encoder.encode(&response, keep_alive, now, out);
        let head = out.len() - start - if response.head { 0 } else { response.body.bytes().len() };
        let delivery = match fault {
            Some(FaultKind::Stall | FaultKind::PacketBudget(_)) => Delivery::Stall,
            Some(FaultKind::Reset) => Delivery::Reset,
            Some(FaultKind::Truncate) => Delivery::Cut(head + response.body.bytes().len() / 2),
            Some(FaultKind::Slow(rate)) => Delivery::Slow(head, rate),
            Some(FaultKind::Refuse | FaultKind::Status(_)) | None => Delivery::Whole,
        };
        let unanswered = matches!(delivery, Delivery::Stall | Delivery::Reset);
        let on_token_path = path == imds_model::well_known::TOKEN_PATH;
        self.recorder.note(Entry {
            time: now,
            connection: origin.connection,
            client: origin.client,
            user_agent: request.user_agent,
            method: request.method,
            path,
            version: match request.token {
                _ if on_token_path => ImdsVersion::None,
                Some(_) => ImdsVersion::V2,
                None => ImdsVersion::V1,
            },
            status: if unanswered { 0 } else { response.status.code() },
            forwarded_for: request.forwarded_for,
            fault: fault.map(FaultKind::name),
        });
        let hop_limit = (on_token_path && request.method == "PUT")
            .then(|| self.options.http_put_response_hop_limit.get());
        After { keep_alive, hop_limit, delivery }
    }

    /// Answers what is no request; the connection is closed after it.
    pub(crate) fn refuse(
        &mut self,
        connection: u64,
        client: Option<SocketAddr>,
        response: &Response,
        out: &mut Vec<u8>,
    ) {
        let now = self.clock.now();
        self.recorder.note(Entry {
            time: now,
            connection,
            client,
            user_agent: None,
            method: "",
            path: "",
            version: ImdsVersion::None,
            status: response.status.code(),
            forwarded_for: false,
            fault: None,
        });
        self.encoder.encode(response, false, now, out);
    }
}

/// Puts a value above the instance's, or removes what is there.
fn override_value(root: &mut Directory, path: &ValuePath, value: Option<&[u8]>) {
    match value {
        Some(value) => render::put_value(root, path, value),
        None => {
            root.remove(path.as_str());
        }
    }
}

/// Whether more than the path itself follows from a value that is set there.
fn is_taken_over(path: &ValuePath) -> bool {
    Instance::TAKEN_OVER.contains(&path.as_str())
}
