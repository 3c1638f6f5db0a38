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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::event::Segment;
    use crate::trace::request::RequestKind;

    const MILLI: u64 = 1_000_000;
    const GET: &str = "GET /latest/a HTTP/1.1\r\n\r\n";

    fn event(time: u64, cookie: u64, sent: u32, received: u32, kind: Kind) -> Event {
        let origin = Origin { process: None, uid: 0, cgroup: 1 };
        Event { time, cookie, origin, endpoint: 0, packets: Packets { sent, received }, kind }
    }

    fn request(offset: u32, text: &str) -> Kind {
        let length = u32::try_from(text.len()).unwrap();
        Kind::Request(Segment { offset, length, bytes: text.as_bytes().to_vec(), from_start: true })
    }

    fn answer(offset: u32, text: &str) -> Kind {
        Kind::Answer { offset, bytes: text.as_bytes().to_vec(), ttl: 1 }
    }

    fn end(by_caller: bool, by_service: bool, reset: bool) -> Kind {
        Kind::End { by_caller, by_service, reset }
    }

    /// Runs the events, then lets `ticks` pass: the exchanges.
    fn run(events: &[Event], ticks: &[u64]) -> (Vec<Exchange>, Tracker) {
        let mut tracker = Tracker::default();
        let mut finished = Vec::new();
        for event in events {
            tracker.event(event, |exchange| finished.push(exchange));
        }
        for now in ticks {
            tracker.tick(*now, |exchange| finished.push(exchange));
        }
        (finished, tracker)
    }

    #[test]
    fn a_short_connection() {
        let events = [
            event(0, 1, 0, 0, Kind::Connect),
            event(MILLI, 1, 3, 1, request(0, GET)),
            event(3 * MILLI, 1, 3, 3, answer(0, "HTTP/1.1 200")),
            event(4 * MILLI, 1, 5, 4, end(false, true, false)),
            event(5 * MILLI, 1, 6, 4, end(true, true, false)),
            // What comes behind the end begins nothing.
            event(6 * MILLI, 1, 6, 5, end(true, true, false)),
        ];
        let (finished, mut tracker) = run(&events, &[]);
        assert_eq!(finished.len(), 1);
        assert_eq!(finished[0].answer, Some(Answer { status: 200, latency: 2 * MILLI, ttl: 1 }));
        assert_eq!(finished[0].packets, Packets { sent: 6, received: 4 });
        assert_eq!((tracker.take_ended(), tracker.silent(), tracker.follows()), (vec![1], 0, false));
    }

    #[test]
    fn several_requests_on_a_kept_connection() {
        let at = u32::try_from(GET.len()).unwrap();
        let events = [
            event(0, 1, 3, 1, request(0, GET)),
            event(MILLI, 1, 3, 2, answer(0, "HTTP/1.1 ")),
            event(MILLI, 1, 3, 3, answer(9, "401")),
            event(2 * MILLI, 1, 5, 3, request(at, GET)),
            event(3 * MILLI, 1, 5, 4, answer(0, "HTTP/1.1 200")),
        ];
        // The second waits for its packets, and then for nothing more.
        let (finished, tracker) = run(&events, &[4 * MILLI]);
        assert_eq!(finished.len(), 1);
        assert!(tracker.waits());
        let (finished, tracker) = run(&events, &[4 * MILLI, SECOND]);
        let lines: Vec<(u32, u16, u32, u32)> = finished
            .iter()
            .map(|exchange| {
                let Packets { sent, received } = exchange.packets;
                (exchange.number, exchange.answer.unwrap().status, sent, received)
            })
            .collect();
        assert_eq!(lines, [(1, 401, 4, 3), (2, 200, 1, 1)]);
        assert!(!tracker.waits() && tracker.follows());
    }

    #[test]
    fn requests_that_nobody_answers() {
        let events = [event(0, 1, 3, 1, request(0, GET))];
        assert_eq!(run(&events, &[PATIENCE - 1]).0.len(), 0);
        let (finished, _) = run(&events, &[PATIENCE]);
        assert_eq!((finished.len(), finished[0].answer), (1, None));
        // Reset, or closed by both: at once.
        for over in [end(false, false, true), end(true, true, false)] {
            let events = [events[0].clone(), event(MILLI, 1, 3, 2, over)];
            assert_eq!(run(&events, &[]).0.len(), 1);
        }
        // A caller that closes its own side alone may still read the answer.
        let half = [
            events[0].clone(),
            event(MILLI, 1, 4, 1, end(true, false, false)),
            event(2 * MILLI, 1, 4, 2, answer(0, "HTTP/1.1 200")),
        ];
        let (finished, tracker) = run(&half, &[SECOND]);
        assert_eq!(finished[0].answer.map(|answer| answer.status), Some(200));
        assert!(!tracker.follows());
    }

    #[test]
    fn connections_without_a_request_are_counted() {
        let events = [event(0, 1, 0, 0, Kind::Connect), event(1, 1, 1, 1, end(false, false, true))];
        let (finished, tracker) = run(&events, &[]);
        assert_eq!((finished.len(), tracker.silent()), (0, 1));
    }

    #[test]
    fn half_a_request_is_told_at_the_end() {
        let events = [event(0, 1, 1, 1, request(0, &GET[..9])), event(1, 1, 1, 1, end(true, true, false))];
        let (finished, _) = run(&events, &[]);
        assert_eq!(finished[0].head.kind, RequestKind::Unreadable);
        assert_eq!(finished[0].unreadable, Some(Unreadable::Unfinished));
    }

    #[test]
    fn more_connections_than_there_is_room_for() {
        let count = u64::try_from(CONNECTIONS).unwrap();
        let mut tracker = Tracker::default();
        let mut finished = 0;
        for cookie in 0..count + 3 {
            tracker.event(&event(cookie, cookie, 1, 1, request(0, GET)), |_| finished += 1);
        }
        assert_eq!((finished, tracker.evicted(), tracker.take_ended()), (3, 3, vec![0, 1, 2]));
    }

    #[test]
    fn connections_that_are_quiet_for_long_are_forgotten() {
        let events = [event(0, 1, 0, 0, Kind::Connect)];
        let (_, tracker) = run(&events, &[FORGET + 1]);
        assert!(!tracker.follows());
    }
}
