//! What is known before it is judged.

use std::time::{Duration, SystemTime};

use crate::probe::{Exchange, Fault};

/// Everything that was found out. What was not looked at, because something before it is wrong, is
/// `None` or empty.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The value of the variable that forbids every request, where it is set at all.
    pub disabled: Option<String>,
    /// The endpoint, or why there is none.
    pub endpoint: Result<EndpointFact, imds::Error>,
    /// Variables that send other programs' requests through a proxy.
    pub proxies: Proxies,
    /// What the machine says it is.
    pub machine: Machine,
    /// What shows that this is a container, and of which sort.
    pub container: Option<String>,
    /// Whether and how each of the endpoint's addresses is reached.
    pub reach: Vec<Connectivity>,
    /// The well-known endpoint of the other family, where the configured one is well-known too.
    pub other_family: Option<Connectivity>,
    /// The answer to a PUT for a session token.
    pub token: Option<Exchange>,
    /// The answer to a GET with a token that cannot be valid: sent only where the PUT was not
    /// answered. It is an IMDSv2 request, so it counts as no use of IMDSv1.
    pub wrong_token: Option<Exchange>,
    /// Whether a plain read works.
    pub read: Option<Result<(), imds::Error>>,
    /// What the service holds.
    pub content: Option<Content>,
    /// Why the token store was not used; `None` where it was or there is none to use.
    pub store_fault: Option<String>,
    /// The wall clock.
    pub now: SystemTime,
    /// The service's clock by the `Date` header of its answer, and ours at that moment.
    pub clocks: Option<(SystemTime, SystemTime)>,
    /// Whether systemd was told to keep processes from the service (`systemd.imds.network=` of the
    /// kernel command line).
    pub systemd_network: Option<String>,
    /// Packets that the interface's link-local allowance refused, by interface.
    pub refused_packets: Vec<(String, u64)>,
    /// The answer to a request without a token, where one was asked for.
    pub version1: Option<Exchange>,
}

/// The endpoint that a plain read asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointFact {
    /// Its URLs, first choice first.
    pub urls: Vec<String>,
    /// Where that choice came from, for people.
    pub source: String,
    /// Whether it is one of the two well-known endpoints, chosen by a mode or by default.
    pub well_known: bool,
}

/// Variables that send other programs' requests through a proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The names of those that are set. Their values may hold passwords and are not kept.
    pub variables: Vec<String>,
    /// Whether `NO_PROXY` exempts the endpoint's host.
    pub exempt: bool,
}

/// What the machine's firmware says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Whether it is an EC2 instance; `None` where the firmware's tables cannot be read.
    pub is_ec2: Option<bool>,
    /// What was read, as `FILE: VALUE`.
    pub evidence: Vec<String>,
}

/// One address of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connectivity {
    /// The URL it belongs to.
    pub url: String,
    /// Whether there is a route. No packet is sent to find out.
    pub route: Result<(), Fault>,
    /// Whether a TCP connection is made, and how soon; `None` where there is no route.
    pub connect: Option<Result<Duration, Fault>>,
}

impl Connectivity {
    /// Whether a connection was made.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self.connect, Some(Ok(_)))
    }
}

/// What a read found.
#[derive(Clone, Debug)]
pub enum Reading<T> {
    /// The service has it.
    Found(T),
    /// The service answered that there is none (404).
    Absent,
    /// The service gave no answer that says whether it is there.
    Failed(imds::Error),
}

/// What the service holds, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Content {
    /// Number of tags, if the instance's tags are exposed.
    pub tags: Reading<usize>,
    /// The role, if the instance has one.
    pub role: Reading<Role>,
    /// Size of the user data.
    pub user_data: Reading<usize>,
}

/// The instance's role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What is said of its credentials; nothing of the keys is kept.
    pub credentials: Credentials,
}

/// What the service answers for the credentials of a role.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A document with every key.
    Complete {
        /// When they expire, in the service's words.
        expiration: String,
    },
    /// A document with another `Code` than `Success`.
    Refused {
        /// The service's `Code`.
        code: String,
        /// The service's `Message`.
        message: Option<String>,
    },
    /// A document without a key that it must have.
    Incomplete {
        /// The key.
        field: &'static str,
    },
    /// Something that is not JSON.
    NotJson {
        /// Its length.
        bytes: usize,
    },
    /// 404, though the role is listed.
    Absent,
    /// No answer.
    Failed(imds::Error),
}
