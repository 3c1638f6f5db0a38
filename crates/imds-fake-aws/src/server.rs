//! Serves the fake AWS on a loopback port.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::answer::{Answer, Dialect, Refusal};
use crate::autoscaling::live::{self, LiveGroup};
use crate::fault::{Harm, Moment};
use crate::request::Request;
use crate::world::World;
use crate::{autoscaling, cloudwatch, config, ec2, organizations, sts};

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// An Auto Scaling group that lives by the time of this process.
    group: Mutex<Option<LiveGroup>>,
    held: Mutex<Option<OnHeld>>,
    /// Connections that are open, and who waits for their end.
    open: Mutex<usize>,
    /// Requests that are not answered yet.
    under_way: Mutex<usize>,
    closed: Condvar,
}

struct OnHeld(Box<dyn Fn() + Send>);

impl std::fmt::Debug for OnHeld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnHeld")
    }
}

impl Shared {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection, counted for as long as it is there.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: &Arc<Shared>) -> Self {
        *shared.open.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.closed.notify_all();
    }
}

/// A request that is not answered yet, counted for as long as it is not.
struct UnderWay(Arc<Shared>);

impl UnderWay {
    fn new(shared: &Arc<Shared>) -> Self {
        let mut now = shared.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        *now += 1;
        let mut world = shared.world();
        world.most_at_once = world.most_at_once.max(*now);
        Self(Arc::clone(shared))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        *self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

impl Fake {
    /// Starts a server on a free loopback port.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no port or no thread to be had.
    pub fn start(world: World) -> std::io::Result<Self> {
        Self::start_at(([127, 0, 0, 1], 0).into(), world, None)
    }

    /// Starts a server at this address, with an Auto Scaling group whose lifecycle actions it
    /// answers.
    ///
    /// # Errors
    ///
    /// Returns an error if the address cannot be bound, or there is no thread to be had.
    pub fn start_at(address: SocketAddr, world: World, group: Option<LiveGroup>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            group: Mutex::new(group),
            held: Mutex::new(None),
            open: Mutex::new(0),
            under_way: Mutex::new(0),
            closed: Condvar::new(),
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("imds-fake-aws".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = serve(listener, serving) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The world, to look at and to change.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    /// Waits until every connection that was made before is closed, and so everything done that was
    /// asked for on them. A client that was killed may have sent a request that is not even read
    /// yet.
    ///
    /// # Errors
    ///
    /// Returns an error if the server cannot be reached.
    pub fn settle(&self) -> std::io::Result<()> {
        // Connections are accepted in turn: once this one is answered, those before it are counted.
        let mut stream = std::net::TcpStream::connect(self.address)?;
        stream.write_all(b"GET /_fake/stats HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new())?;
        drop(stream);
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        while *open > 0 {
            open = self.shared.closed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Calls this whenever a request is held (see [`Harm::Hold`]).
    pub fn on_held(&self, call: impl Fn() + Send + 'static) {
        *self.shared.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(OnHeld(Box::new(call)));
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small answers on a loopback: without this they wait for the acknowledgement of the head.
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let open = Open::new(&shared);
        tokio::spawn(async move {
            let _open = open;
            let service = service_fn(move |request| handle(Arc::clone(&shared), request));
            // The peer may go away at any time, and in some tests does.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn handle(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let header = |name: &str| {
        request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let (authorization, target) = (header("authorization"), header("x-amz-target"));
    let path = request.uri().path().to_owned();
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    if path == "/_fake/stats" {
        return Ok(response(stats(&shared.world())));
    }
    if path == "/_fake/group" {
        let mut group = shared.group.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &mut *group {
            Some(group) => group.walk(&String::from_utf8_lossy(&body)),
            None => Err(Refusal::new("ValidationError", "there is no group: run `imds-fake-aws group`")),
        };
        return Ok(response(answer.unwrap_or_else(|wrong| Answer::refusal(Dialect::Json, &wrong))));
    }
    let target = Some(target.as_str()).filter(|target| !target.is_empty());
    let home = shared.world().home.clone();
    let Some(request) = Request::read(&home, &path, &authorization, target, &body) else {
        let refusal = Refusal(403, "MissingAuthenticationToken".to_owned(), "not an AWS request".to_owned());
        return Ok(response(Answer::refusal(Dialect::Query, &refusal)));
    };
    let _under_way = UnderWay::new(&shared);
    let delay = shared.world().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match decide(&shared, &request) {
        Outcome::Answer(answer) => Ok(response(answer)),
        Outcome::Hold => {
            if let Some(OnHeld(call)) = &*shared.held.lock().unwrap_or_else(PoisonError::into_inner) {
                call();
            }
            std::future::pending().await
        }
    }
}

enum Outcome {
    Answer(Answer),
    Hold,
}

fn decide(shared: &Shared, request: &Request) -> Outcome {
    let mut world = shared.world();
    world.requests += 1;
    let place = (request.account.clone(), request.region.clone());
    *world.calls.entry((place.clone(), request.action.clone())).or_default() += 1;
    let harm = world.faults.iter_mut().find_map(|fault| {
        fault.strikes(&request.action, &request.account, &request.region).then(|| fault.harm.clone())
    });
    match &harm {
        Some(Harm::Error(status, code, message)) => {
            let refusal = Refusal(*status, code.clone(), message.clone());
            return Outcome::Answer(Answer::refusal(request.dialect, &refusal));
        }
        Some(Harm::Html(status)) => {
            let body = b"<html><body><h1>Internal Server Error</h1></body></html>".to_vec();
            return Outcome::Answer(Answer { status: *status, content_type: "text/html", body });
        }
        Some(Harm::Hold(Moment::Before)) => return Outcome::Hold,
        Some(Harm::Hold(Moment::After)) | None => {}
    }
    let bucket = if request.dialect == Dialect::Ec2 { ec2::bucket(request) } else { request.action.clone() };
    let result = if !world.throttle.admit(&place, &bucket) {
        Err(Refusal(503, "RequestLimitExceeded".to_owned(), "Request limit exceeded.".to_owned()))
    } else {
        answer(shared, &mut world, request)
    };
    if harm.is_some() {
        return Outcome::Hold;
    }
    Outcome::Answer(match result {
        Ok(answer) => answer,
        Err(refusal) => Answer::refusal(request.dialect, &refusal),
    })
}

fn answer(shared: &Shared, world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let opted_in = world.regions.iter().find(|(name, _)| *name == request.region).is_none_or(|(_, in_)| *in_);
    if !opted_in {
        let text = "You are not subscribed to this service. Please enable this Region.";
        return Err(Refusal(403, "OptInRequired".to_owned(), text.to_owned()));
    }
    // "No permissions are required to perform this operation" (API reference, `GetCallerIdentity`).
    if request.action != "GetCallerIdentity" {
        permitted(world, request, &request.iam_action())?;
    }
    match (request.dialect, request.action.as_str()) {
        (_, "GetCallerIdentity") => Ok(sts::get_caller_identity(request)),
        // Cloud Custodian asks what the account is called.
        (Dialect::Query, "ListAccountAliases") => Ok(Answer::query("ListAccountAliases", |xml| {
            xml.element("AccountAliases", |_| {}).text("IsTruncated", false);
        })),
        (_, "AssumeRole") => sts::assume_role(world, request),
        (_, "ListAccounts") => organizations::list_accounts(world, request),
        (_, "ListAccountsForParent" | "ListOrganizationalUnitsForParent") => {
            organizations::list_children(world, request)
        }
        (_, "DescribeEffectivePolicy") => organizations::describe_effective_policy(world, request),
        (_, "GetMetricData") => cloudwatch::get_metric_data(world, request),
        (_, "SelectAggregateResourceConfig") => config::select_aggregate(world, request),
        (Dialect::Query, action) if live::ACTIONS.contains(&action) => {
            let mut group = shared.group.lock().unwrap_or_else(PoisonError::into_inner);
            let nothing = || Refusal::new("ValidationError", "AutoScalingGroup name not found - null");
            Ok(group.as_mut().ok_or_else(nothing)?.answer(request))
        }
        (Dialect::Query, "DescribeAutoScalingGroups") => {
            Ok(autoscaling::describe_groups(world.at(&request.account, &request.region), request))
        }
        (Dialect::Query, "DescribeWarmPool") => {
            autoscaling::describe_warm_pool(world.at(&request.account, &request.region), request)
        }
        (Dialect::Query, "UpdateAutoScalingGroup") => {
            // With a template, Auto Scaling asks whether the caller could launch from it
            // (aws-samples/ec2-auto-scaling-instance-refresh-sample#7).
            if let Some(id) = autoscaling::template_of_update(request) {
                for action in ["ec2:RunInstances", "iam:PassRole"] {
                    if world.allowed.as_ref().is_some_and(|allowed| !allowed.contains(action)) {
                        let text = format!("You are not authorized to use launch template: {id}");
                        return Err(Refusal(403, "AccessDenied".to_owned(), text));
                    }
                }
            }
            autoscaling::update_group(world.at(&request.account, &request.region), request)
        }
        (Dialect::Query, "DescribeLaunchConfigurations") => {
            Ok(autoscaling::describe_configurations(world.at(&request.account, &request.region), request))
        }
        (Dialect::Ec2, _) => ec2::answer(world, request),
        (_, other) => Err(Refusal::new("InvalidAction", format!("no action {other}"))),
    }
}

/// Refuses what the caller is not allowed, as each service does: EC2 "UnauthorizedOperation"
/// ("Error codes for the Amazon EC2 API"), the Query services "AccessDenied", the JSON services
/// "AccessDeniedException" ("Troubleshoot access denied error messages", IAM User Guide).
fn permitted(world: &World, request: &Request, action: &str) -> Result<(), Refusal> {
    if world.allowed.as_ref().is_none_or(|allowed| allowed.contains(action)) {
        return Ok(());
    }
    let user = format!("arn:aws:iam::{}:user/auditor", request.account);
    let text = format!(
        "User: {user} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
    );
    Err(match request.dialect {
        Dialect::Ec2 => Refusal(
            403,
            "UnauthorizedOperation".to_owned(),
            format!("You are not authorized to perform this operation. {text}"),
        ),
        Dialect::Query => Refusal(403, "AccessDenied".to_owned(), text),
        Dialect::Json | Dialect::Cbor => Refusal(400, "AccessDeniedException".to_owned(), text),
    })
}

/// What the program prints for who runs it from outside.
fn stats(world: &World) -> Answer {
    let mut calls: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for ((_, action), count) in &world.calls {
        *calls.entry(action).or_default() += count;
    }
    let trips: std::collections::BTreeMap<String, u64> = world
        .throttle
        .trips
        .iter()
        .map(|(((account, region), bucket), count)| (format!("{account}/{region}/{bucket}"), *count))
        .collect();
    Answer::json(&serde_json::json!({ "requests": world.requests, "calls": calls, "throttled": trips }))
}

fn response(answer: Answer) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(Bytes::from(answer.body)));
    if let Ok(status) = hyper::StatusCode::from_u16(answer.status) {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static(answer.content_type));
    headers.insert("smithy-protocol", hyper::header::HeaderValue::from_static("rpc-v2-cbor"));
    response
}
