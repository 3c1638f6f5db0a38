//! Describes an emulated service.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use imds_model::MetadataOptions;
use imds_model::options::{HopLimit, HttpTokens, Switch};

use crate::base::clock::Clock;
use crate::base::error::{Error, Invalid};
use crate::base::path::ValuePath;
use crate::base::profile::Profile;
use crate::control::ControlToken;
use crate::event::Event;
use crate::event::fault::Fault;
use crate::files::instance_file::Described;
use crate::files::snapshot::Snapshot;
use crate::instance::{Instance, Lifecycle, RoleCredentials};
use crate::server::Service;
use crate::state::Settings;
use crate::state::record::{DEFAULT_LIMIT, RecordedRequest, RequestHook};

/// The service's IPv6 address, which is no link-local one by its number.
const ENDPOINT_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Describes an emulated service; see [`Emulator::builder`](crate::Emulator::builder).
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` or `build`"]
pub struct Builder {
    pub(super) listen: Vec<SocketAddr>,
    instance: Instance,
    options: MetadataOptions,
    profile: Profile,
    snowball_token_ttl: bool,
    overrides: BTreeMap<ValuePath, Option<Vec<u8>>>,
    clock: Clock,
    token_key: Option<[u8; 32]>,
    record_limit: usize,
    snapshot: Option<Snapshot>,
    timeline: Vec<(Duration, Event)>,
    seed: Option<u64>,
    given: Option<RoleCredentials>,
    /// Called with each answered request.
    pub(super) on_request: Option<RequestHook>,
    pub(super) control: Option<SocketAddr>,
    pub(super) control_token: Option<ControlToken>,
    /// The first path that was given and cannot be.
    invalid: Option<Invalid>,
}

impl std::fmt::Debug for Builder {
    /// Values, user data and the key of the tokens are in it: they are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("listen", &self.listen)
            .field("instance", &self.instance)
            .field("options", &self.options)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: vec![(Ipv4Addr::LOCALHOST, 0).into()],
            instance: Instance::default(),
            options: MetadataOptions {
                instance_metadata_tags: Switch::Enabled,
                ..MetadataOptions::default()
            },
            profile: Profile::default(),
            snowball_token_ttl: false,
            overrides: BTreeMap::new(),
            clock: Clock::real(),
            token_key: None,
            record_limit: DEFAULT_LIMIT,
            snapshot: None,
            timeline: Vec::new(),
            seed: None,
            given: None,
            on_request: None,
            control: None,
            control_token: None,
            invalid: None,
        }
    }
}

impl Builder {
    /// Where to listen; a free port of 127.0.0.1 by default.
    ///
    /// An IPv6 address turns the option `HttpProtocolIpv6` on, without which nothing is answered
    /// there; options that are given later may turn it off again.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen.clear();
        self.also_listen(address)
    }

    /// Where to listen as well, the IPv6 endpoint for one.
    pub fn also_listen(mut self, address: SocketAddr) -> Self {
        self.listen.push(address);
        if address.is_ipv6() {
            self.options.http_protocol_ipv6 = Switch::Enabled;
        }
        self
    }

    /// The token that every control request needs. With it, the control API may listen on any
    /// address.
    pub fn control_token(mut self, token: ControlToken) -> Self {
        self.control_token = Some(token);
        self
    }

    /// Where to listen for the control API, a loopback address; nowhere unless told so.
    pub const fn control(mut self, address: SocketAddr) -> Self {
        self.control = Some(address);
        self
    }

    /// The instance; the built-in one by default.
    pub fn instance(mut self, instance: Instance) -> Self {
        self.instance = instance;
        self
    }

    /// What an instance file, or a preset, describes.
    pub fn described(mut self, described: impl Into<Described>) -> Self {
        let described = described.into();
        self.instance = described.instance;
        self.snapshot = described.snapshot;
        self.options = described.options;
        self.profile = described.profile;
        self.overrides.extend(described.overrides);
        self
    }

    /// The metadata options: the platform's defaults, with tags shown, by default.
    pub const fn options(mut self, options: MetadataOptions) -> Self {
        self.options = options;
        self
    }

    /// Whether requests need a session token.
    pub const fn tokens(mut self, tokens: HttpTokens) -> Self {
        self.options.http_tokens = tokens;
        self
    }

    /// Whether the service answers at all; every request is refused with 403 where it does not.
    pub const fn endpoint(mut self, endpoint: Switch) -> Self {
        self.options.http_endpoint = endpoint;
        self
    }

    /// How far the answer to a token PUT travels.
    pub const fn hop_limit(mut self, hops: HopLimit) -> Self {
        self.options.http_put_response_hop_limit = hops;
        self
    }

    /// Whether IPv6 listeners answer.
    pub const fn ipv6(mut self, ipv6: Switch) -> Self {
        self.options.http_protocol_ipv6 = ipv6;
        self
    }

    /// Whether instance tags are shown.
    pub const fn tags(mut self, tags: Switch) -> Self {
        self.options.instance_metadata_tags = tags;
        self
    }

    /// Which generation of the real service the answers look like.
    pub const fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The Region, with its first zone and all that follows from it.
    ///
    /// What is not named like a Region is an error of [`Builder::build`] and [`Builder::start`].
    pub fn region(mut self, region: &str) -> Self {
        if !Instance::is_region(region) {
            let message = format!("`{}` is no Region; one such as `eu-west-1`", region.escape_debug());
            self.invalid.get_or_insert(Invalid::new(message));
            return self;
        }
        self.instance.move_to(region);
        self
    }

    /// Names the TTL of session tokens in the profile `snowball`, too. The device does not, and AWS
    /// SDKs for Java v2 and Go v1 refuse such a token.
    pub const fn snowball_token_ttl(mut self, sent: bool) -> Self {
        self.snowball_token_ttl = sent;
        self
    }

    /// A value at a path, above what the instance has there: `placement/region`,
    /// `/latest/user-data`.
    ///
    /// A path that no value can be at is an error of [`Builder::build`] and [`Builder::start`].
    pub fn set(self, path: &str, value: impl Into<Vec<u8>>) -> Self {
        self.with_override(path, Some(value.into()))
    }

    /// Removes what is at a path: `iam`, `user-data`.
    pub fn unset(self, path: &str) -> Self {
        self.with_override(path, None)
    }

    fn with_override(mut self, path: &str, value: Option<Vec<u8>>) -> Self {
        match ValuePath::parse(path) {
            Ok(path) => drop(self.overrides.insert(path, value)),
            Err(message) => drop(self.invalid.get_or_insert(Invalid::new(message))),
        }
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The key of the session tokens; random by default, so that tokens end with the
    /// emulator.
    pub const fn token_key(mut self, key: [u8; 32]) -> Self {
        self.token_key = Some(key);
        self
    }

    /// How many requests are kept for [`Emulator::requests`](crate::Emulator::requests).
    pub const fn record_limit(mut self, requests: usize) -> Self {
        self.record_limit = requests;
        self
    }

    /// The tree of a real instance, instead of the model's.
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// What happens this long after the start.
    pub fn event(mut self, after: Duration, event: Event) -> Self {
        self.timeline.push((after, event));
        self
    }

    /// A fault from the start on.
    pub fn fault(self, fault: Fault) -> Self {
        self.event(Duration::ZERO, Event::Fault(fault))
    }

    /// What rates of faults are drawn with; random by default.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The role's credentials come from elsewhere: these until [`Service::set_role_credentials`]
    /// gives others. They are served on loopback and link-local addresses only.
    pub fn role_credentials(mut self, credentials: RoleCredentials) -> Self {
        self.given = Some(credentials);
        self
    }

    /// Calls this with each request once it was answered. The service waits for it: it must not
    /// block.
    pub fn on_request(mut self, call: impl Fn(&RecordedRequest) + Send + Sync + 'static) -> Self {
        self.on_request = Some(RequestHook(Arc::new(call)));
        self
    }

    /// Whether the role's credentials are real ones, which no other machine may reach.
    fn check_addresses(&self) -> Result<(), Error> {
        let local = |address: &SocketAddr| match address.ip() {
            IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
            IpAddr::V6(address) => address.is_loopback() || address == ENDPOINT_V6,
        };
        match self.listen.iter().find(|address| self.given.is_some() && !local(address)) {
            None => Ok(()),
            Some(address) => Err(Error::Invalid(Invalid::new(format!(
                "real credentials are served on loopback and link-local addresses only, not on `{address}`"
            )))),
        }
    }

    /// The service without a listener or a thread: see [`Service::run`].
    ///
    /// # Errors
    /// Returns an error if the description cannot be, or the system has no random numbers.
    pub fn build(self) -> Result<Service, Error> {
        self.check_addresses()?;
        if let Some(invalid) = self.invalid {
            return Err(invalid.into());
        }
        let token_key = match self.token_key {
            Some(key) => key,
            None => random_key()?,
        };
        let mut instance = self.instance;
        instance.check().map_err(Invalid::new)?;
        if let Some(snapshot) = &self.snapshot {
            // A snapshot holds what its instance was told; nothing of the built-in one is added.
            instance.lifecycle = Lifecycle::default();
            let id = snapshot.get("meta-data/instance-id").and_then(|id| std::str::from_utf8(id).ok());
            instance.instance_id = id.unwrap_or_default().to_owned();
        }
        let seed = match self.seed {
            Some(seed) => seed,
            None => u64::from(random_key()?[0]) << 8 | u64::from(random_key()?[0]),
        };
        Ok(Service::new(Settings {
            instance,
            snapshot: self.snapshot,
            timeline: self.timeline,
            seed,
            options: self.options,
            profile: self.profile,
            snowball_token_ttl: self.snowball_token_ttl,
            overrides: self.overrides,
            clock: self.clock,
            token_key,
            signer_seed: random_key()?,
            record_limit: self.record_limit,
            given: self.given,
            on_request: self.on_request,
        }))
    }
}

fn random_key() -> Result<[u8; 32], Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| Error::Start(error.into()))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
        let builder = Builder::default()
            .set("user-data", "p4ssw0rd")
            .token_key([77; 32])
            .event(Duration::ZERO, Event::UserData(Some(b"p4ssw0rd".to_vec())));
        let text =
            serde_json::from_str::<crate::EventText>(r#"{"event":"user-data","value":"p4ssw0rd"}"#).unwrap();
        let shown =
            format!("{builder:?} {:?} {text:?} {:?}", builder.timeline, builder.clone().build().unwrap());
        for secret in ["p4ssw0rd", "112, 52, 115", "77, 77", "ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("Event(user-data)"), "{shown}");
    }
}
