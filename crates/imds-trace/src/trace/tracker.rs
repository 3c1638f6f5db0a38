//! Follows every connection: joins requests with their answers and hands out each exchange once it
//! is over.

use std::collections::{HashMap, VecDeque};

use super::event::{Event, Kind, Origin, Packets};
use super::request::Head;
use super::stream::{Found, RequestStream, Unreadable, unreadable_head};

const SECOND: u64 = 1_000_000_000;
/// How long an answered request waits for the packets that belong to it, where the connection stays
/// open.
const SETTLED: u64 = SECOND / 5;
/// How long an answer is waited for.
const PATIENCE: u64 = 30 * SECOND;
/// How long a connection without a packet is remembered.
const FORGET: u64 = 3_600 * SECOND;
/// Most connections that are followed at once; the kernel part remembers as many.
const CONNECTIONS: usize = 16_384;

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// When the last byte of the header was sent: `CLOCK_MONOTONIC`, in nanoseconds.
    pub(crate) time: u64,
    pub(crate) cookie: u64,
    /// Its number on the connection, 1 first.
    pub(crate) number: u32,
    pub(crate) endpoint: u8,
    pub(crate) origin: Origin,
    pub(crate) head: Head,
    /// Why `head` says nothing.
    pub(crate) unreadable: Option<Unreadable>,
    pub(crate) answer: Option<Answer>,
    /// Packets since the connection began, or since the exchange before this one.
    pub(crate) packets: Packets,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// From the last byte of the request's header to the status line, in nanoseconds.
    pub(crate) latency: u64,
    /// IP TTL, or IPv6 hop limit, with which it arrived.
    pub(crate) ttl: u8,
}

/// What is known of a connection.
#[derive(Debug)]
struct Connection {
    origin: Origin,
    endpoint: u8,
    stream: RequestStream,
    /// Sent and not finished, oldest first: more than one where the caller does not wait for
    /// answers.
    open: VecDeque<Exchange>,
    requests: u32,
    /// The beginning of a status line.
    status_line: Vec<u8>,
    /// Packets that belong to finished exchanges.
    counted: Packets,
    packets: Packets,
    /// When the last event came.
    last: u64,
    /// Whether the caller closed its side.
    closed: bool,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    connections: HashMap<u64, Connection>,
    /// Connections that ended without a single request.
    silent: u64,
    /// Connections that were forgotten since there were too many.
    evicted: u64,
    /// Connections that are over, until they are asked for.
    ended: Vec<u64>,
}

impl Tracker {
    /// Takes an event; `finished` is given every exchange that it ends.
    pub(crate) fn event(&mut self, event: &Event, mut finished: impl FnMut(Exchange)) {
        if !self.connections.contains_key(&event.cookie) {
            // What comes behind the end of a connection, or answers a request that was not seen,
            // begins nothing.
            if matches!(event.kind, Kind::Answer { .. } | Kind::End { .. }) {
                return;
            }
            if self.connections.len() >= CONNECTIONS {
                self.evict(&mut finished);
            }
        }
        let connection = self.connections.entry(event.cookie).or_insert_with(|| Connection::new(event));
        connection.last = event.time;
        connection.packets = event.packets;
        if event.origin.process.is_some() {
            connection.origin = event.origin.clone();
        }
        let over = match &event.kind {
            Kind::Connect => false,
            Kind::Request(segment) => {
                let mut found = Vec::new();
                connection.stream.push(segment, |request| found.push(request));
                for request in found {
                    connection.request(request, event, &mut finished);
                }
                false
            }
            Kind::Answer { offset, bytes, ttl } => {
                connection.answer(*offset, bytes, *ttl, event.time);
                false
            }
            // A caller that closes its side may still read the answer.
            Kind::End { by_caller, by_service, reset } => {
                connection.closed = *by_caller;
                *reset || (*by_caller && (*by_service || connection.all_answered()))
            }
        };
        if over && let Some(connection) = self.connections.remove(&event.cookie) {
            self.close(event.cookie, connection, &mut finished);
        }
    }

    /// Finishes what time has finished; `now` is `CLOCK_MONOTONIC` in nanoseconds.
    pub(crate) fn tick(&mut self, now: u64, mut finished: impl FnMut(Exchange)) {
        let mut gone = Vec::new();
        for (cookie, connection) in &mut self.connections {
            while let Some(oldest) = connection.open.front() {
                let due = match &oldest.answer {
                    Some(answer) => oldest.time.saturating_add(answer.latency).saturating_add(SETTLED),
                    None => oldest.time.saturating_add(PATIENCE),
                };
                if due > now {
                    break;
                }
                connection.finish_oldest(&mut finished);
            }
            let forgotten = connection.closed || now.saturating_sub(connection.last) > FORGET;
            if connection.open.is_empty() && forgotten {
                gone.push(*cookie);
            }
        }
        for cookie in gone {
            if let Some(connection) = self.connections.remove(&cookie) {
                self.close(cookie, connection, &mut finished);
            }
        }
    }

    /// Ends every connection: nothing more will be seen of them.
    pub(crate) fn finish(&mut self, mut finished: impl FnMut(Exchange)) {
        for (cookie, connection) in std::mem::take(&mut self.connections) {
            self.close(cookie, connection, &mut finished);
        }
    }

    /// The connections that ended since this was last asked.
    pub(crate) fn take_ended(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.ended)
    }

    fn close(&mut self, cookie: u64, connection: Connection, finished: &mut impl FnMut(Exchange)) {
        self.silent += u64::from(connection.end(cookie, finished));
        self.ended.push(cookie);
    }

    /// Whether an exchange waits for its end, so that [`Tracker::tick`] is needed.
    pub(crate) fn waits(&self) -> bool {
        self.connections.values().any(|connection| !connection.open.is_empty())
    }

    /// Whether there is a connection.
    pub(crate) fn follows(&self) -> bool {
        !self.connections.is_empty()
    }

    /// Connections that ended without a single request.
    pub(crate) const fn silent(&self) -> u64 {
        self.silent
    }

    /// Connections that were forgotten since there were too many at once.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets the connection that was silent for longest.
    fn evict(&mut self, finished: &mut impl FnMut(Exchange)) {
        let oldest = self.connections.iter().min_by_key(|(_, connection)| connection.last);
        if let Some(cookie) = oldest.map(|(cookie, _)| *cookie)
            && let Some(connection) = self.connections.remove(&cookie)
        {
            self.close(cookie, connection, finished);
            self.evicted += 1;
        }
    }
}

impl Connection {
    fn new(event: &Event) -> Self {
        Self {
            origin: event.origin.clone(),
            endpoint: event.endpoint,
            stream: RequestStream::new(),
            open: VecDeque::new(),
            requests: 0,
            status_line: Vec::new(),
            counted: Packets::default(),
            packets: event.packets,
            last: event.time,
            closed: false,
        }
    }

    fn request(&mut self, found: Found, event: &Event, finished: &mut impl FnMut(Exchange)) {
        // The next request ends those that are answered; its own packet is not theirs.
        let packets = event.packets;
        self.packets.sent = packets.sent.saturating_sub(1);
        while self.open.front().is_some_and(|oldest| oldest.answer.is_some()) {
            self.finish_oldest(finished);
        }
        self.packets = packets;
        let (head, unreadable) = match found {
            Found::Request(head) => (head, None),
            Found::Unreadable(why) => (unreadable_head(), Some(why)),
        };
        self.requests = self.requests.saturating_add(1);
        self.status_line.clear();
        self.open.push_back(Exchange {
            time: event.time,
            cookie: event.cookie,
            number: self.requests,
            endpoint: self.endpoint,
            origin: self.origin.clone(),
            head,
            unreadable,
            answer: None,
            packets: Packets::default(),
        });
    }

    fn answer(&mut self, offset: u32, bytes: &[u8], ttl: u8, time: u64) {
        if usize::try_from(offset).is_ok_and(|offset| offset == self.status_line.len()) {
            self.status_line.extend_from_slice(bytes);
        }
        let Some(status) = status_of(&self.status_line) else { return };
        self.status_line.clear();
        if let Some(exchange) = self.open.iter_mut().find(|exchange| exchange.answer.is_none()) {
            let latency = time.saturating_sub(exchange.time);
            exchange.answer = Some(Answer { status, latency, ttl });
        }
    }

    fn all_answered(&self) -> bool {
        self.open.iter().all(|exchange| exchange.answer.is_some())
    }

    fn finish_oldest(&mut self, finished: &mut impl FnMut(Exchange)) {
        if let Some(mut exchange) = self.open.pop_front() {
            exchange.packets = Packets {
                sent: self.packets.sent.saturating_sub(self.counted.sent),
                received: self.packets.received.saturating_sub(self.counted.received),
            };
            self.counted = self.packets;
            finished(exchange);
        }
    }

    /// Finishes everything; whether there was no request at all.
    fn end(mut self, cookie: u64, finished: &mut impl FnMut(Exchange)) -> bool {
        if let Some(Found::Unreadable(why)) = self.stream.end() {
            self.requests = self.requests.saturating_add(1);
            self.open.push_back(Exchange {
                time: self.last,
                cookie,
                number: self.requests,
                endpoint: self.endpoint,
                origin: self.origin.clone(),
                head: unreadable_head(),
                unreadable: Some(why),
                answer: None,
                packets: Packets::default(),
            });
        }
        while !self.open.is_empty() {
            self.finish_oldest(finished);
        }
        self.requests == 0
    }
}

/// The status of `HTTP/1.1 200`; nothing while it is not whole.
fn status_of(line: &[u8]) -> Option<u16> {
    std::str::from_utf8(line.get(9..12)?).ok()?.parse().ok()
}
