//! The record of one request, and counts over all.

use imds_model::calendar::DateTime;
use serde::{Deserialize, Serialize};

use crate::trace::event::Lost;
use crate::trace::request::RequestKind;
use crate::trace::stream::Unreadable;
use crate::trace::tracker::Exchange;
use crate::who::caller::Caller;
use crate::who::user_agent::{Sdk, sdk_of};

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) time: String,
    pub(crate) kind: RequestKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unreadable: Option<Unreadable>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) method: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cloud: Option<String>,
    /// Absent where no answer was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_us: Option<u64>,
    /// IP TTL of the answer to a token request: what is left of the hop limit when it arrives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hop_limit: Option<u8>,
    pub(crate) endpoint: String,
    pub(crate) connection: u64,
    pub(crate) connection_request: u32,
    pub(crate) packets_sent: u32,
    pub(crate) packets_received: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sdk: Option<Sdk>,
    pub(crate) caller: Caller,
}

/// How much was seen, and how much was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) v1: u64,
    pub(crate) v2: u64,
    pub(crate) token: u64,
    pub(crate) other: u64,
    pub(crate) unreadable: u64,
    /// Answered with 401 or 403.
    pub(crate) refused: u64,
    /// Requests without an answer.
    pub(crate) unanswered: u64,
    /// Requests on connections older than the tracer, whose process is not known.
    pub(crate) unknown_process: u64,
    /// Requests whose process was gone before its command line could be read.
    pub(crate) command_gone: u64,
    /// Connections that ended without a request.
    pub(crate) connections_without_request: u64,
    /// Connections that were given up as there were too many at once.
    pub(crate) connections_evicted: u64,
    /// Events that the kernel had no room for.
    pub(crate) lost: Lost,
}

impl Counts {
    /// Counts a request.
    pub(crate) fn add(&mut self, request: &Request) {
        self.requests += 1;
        match request.kind {
            RequestKind::V1 => self.v1 += 1,
            RequestKind::V2 => self.v2 += 1,
            RequestKind::Token => self.token += 1,
            RequestKind::Other => self.other += 1,
            RequestKind::Unreadable => self.unreadable += 1,
        }
        self.refused += u64::from(request.is_refused());
        self.unanswered += u64::from(request.status.is_none());
        self.unknown_process += u64::from(request.caller.pid.is_none());
        let command = request.caller.details.as_ref().and_then(|details| details.command.as_ref());
        self.command_gone += u64::from(request.caller.pid.is_some() && command.is_none());
    }

    /// Whether everything was seen, so that "no IMDSv1" can be said.
    pub(crate) const fn is_complete(&self) -> bool {
        self.unreadable == 0 && self.connections_evicted == 0 && self.lost.total() == 0
    }
}

impl Request {
    /// The record of an exchange; `time` is milliseconds since 1970.
    pub(crate) fn new(exchange: Exchange, time: i64, endpoint: String, caller: Caller) -> Self {
        let head = exchange.head;
        let answer = exchange.answer;
        let hop_limit = answer.filter(|_| head.kind == RequestKind::Token).map(|answer| answer.ttl);
        Self {
            time: DateTime::from_unix_millis(time).rfc3339_millis(),
            kind: head.kind,
            unreadable: exchange.unreadable,
            method: head.method,
            path: head.path,
            cloud: head.cloud.map(str::to_owned),
            status: answer.map(|answer| answer.status),
            latency_us: answer.map(|answer| answer.latency / 1_000),
            hop_limit,
            endpoint,
            connection: exchange.cookie,
            connection_request: exchange.number,
            packets_sent: exchange.packets.sent,
            packets_received: exchange.packets.received,
            sdk: head.user_agent.as_deref().and_then(sdk_of),
            user_agent: head.user_agent,
            caller,
        }
    }

    /// Whether the service refused it.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }
}
