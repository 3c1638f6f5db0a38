//! Who asked for what: the requests that the service answered, newest last, and counts of all of
//! them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::limits::RECORDED_BYTES;
use crate::base::time::Timestamp;

/// Which version of the service a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImdsVersion {
    /// Data without a session token.
    V1,
    /// Data with the session token header, good or not.
    V2,
    /// Neither: the token path, and what is no request at all.
    None,
}

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Its number, 1 first.
    pub number: u64,
    /// When it was answered, by the emulator's clock.
    pub time: Timestamp,
    /// The connection that it came on, 1 first.
    pub connection: u64,
    /// Address and port of the client; none where there is no socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<SocketAddr>,
    /// What the client calls itself (`User-Agent`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Arc<str>>,
    /// Method, as sent.
    pub method: Arc<str>,
    /// Path, without query.
    pub path: Arc<str>,
    /// Which version of the service it used.
    pub version: ImdsVersion,
    /// Status of the answer; 0 where a fault left it without one.
    pub status: u16,
    /// Whether it carried `X-Forwarded-For`.
    pub forwarded_for: bool,
    /// The fault that met it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

/// Counts over the service's whole life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// PUTs of the token path, refused ones included.
    pub token_puts: u64,
    /// Session tokens that were issued.
    pub tokens_issued: u64,
    /// GETs.
    pub gets: u64,
    /// Data requests without a session token.
    pub v1: u64,
    /// Data requests with one.
    pub v2: u64,
    /// Requests with `X-Forwarded-For`.
    pub forwarded_for: u64,
    /// Requests that met a fault.
    pub faults: u64,
}

/// What is called with each answered request.
#[derive(Clone)]
pub(crate) struct RequestHook(pub(crate) Arc<dyn Fn(&RecordedRequest) + Send + Sync>);

impl std::fmt::Debug for RequestHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestHook")
    }
}

/// Keeps the newest requests, up to a limit, and the counts of all.
#[derive(Debug)]
pub(crate) struct Recorder {
    requests: VecDeque<RecordedRequest>,
    limit: usize,
    hook: Option<RequestHook>,
    /// Number of the newest request; a reset does not set it back, so that a poller misses none.
    newest: u64,
    counters: Counters,
    /// Common texts, so that a request takes no memory of its own.
    methods: [Arc<str>; 4],
    last_path: Arc<str>,
    last_user_agent: Option<Arc<str>>,
}

/// How many requests are kept by default.
pub(crate) const DEFAULT_LIMIT: usize = 4096;

impl Recorder {
    /// A recorder of the newest `limit` requests.
    #[must_use]
    pub(crate) fn new(limit: usize, hook: Option<RequestHook>) -> Self {
        Self {
            requests: VecDeque::new(),
            limit,
            hook,
            newest: 0,
            counters: Counters::default(),
            methods: ["GET", "PUT", "HEAD", "OPTIONS"].map(Into::into),
            last_path: "".into(),
            last_user_agent: None,
        }
    }

    /// The number of a new connection.
    pub(crate) fn connection(&mut self) -> u64 {
        self.counters.connections += 1;
        self.counters.connections
    }

    /// Notes a request.
    pub(crate) fn note(&mut self, entry: Entry<'_>) {
        let counters = &mut self.counters;
        counters.requests += 1;
        counters.gets += u64::from(entry.method == "GET");
        let token_put = entry.method == "PUT" && entry.path == imds_model::well_known::TOKEN_PATH;
        counters.token_puts += u64::from(token_put);
        counters.tokens_issued += u64::from(token_put && entry.status == 200);
        counters.v1 += u64::from(entry.version == ImdsVersion::V1);
        counters.v2 += u64::from(entry.version == ImdsVersion::V2);
        counters.forwarded_for += u64::from(entry.forwarded_for);
        counters.faults += u64::from(entry.fault.is_some());
        self.newest += 1;
        if self.limit == 0 && self.hook.is_none() {
            return;
        }
        let method = match self.methods.iter().find(|known| &***known == entry.method) {
            Some(known) => Arc::clone(known),
            None => shortened(entry.method),
        };
        if &*self.last_path != entry.path {
            self.last_path = shortened(entry.path);
        }
        if self.last_user_agent.as_deref().map(str::as_bytes) != entry.user_agent {
            self.last_user_agent = entry.user_agent.map(|name| shortened(&String::from_utf8_lossy(name)));
        }
        let request = RecordedRequest {
            number: self.newest,
            time: entry.time,
            connection: entry.connection,
            client: entry.client,
            user_agent: self.last_user_agent.clone(),
            method,
            path: Arc::clone(&self.last_path),
            version: entry.version,
            status: entry.status,
            forwarded_for: entry.forwarded_for,
            fault: entry.fault,
        };
        if let Some(hook) = &self.hook {
            (hook.0)(&request);
        }
        if self.requests.len() >= self.limit {
            self.requests.pop_front();
        }
        if self.limit > 0 {
            self.requests.push_back(request);
        }
    }

    /// The requests after this number, oldest first.
    #[must_use]
    pub(crate) fn requests_after(&self, number: u64) -> Vec<RecordedRequest> {
        self.requests.iter().filter(|request| request.number > number).cloned().collect()
    }

    /// The counts.
    #[must_use]
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }

    /// Forgets requests and counts; connections keep their numbers.
    pub(crate) fn reset(&mut self) {
        self.requests.clear();
        self.counters = Counters { connections: self.counters.connections, ..Counters::default() };
    }
}

/// A request to note.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// When it was answered.
    pub(crate) time: Timestamp,
    /// The connection that it came on.
    pub(crate) connection: u64,
    /// The other end of it.
    pub(crate) client: Option<SocketAddr>,
    /// Value of `User-Agent`.
    pub(crate) user_agent: Option<&'a [u8]>,
    /// Method, as sent.
    pub(crate) method: &'a str,
    /// Path, without query.
    pub(crate) path: &'a str,
    /// Which version of the service it used.
    pub(crate) version: ImdsVersion,
    /// Status of the answer.
    pub(crate) status: u16,
    /// Whether it carried `X-Forwarded-For`.
    pub(crate) forwarded_for: bool,
    /// The fault that met it.
    pub(crate) fault: Option<&'static str>,
}

/// At most [`RECORDED_BYTES`] of it: what is kept of a request is bounded, however long it was.
fn shortened(text: &str) -> Arc<str> {
    let mut end = text.len().min(RECORDED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry<'_> {
        Entry {
            time: Timestamp::default(),
            connection: 1,
            client: None,
            user_agent: Some(b"tester/1"),
            method: "GET",
            path,
            version: ImdsVersion::V1,
            status: 200,
            forwarded_for: false,
            fault: None,
        }
    }

    #[test]
    fn keeps_the_newest_and_counts_all() {
        let mut recorder = Recorder::new(2, None);
        for path in ["/a", "/b", "/c"] {
            recorder.note(entry(path));
        }
        let paths: Vec<_> =
            recorder.requests_after(0).iter().map(|request| request.path.to_string()).collect();
        assert_eq!(paths, ["/b", "/c"]);
        assert_eq!(recorder.requests_after(0)[0].user_agent.as_deref(), Some("tester/1"));
        assert_eq!(recorder.requests_after(2).len(), 1);
        assert_eq!((recorder.counters().requests, recorder.counters().v1), (3, 3));
        recorder.reset();
        assert_eq!((recorder.requests_after(0).len(), recorder.counters().requests), (0, 0));
    }

    #[test]
    fn long_paths_are_cut_at_a_character() {
        let mut recorder = Recorder::new(1, None);
        let long = format!("/{}", "ü".repeat(400));
        recorder.note(entry(&long));
        assert_eq!(recorder.requests_after(0)[0].path.len(), 511);
    }
}
