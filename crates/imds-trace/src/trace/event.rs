//! What the kernel part sends, decoded: the layout of `struct event` in `bpf/trace.bpf.c`.

/// The fixed part of an event.
pub(crate) const HEADER: usize = 80;

/// One event of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    pub(crate) time: u64,
    /// The kernel's own number of the socket, never used twice.
    pub(crate) cookie: u64,
    pub(crate) origin: Origin,
    /// Place of the endpoint in the list that the kernel part was given.
    pub(crate) endpoint: u8,
    /// Packets of the connection until now.
    pub(crate) packets: Packets,
    pub(crate) kind: Kind,
}

/// Who made the connection, as far as the kernel knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The process, unless the connection is older than the tracer.
    pub(crate) process: Option<ProcessIds>,
    /// User id of the process; of the socket where the process is not known.
    pub(crate) uid: u32,
    /// Id of the cgroup in the cgroup v2 tree.
    pub(crate) cgroup: u64,
}

/// A process as it was when it connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessIds {
    pub(crate) pid: u32,
    pub(crate) tid: u32,
    /// Name of the thread that connected, at most 15 bytes.
    pub(crate) name: String,
}

/// Packets sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packets {
    pub(crate) sent: u32,
    pub(crate) received: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process connects.
    Connect,
    /// The caller sent bytes.
    Request(Segment),
    /// A part of a status line came.
    Answer {
        /// Where in the answer the part stands.
        offset: u32,
        /// The part.
        bytes: Vec<u8>,
        /// IP TTL, or IPv6 hop limit, of the packet.
        ttl: u8,
    },
    /// The connection ends in one direction, or in both.
    End {
        /// The caller closed its side.
        by_caller: bool,
        /// The service closed its side.
        by_service: bool,
        /// The connection was reset.
        reset: bool,
    },
}

/// Bytes of what the caller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Where in the stream they stand; it wraps around. The first byte is 0 where the start of the
    /// connection was seen, else anything.
    pub(crate) offset: u32,
    /// How many were sent.
    pub(crate) length: u32,
    /// The first of them; all, unless the packet was larger than 4,096 bytes.
    pub(crate) bytes: Vec<u8>,
    /// Whether offset 0 is the first byte of the connection.
    pub(crate) from_start: bool,
}

/// Events that the kernel part had no room for in its ring buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Lost {
    pub(crate) connects: u64,
    pub(crate) requests: u64,
    pub(crate) answers: u64,
    pub(crate) ends: u64,
}

impl Lost {
    pub(crate) const fn total(self) -> u64 {
        self.connects + self.requests + self.answers + self.ends
    }
}

const SEEN_CONNECT: u8 = 1;
const SEEN_START: u8 = 2;
const CLOSED_HERE: u8 = 4;
const CLOSED_THERE: u8 = 8;
const RESET: u8 = 16;

impl Event {
    /// Decodes what the ring buffer holds; nothing if it is none of the kernel part's events.
    pub(crate) fn decode(raw: &[u8]) -> Option<Self> {
        let (header, data) = raw.split_at_checked(HEADER)?;
        let captured = usize::try_from(u32_at(header, 44)?).ok()?;
        let flags = *header.get(57)?;
        let process = (flags & SEEN_CONNECT != 0).then(|| {
            let comm = &header[60..76];
            let end = comm.iter().position(|byte| *byte == 0).unwrap_or(comm.len());
            // Kernels before 6.2 leave garbage behind the name's end.
            let name = String::from_utf8_lossy(&comm[..end]).into_owned();
            Some(ProcessIds { pid: u32_at(header, 24)?, tid: u32_at(header, 28)?, name })
        });
        let kind = match header.get(56)? {
            1 => Kind::Connect,
            2 => Kind::Request(Segment {
                offset: u32_at(header, 36)?,
                length: u32_at(header, 40)?,
                bytes: data.get(..captured)?.to_vec(),
                from_start: flags & SEEN_START != 0,
            }),
            3 => Kind::Answer {
                offset: u32_at(header, 36)?,
                bytes: data.get(..captured)?.to_vec(),
                ttl: *header.get(59)?,
            },
            4 => Kind::End {
                by_caller: flags & CLOSED_HERE != 0,
                by_service: flags & CLOSED_THERE != 0,
                reset: flags & RESET != 0,
            },
            _ => return None,
        };
        Some(Self {
            time: u64_at(header, 0)?,
            cookie: u64_at(header, 8)?,
            origin: Origin {
                process: process.flatten(),
                uid: u32_at(header, 32)?,
                cgroup: u64_at(header, 16)?,
            },
            endpoint: *header.get(58)?,
            packets: Packets { sent: u32_at(header, 48)?, received: u32_at(header, 52)? },
            kind,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as the kernel part lays it out.
    fn raw(kind: u8, flags: u8, data: &[u8]) -> Vec<u8> {
        let mut raw = vec![0; HEADER];
        let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &1_000_u64.to_le_bytes());
        put(8, &7_u64.to_le_bytes());
        put(16, &99_u64.to_le_bytes());
        put(24, &42_u32.to_le_bytes());
        put(28, &43_u32.to_le_bytes());
        put(32, &1000_u32.to_le_bytes());
        put(36, &5_u32.to_le_bytes());
        put(40, &300_u32.to_le_bytes());
        put(44, &u32::try_from(data.len()).unwrap().to_le_bytes());
        put(48, &3_u32.to_le_bytes());
        put(52, &2_u32.to_le_bytes());
        put(56, &[kind, flags, 1, 64]);
        // Garbage behind the end of the name, as kernels before 6.2 leave it.
        put(60, b"curl\0\xff\xfegarbage\0\0");
        raw.extend_from_slice(data);
        raw
    }

    #[test]
    fn every_field_has_its_place() {
        let event = Event::decode(&raw(2, SEEN_CONNECT | SEEN_START, b"GET")).unwrap();
        let process = ProcessIds { pid: 42, tid: 43, name: "curl".to_owned() };
        assert_eq!(event.origin, Origin { process: Some(process), uid: 1000, cgroup: 99 });
        assert_eq!((event.time, event.cookie, event.endpoint), (1_000, 7, 1));
        assert_eq!(event.packets, Packets { sent: 3, received: 2 });
        let segment = Segment { offset: 5, length: 300, bytes: b"GET".to_vec(), from_start: true };
        assert_eq!(event.kind, Kind::Request(segment));
        let answer = Event::decode(&raw(3, 0, b"HTTP/1.1 200")).unwrap();
        assert_eq!(answer.origin.process, None);
        assert_eq!(answer.kind, Kind::Answer { offset: 5, bytes: b"HTTP/1.1 200".to_vec(), ttl: 64 });
        let end = Event::decode(&raw(4, CLOSED_HERE | RESET, b"")).unwrap();
        assert_eq!(end.kind, Kind::End { by_caller: true, by_service: false, reset: true });
    }

    #[test]
    fn what_is_no_event_is_nothing() {
        let whole = raw(2, 0, b"GET / HTTP/1.1");
        for length in 0..whole.len() {
            assert_eq!(Event::decode(&whole[..length]), None, "{length}");
        }
        assert_eq!(Event::decode(&raw(9, 0, b"")), None);
    }
}
