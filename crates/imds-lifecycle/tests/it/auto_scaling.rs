//! A fake Auto Scaling API on a socket: one group, one instance, with the timeline of
//! `imds_fake_aws`, and faults on order.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use imds_fake_aws::autoscaling::lifecycle::{Lifecycle, LifecycleHook, Transition};

/// Far above anything that a healthy test takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The instance of the emulator.
pub(crate) const INSTANCE: &str = "i-1234567890abcdef0";

/// What one call meets.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// An error of the service: status, code, message.
    Error(u16, &'static str, &'static str),
    /// The page of a proxy.
    Html,
    /// The connection ends before anything is done.
    Hangup,
    /// It is done, and the connection ends without an answer.
    DoneAndHangup,
    /// It is never answered.
    Stall,
}

#[derive(Debug)]
pub(crate) struct World {
    /// Actions in their order, with the parameters that matter.
    pub(crate) calls: Vec<String>,
    /// The keys that signed.
    pub(crate) signers: Vec<String>,
    /// The group, its hooks, and the instance's lifecycle action.
    pub(crate) lifecycle: Lifecycle,
    faults: BTreeMap<&'static str, VecDeque<Fault>>,
    stalled: Vec<TcpStream>,
    /// Nothing listens, or soon will not.
    refusing: bool,
    listening: Option<JoinHandle<()>>,
    connections: Vec<TcpStream>,
}

impl World {
    /// What each action was completed with.
    pub(crate) fn completed(&self) -> Vec<String> {
        self.lifecycle.ended.iter().map(|(_, result)| result.clone()).collect()
    }

    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| call.split(' ').next() == Some(action)).count()
    }
}

/// The API on a loopback port.
#[derive(Clone, Debug)]
pub(crate) struct AutoScaling {
    address: SocketAddr,
    endpoint: String,
    shared: Arc<(Mutex<World>, Condvar)>,
}

impl AutoScaling {
    /// Starts it, with a lifecycle action that waits and whose hook gives `heartbeat_timeout`
    /// seconds.
    pub(crate) fn start(heartbeat_timeout: u32) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), heartbeat_timeout)
    }

    /// The same at another address.
    pub(crate) fn start_at(address: SocketAddr, heartbeat_timeout: u32) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let mut lifecycle = Lifecycle::in_service("web", INSTANCE);
        lifecycle.hooks = vec![LifecycleHook::new("drain", Transition::Terminating, heartbeat_timeout)];
        lifecycle.terminate(Duration::ZERO);
        let world = World {
            calls: Vec::new(),
            signers: Vec::new(),
            lifecycle,
            faults: BTreeMap::new(),
            stalled: Vec::new(),
            refusing: false,
            listening: None,
            connections: Vec::new(),
        };
        let shared = Arc::new((Mutex::new(world), Condvar::new()));
        let api = Self { address, endpoint: format!("http://{address}"), shared };
        api.listen(listener);
        api
    }

    fn listen(&self, listener: TcpListener) {
        let served = self.clone();
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (served, stream) = (served.clone(), stream.unwrap());
                if served.world(|world| world.refusing) {
                    return;
                }
                served.world(|world| world.connections.push(stream.try_clone().unwrap()));
                std::thread::spawn(move || served.serve(stream));
            }
        });
        self.world(|world| world.listening = Some(listening));
    }

    /// Ends all connections, and refuses others from now on. A port of an address that nobody else
    /// has is not taken meanwhile.
    pub(crate) fn refuse(&self) {
        let listening = self.world(|world| {
            world.refusing = true;
            world.listening.take()
        });
        // It listens until it sees one more connection.
        drop(TcpStream::connect(self.address).unwrap());
        listening.unwrap().join().unwrap();
        for connection in self.world(|world| std::mem::take(&mut world.connections)) {
            // Fails where it has ended.
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Ends that.
    pub(crate) fn listen_again(&self) {
        self.world(|world| world.refusing = false);
        self.listen(TcpListener::bind(self.address).unwrap());
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Looks at the world, or changes it.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let result = look(&mut self.shared.0.lock().unwrap());
        self.shared.1.notify_all();
        result
    }

    /// Orders what the next calls of an action meet.
    pub(crate) fn next(&self, action: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.world(|world| world.faults.entry(action).or_default().extend(faults));
    }

    /// Waits until the world is as wanted.
    #[track_caller]
    pub(crate) fn wait_for(&self, wanted: impl Fn(&World) -> bool) {
        let guard = self.shared.0.lock().unwrap();
        let (world, waited) =
            self.shared.1.wait_timeout_while(guard, PATIENCE, |world| !wanted(world)).unwrap();
        assert!(!waited.timed_out(), "waited in vain: {:?} {:?}", world.calls, world.lifecycle);
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some((authorization, form)) = request(&mut reader) {
            let mut stream = stream.try_clone().unwrap();
            // Hung up on: the client sees the end of the connection.
            let Some(answer) = self.answer(&authorization, &form, &stream) else {
                let _ = stream.shutdown(std::net::Shutdown::Both);
                return;
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(
        &self,
        authorization: &str,
        form: &BTreeMap<String, String>,
        stream: &TcpStream,
    ) -> Option<String> {
        let parameter = |name: &str| form.get(name).map_or("", String::as_str);
        let action = parameter("Action");
        let key = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=").expect("a signed request");
        assert!(
            authorization.contains("SignedHeaders=") && authorization.contains("Signature="),
            "{authorization}"
        );
        assert!(authorization.contains("/us-east-1/autoscaling/aws4_request"), "{authorization}");
        assert_eq!(parameter("Version"), "2011-01-01");
        let call = match action {
            "DescribeAutoScalingInstances" => format!("{action} {}", parameter("InstanceIds.member.1")),
            "DescribeLifecycleHooks" => format!("{action} {}", parameter("AutoScalingGroupName")),
            "RecordLifecycleActionHeartbeat" | "CompleteLifecycleAction" => format!(
                "{action} {} {} {} {}",
                parameter("AutoScalingGroupName"),
                parameter("LifecycleHookName"),
                parameter("InstanceId"),
                parameter("LifecycleActionResult")
            ),
            other => panic!("not a call that was expected: {other}"),
        };
        self.world(|world| {
            world.calls.push(call.trim_end().to_owned());
            world.signers.push(key.split('/').next().unwrap_or_default().to_owned());
            let fault = world.faults.get_mut(action).and_then(VecDeque::pop_front);
            match fault {
                Some(Fault::Error(status, code, message)) => return Some(error(status, code, message)),
                Some(Fault::Html) => {
                    return Some(http(500, "text/html", "<html><body>Internal</body></html>"));
                }
                Some(Fault::Hangup) => return None,
                Some(Fault::Stall) => {
                    world.stalled.push(stream.try_clone().unwrap());
                    // Read on, answer never: the client gives up, or is killed.
                    return Some(String::new());
                }
                Some(Fault::DoneAndHangup) | None => {}
            }
            let answer = world.lifecycle.answer(action, &|name| form.get(name).map(String::as_str));
            let answer = http(answer.status, answer.content_type, &String::from_utf8(answer.body).unwrap());
            if matches!(fault, Some(Fault::DoneAndHangup)) { None } else { Some(answer) }
        })
    }
}

fn error(status: u16, code: &str, message: &str) -> String {
    let body = format!(
        "<ErrorResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>7c6e177f</RequestId></ErrorResponse>"
    );
    http(status, "text/xml", &body)
}

fn http(status: u16, kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// One request: its `Authorization`, and its form. Nothing where the client has gone.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, BTreeMap<String, String>)> {
    let (mut authorization, mut length) = (String::new(), 0);
    let mut first = true;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if std::mem::take(&mut first) {
            assert_eq!(line, "POST / HTTP/1.1");
            continue;
        }
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => authorization = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    Some((authorization, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()))
}
