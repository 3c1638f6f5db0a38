//! Sums of requests by caller: what runs where, as whom, with which SDK.

use std::collections::BTreeMap;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::record::Request;
use crate::trace::request::RequestKind;
use crate::who::caller::{Caller, Details, Parent};
use crate::who::user_agent::Sdk;

/// Most callers with sums of their own; the requests of the rest are counted together.
const CALLERS: usize = 4_096;
/// Most paths that are kept of a caller.
const PATHS: usize = 32;

/// What makes two requests those of one caller. Process ids do not: a cron job has a new one each
/// time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) program: String,
    pub(crate) uid: u32,
    pub(crate) unit: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) pod: Option<String>,
    pub(crate) sdk: Option<Sdk>,
}

/// The requests of one caller: the line `"type": "caller"` of a trace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CallerCounts {
    pub(crate) first: String,
    pub(crate) last: String,
    #[serde(flatten)]
    pub(crate) kinds: Kinds,
    /// How often each path was asked for without a token; the most frequent ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) v1_paths: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) last_path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cloud: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sdk: Option<Sdk>,
    /// The caller of one of the requests, by IMDSv1 if there was one.
    pub(crate) caller: Caller,
}

/// Counts by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kinds {
    pub(crate) v1: u64,
    pub(crate) v2: u64,
    pub(crate) token: u64,
    pub(crate) other: u64,
    pub(crate) unreadable: u64,
    /// Answered with 401 or 403.
    pub(crate) refused: u64,
    /// Token requests that were refused, or that nobody answered.
    pub(crate) token_failed: u64,
}

/// All callers.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    callers: HashMap<Key, CallerCounts>,
    /// Requests of callers that there was no room for.
    pub(crate) beyond: u64,
}

impl Summary {
    /// Adds a request.
    pub(crate) fn add(&mut self, request: &Request) {
        let key = Key::of(&request.caller, request.sdk.as_ref());
        if !self.callers.contains_key(&key) && self.callers.len() >= CALLERS {
            self.beyond += 1;
            return;
        }
        let counts = self.callers.entry(key).or_default();
        counts.add(request);
    }

    /// Adds a line of a trace that is a sum already.
    pub(crate) fn merge(&mut self, line: CallerCounts) {
        let key = Key::of(&line.caller, line.sdk.as_ref());
        let full = self.callers.len() >= CALLERS;
        match self.callers.get_mut(&key) {
            Some(counts) => counts.merge(line),
            None if full => self.beyond += line.kinds.total(),
            None => {
                self.callers.insert(key, line);
            }
        }
    }

    /// The callers, those with the most requests by IMDSv1 first.
    pub(crate) fn sorted(&self) -> Vec<(&Key, &CallerCounts)> {
        let mut rows: Vec<(&Key, &CallerCounts)> = self.callers.iter().collect();
        rows.sort_by_key(|(key, counts)| {
            let kinds = counts.kinds;
            (std::cmp::Reverse((kinds.v1, kinds.other, kinds.unreadable, kinds.v2 + kinds.token)), *key)
        });
        rows
    }

    pub(crate) fn clear(&mut self) {
        self.callers.clear();
        self.beyond = 0;
    }
}

impl Kinds {
    pub(crate) const fn total(self) -> u64 {
        self.v1 + self.v2 + self.token + self.other + self.unreadable
    }
}

impl Key {
    fn of(caller: &Caller, sdk: Option<&Sdk>) -> Self {
        Self {
            program: program_of(caller),
            uid: caller.uid,
            unit: caller.place.unit.clone(),
            container: caller.place.container.as_ref().map(|container| {
                container.name.clone().unwrap_or_else(|| container.id.chars().take(12).collect())
            }),
            pod: caller.place.pod.as_ref().map(|pod| match (&pod.namespace, &pod.name) {
                (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
                _ => pod.uid.clone(),
            }),
            sdk: sdk.cloned(),
        }
    }

    /// Where it runs, in one word: the pod, the container, or the unit.
    pub(crate) fn place(&self) -> &str {
        self.pod.as_deref().or(self.container.as_deref()).or(self.unit.as_deref()).unwrap_or("-")
    }
}

/// The executable; its name where the path was gone; `?` for a connection older than the trace.
pub(crate) fn program_of(caller: &Caller) -> String {
    let executable = caller.details.as_ref().and_then(|details| details.executable.clone());
    executable.or_else(|| caller.name.clone()).unwrap_or_else(|| "?".to_owned())
}

impl CallerCounts {
    fn add(&mut self, request: &Request) {
        let is_v1 = request.kind == RequestKind::V1;
        if self.kinds.total() == 0 || (is_v1 && self.kinds.v1 == 0) {
            self.caller = request.caller.clone();
            self.user_agent.clone_from(&request.user_agent);
            self.sdk.clone_from(&request.sdk);
        }
        let kinds = &mut self.kinds;
        match request.kind {
            RequestKind::V1 => kinds.v1 += 1,
            RequestKind::V2 => kinds.v2 += 1,
            RequestKind::Token => kinds.token += 1,
            RequestKind::Other => kinds.other += 1,
            RequestKind::Unreadable => kinds.unreadable += 1,
        }
        kinds.refused += u64::from(request.is_refused());
        let token_failed = request.kind == RequestKind::Token && request.status != Some(200);
        kinds.token_failed += u64::from(token_failed);
        if is_v1 {
            self.add_path(&request.path, 1);
        }
        if request.cloud.is_some() {
            self.cloud.clone_from(&request.cloud);
        }
        if !request.path.is_empty() {
            self.last_path.clone_from(&request.path);
        }
        if self.first.is_empty() {
            self.first.clone_from(&request.time);
        }
        self.last.clone_from(&request.time);
    }

    fn add_path(&mut self, path: &str, count: u64) {
        if let Some(known) = self.v1_paths.get_mut(path) {
            *known += count;
        } else if self.v1_paths.len() < PATHS {
            self.v1_paths.insert(path.to_owned(), count);
        }
    }

    fn merge(&mut self, other: Self) {
        if self.kinds.v1 == 0 && other.kinds.v1 > 0 {
            self.caller = other.caller;
            self.user_agent = other.user_agent;
        }
        let (kinds, more) = (&mut self.kinds, other.kinds);
        kinds.v1 += more.v1;
        kinds.v2 += more.v2;
        kinds.token += more.token;
        kinds.other += more.other;
        kinds.unreadable += more.unreadable;
        kinds.refused += more.refused;
        kinds.token_failed += more.token_failed;
        for (path, count) in other.v1_paths {
            self.add_path(&path, count);
        }
        self.cloud = self.cloud.take().or(other.cloud);
        if self.first.is_empty() || (!other.first.is_empty() && other.first < self.first) {
            self.first = other.first;
        }
        if other.last >= self.last {
            self.last = other.last;
            self.last_path = other.last_path;
        }
    }

    /// The command line that a person can find: the caller's, or that of the script around it.
    pub(crate) fn commands(&self) -> Vec<String> {
        let details = self.caller.details.as_ref();
        let own = details.and_then(|details: &Details| details.command.as_ref());
        let parents = details.map(|details| details.parents.as_slice()).unwrap_or_default();
        own.into_iter()
            .chain(parents.iter().filter_map(|parent: &Parent| parent.command.as_ref()))
            .map(|words| words.join(" "))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: RequestKind, path: &str, program: &str, status: Option<u16>) -> Request {
        Request {
            time: "2026-11-25T00:00:00.000Z".to_owned(),
            kind,
            unreadable: None,
            method: "GET".to_owned(),
            path: path.to_owned(),
            cloud: None,
            status,
            latency_us: None,
            hop_limit: None,
            endpoint: String::new(),
            connection: 1,
            connection_request: 1,
            packets_sent: 1,
            packets_received: 1,
            user_agent: None,
            sdk: None,
            caller: Caller { pid: Some(7), name: Some(program.to_owned()), ..Caller::default() },
        }
    }

    #[test]
    fn callers_by_v1_first_and_their_paths() {
        let mut summary = Summary::default();
        for _ in 0..3 {
            summary.add(&request(RequestKind::V2, "/latest/b", "good", Some(200)));
        }
        summary.add(&request(RequestKind::Token, "/latest/api/token", "bad", Some(403)));
        summary.add(&request(RequestKind::V1, "/latest/a", "bad", Some(200)));
        summary.add(&request(RequestKind::V1, "/latest/a", "bad", Some(401)));
        let rows = summary.sorted();
        assert_eq!(rows.iter().map(|(key, _)| key.program.as_str()).collect::<Vec<_>>(), ["bad", "good"]);
        let counts = rows[0].1;
        let expected = Kinds { v1: 2, token: 1, refused: 2, token_failed: 1, ..Kinds::default() };
        assert_eq!(counts.kinds, expected);
        assert_eq!(counts.v1_paths.get("/latest/a"), Some(&2));

        // What is written and read again adds up.
        let mut again = Summary::default();
        for _ in 0..2 {
            for (_, counts) in summary.sorted() {
                let text = serde_json::to_string(counts).unwrap();
                again.merge(serde_json::from_str(&text).unwrap());
            }
        }
        assert_eq!(again.sorted()[0].1.kinds.v1, 4);
        assert_eq!(again.sorted()[1].1.kinds.v2, 6);
    }

    #[test]
    fn more_callers_than_there_is_room_for_are_counted() {
        let mut summary = Summary::default();
        for number in 0..CALLERS + 5 {
            summary.add(&request(RequestKind::V1, "/latest/", &number.to_string(), None));
        }
        assert_eq!((summary.sorted().len(), summary.beyond), (CALLERS, 5));
    }
}
