//! The service's state: the instance and its options as they are now, and what follows from them.

use std::collections::BTreeMap;

use imds_model::MetadataOptions;
use imds_model::options::Switch;

use crate::clock::Clock;
use crate::instance::Instance;
use crate::profile::Profile;
use crate::protocol::{self, Request, Response, View};
use crate::record::{Entry, ImdsVersion, Recorder};
use crate::render::{self, Source, Tree};
use crate::time::Timestamp;
use crate::token::TokenIssuer;
use crate::tree::Leaf;
use crate::version::Version;
use crate::wire::Encoder;

/// What a state is made from.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The instance.
    pub(crate) instance: Instance,
    /// The metadata options.
    pub(crate) options: MetadataOptions,
    /// The wire profile.
    pub(crate) profile: Profile,
    /// Values by path that stand above the instance's; `None` takes a path away.
    pub(crate) overrides: BTreeMap<String, Option<Vec<u8>>>,
    /// Where the time comes from.
    pub(crate) clock: Clock,
    /// Key of the session tokens.
    pub(crate) token_key: [u8; 32],
    /// How many requests are kept for the recorder.
    pub(crate) record_limit: usize,
}

/// The service's state.
#[derive(Debug)]
pub(crate) struct State {
    instance: Instance,
    options: MetadataOptions,
    profile: Profile,
    overrides: BTreeMap<String, Option<Vec<u8>>>,
    clock: Clock,
    tokens: TokenIssuer,
    credentials_since: Timestamp,
    rotations: u64,
    tree: Tree,
    encoder: Encoder,
    /// Who asked for what.
    pub(crate) recorder: Recorder,
}

/// What the connection has to do once an answer's bytes are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    /// The connection stays open.
    pub(crate) keep_alive: bool,
    /// The answer may travel this many hops: the answer to a token PUT.
    pub(crate) hop_limit: Option<u8>,
}

impl State {
    /// The state that these settings describe.
    #[must_use]
    pub(crate) fn new(settings: Settings) -> Self {
        let now = settings.clock.now();
        let tokens = TokenIssuer::new(&settings.token_key, &settings.instance.instance_id, settings.profile);
        let mut state = Self {
            instance: settings.instance,
            options: settings.options,
            profile: settings.profile,
            overrides: settings.overrides,
            clock: settings.clock,
            tokens,
            credentials_since: now,
            rotations: 0,
            tree: Tree { root: crate::tree::Directory::default(), until: now },
            encoder: Encoder::new(settings.profile, now),
            recorder: Recorder::new(settings.record_limit),
        };
        state.rebuild(now);
        state
    }

    /// Where the time comes from.
    #[must_use]
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The options in force.
    #[must_use]
    pub(crate) const fn options(&self) -> MetadataOptions {
        self.options
    }

    /// Other options, in force at once.
    pub(crate) fn set_options(&mut self, options: MetadataOptions) {
        self.options = options;
        self.rebuild(self.clock.now());
    }

    /// The name under which an override of this path is kept.
    #[must_use]
    pub(crate) fn key(path: &str) -> String {
        below_version(path)
    }

    /// Sets a value by path, or takes the path away.
    pub(crate) fn set(&mut self, path: &str, value: Option<Vec<u8>>) {
        self.overrides.insert(Self::key(path), value);
        self.rebuild(self.clock.now());
    }

    fn rebuild(&mut self, now: Timestamp) {
        let source = Source {
            instance: &self.instance,
            profile: self.profile,
            tags: self.options.instance_metadata_tags == Switch::Enabled,
            credentials_since: self.credentials_since,
            rotations: self.rotations,
        };
        self.tree = render::tree(source, now);
        for (path, value) in &self.overrides {
            match value {
                Some(value) if path == "user-data" => {
                    self.tree.root.put(path, Version::FIRST, Leaf::binary(value.clone()));
                }
                Some(value) => self.tree.root.put(path, Version::FIRST, Leaf::new(value.clone())),
                None => {
                    self.tree.root.remove(path);
                }
            }
        }
        self.encoder.set_last_modified(now);
    }

    /// Answers a request: notes it, and appends the answer's bytes to `out`.
    pub(crate) fn answer(
        &mut self,
        connection: u64,
        request: &Request<'_>,
        keep_alive_asked: bool,
        out: &mut Vec<u8>,
    ) -> After {
        let now = self.clock.now();
        if now >= self.tree.until {
            self.rebuild(now);
        }
        let mut view = View {
            profile: self.profile,
            options: self.options,
            root: &self.tree.root,
            tokens: &mut self.tokens,
        };
        let response = protocol::respond(&mut view, request, now);
        let path = protocol::path_of(request.target);
        let on_token_path = path == imds_model::well_known::TOKEN_PATH;
        let version = match request.token {
            _ if on_token_path => ImdsVersion::None,
            Some(_) => ImdsVersion::V2,
            None => ImdsVersion::V1,
        };
        self.recorder.note(Entry {
            time: now,
            connection,
            method: request.method,
            path,
            version,
            status: response.status.code(),
            forwarded_for: request.forwarded_for,
            fault: None,
        });
        let keep_alive = self.encoder.keeps_alive(keep_alive_asked);
        self.encoder.encode(&response, keep_alive, now, out);
        let hop_limit = (on_token_path && request.method == "PUT")
            .then(|| self.options.http_put_response_hop_limit.get());
        After { keep_alive, hop_limit }
    }

    /// Answers what is no request; the connection is closed after it.
    pub(crate) fn refuse(&mut self, connection: u64, response: &Response, out: &mut Vec<u8>) {
        let now = self.clock.now();
        self.recorder.note(Entry {
            time: now,
            connection,
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

/// A path as the tree has it: without `/latest/`, and below `meta-data/` where it names no other branch.
fn below_version(path: &str) -> String {
    let path = path.trim_matches('/');
    let path = path.strip_prefix("latest/").unwrap_or(path);
    match path.split('/').next() {
        Some("meta-data" | "dynamic" | "user-data") => path.to_owned(),
        _ => format!("meta-data/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_long_or_short() {
        for path in ["instance-id", "/latest/meta-data/instance-id", "meta-data/instance-id/"] {
            assert_eq!(below_version(path), "meta-data/instance-id");
        }
        assert_eq!(below_version("/latest/user-data"), "user-data");
        assert_eq!(below_version("dynamic/x"), "dynamic/x");
    }
}
