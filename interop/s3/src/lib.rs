//! A fake of S3 that checks every signature, with the credentials that the emulator has issued.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use imds::Credentials;
use imds_emulator::Clock;
use sha2::{Digest as _, Sha256};

/// Refuses requests whose time is further away (S3 API Reference, "Error responses").
const SKEW: Duration = Duration::from_secs(15 * 60);

/// A bucket that takes signed requests only. What it refuses, it refuses with the codes and
/// messages of the S3 API Reference, "Error responses".
#[derive(Clone)]
pub struct FakeS3(Arc<Shared>);

struct Shared {
    address: SocketAddr,
    clock: Clock,
    /// What the service issues: credentials that nobody has used yet are looked up there.
    issuer: imds::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    issued: BTreeMap<String, Credentials>,
    objects: BTreeMap<String, Vec<u8>>,
    /// The access key ids of the requests that it accepted, oldest first.
    accepted: Vec<String>,
    /// The codes of those that it refused.
    refused: Vec<String>,
    accepts_expired: bool,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Refusal = (u16, &'static str, &'static str);

const NO_SIGNATURE: Refusal = (403, "AccessDenied", "Access Denied");
const WRONG_SIGNATURE: Refusal = (
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing \
     method.",
);

impl FakeS3 {
    /// Starts it on a free port of 127.0.0.1. It has the time and the credentials of an emulator.
    pub fn start(clock: Clock, imds_endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = imds::Client::builder()
            .environment(imds::EmptyEnvironment)
            .endpoint(imds_endpoint)
            .no_store()
            .build()
            .unwrap();
        let fake = Self(Arc::new(Shared {
            address: listener.local_addr().unwrap(),
            clock,
            issuer,
            state: Mutex::default(),
        }));
        let serving = fake.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, stream) = (serving.clone(), stream.unwrap());
                thread::spawn(move || serving.serve(&stream));
            }
        });
        fake
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Takes credentials that have expired, as AWS does while its metadata service fails.
    pub fn accept_expired(&self) {
        self.0.state.lock().unwrap().accepts_expired = true;
    }

    /// The access key ids that signed the requests it accepted, oldest first.
    pub fn accepted(&self) -> Vec<String> {
        self.0.state.lock().unwrap().accepted.clone()
    }

    /// The codes of the requests that it refused.
    pub fn refused(&self) -> Vec<String> {
        self.0.state.lock().unwrap().refused.clone()
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            let answer = match self.check(&request) {
                Ok(key) => {
                    let mut state = self.0.state.lock().unwrap();
                    state.accepted.push(key);
                    state.handle(&request)
                }
                Err((status, code, message)) => {
                    self.0.state.lock().unwrap().refused.push(code.to_owned());
                    let body = format!(
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}\
                         </Message><RequestId>test</RequestId></Error>"
                    );
                    (status, body.into_bytes())
                }
            };
            let (status, body) = answer;
            let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", body.len());
            let mut out = stream;
            if out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).is_err() {
                return;
            }
        }
    }

    /// Returns the access key id of a request that S3 would accept.
    fn check(&self, request: &Request) -> Result<String, Refusal> {
        let authorization = request.headers.get("authorization").ok_or(NO_SIGNATURE)?;
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(NO_SIGNATURE)?;
        let field = |name: &str| {
            fields
                .split(", ")
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
                .ok_or(NO_SIGNATURE)
        };
        let (key, scope) = field("Credential")?.split_once('/').ok_or(NO_SIGNATURE)?;
        let credentials = self.issued(key).ok_or((
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ))?;
        if request.headers.get("x-amz-security-token") != Some(&credentials.token) {
            return Err((400, "InvalidToken", "The provided token is malformed or otherwise invalid."));
        }
        let now = time_of(self.0.clock.now());
        if credentials.expiration <= now && !self.0.state.lock().unwrap().accepts_expired {
            return Err((400, "ExpiredToken", "The provided token has expired."));
        }
        let date = request.headers.get("x-amz-date").ok_or(NO_SIGNATURE)?;
        let signed_at = time_of(basic_time(date).ok_or(NO_SIGNATURE)?);
        if signed_at > now + SKEW || now > signed_at + SKEW {
            return Err((
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the server's time is too large.",
            ));
        }
        let content = request.headers.get("x-amz-content-sha256").ok_or(NO_SIGNATURE)?;
        if *content != hex(&Sha256::digest(&request.body)) {
            return Err((
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ));
        }
        let canonical = request.canonical(field("SignedHeaders")?, content);
        let text =
            format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let mut signing = format!("AWS4{}", credentials.secret_access_key).into_bytes();
        for part in scope.split('/') {
            signing = hmac(&signing, part);
        }
        if hex(&hmac(&signing, &text)) != field("Signature")? {
            return Err(WRONG_SIGNATURE);
        }
        Ok(key.to_owned())
    }

    fn issued(&self, key: &str) -> Option<Credentials> {
        if let Some(known) = self.0.state.lock().unwrap().issued.get(key) {
            return Some(known.clone());
        }
        let role = self.0.issuer.role_name().ok()??;
        let current = self.0.issuer.role_credentials(&role).ok()?;
        let mut state = self.0.state.lock().unwrap();
        state.issued.insert(current.access_key_id.clone(), current);
        state.issued.get(key).cloned()
    }
}

impl State {
    fn handle(&mut self, request: &Request) -> (u16, Vec<u8>) {
        if request.method == "PUT" {
            self.objects.insert(request.path.clone(), request.body.clone());
            return (200, Vec::new());
        }
        match self.objects.get(&request.path) {
            Some(object) => (200, object.clone()),
            None => (404, b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
        }
    }
}

impl Request {
    /// Reads a request; `None` at the end of the connection.
    fn read(reader: &mut BufReader<&TcpStream>) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut first = lines.first()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: BTreeMap<_, _> = lines[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, path: path.to_owned(), query: query.to_owned(), headers, body })
    }

    /// The canonical request of Signature Version 4, as S3 wants it: the path is encoded once (IAM
    /// User Guide, "Create a signed AWS API request").
    fn canonical(&self, signed_headers: &str, content: &str) -> String {
        let mut query: Vec<_> = self.query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable();
        let query: Vec<_> = query
            .iter()
            .map(|pair| if pair.contains('=') { (*pair).to_owned() } else { format!("{pair}=") })
            .collect();
        let headers: String = signed_headers
            .split(';')
            .map(|name| format!("{name}:{}\n", self.headers.get(name).map_or("", String::as_str)))
            .collect();
        format!("{}\n{}\n{}\n{headers}\n{signed_headers}\n{content}", self.method, self.path, query.join("&"))
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The time of the emulator, as the standard library has it.
pub fn time_of(time: imds_emulator::Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(time.millis().try_into().unwrap())
}

/// Reads `20260115T090000Z`.
fn basic_time(text: &str) -> Option<imds_emulator::Timestamp> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}
