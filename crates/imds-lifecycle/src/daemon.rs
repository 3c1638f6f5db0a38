//! Does what the machine decides, and tells it what came of it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use imds::{AsyncClient, BootId, Clock as _, ErrorKind, Moment, SystemClock, SystemEnvironment};
use imds_watch::{Pace, ServiceManager};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::aws::api::Api;
use crate::aws::credential_cache::CredentialCache;
use crate::aws::credentials::RoleCredentials;
use crate::aws::http;
use crate::aws::resolve::{Given, resolve};
use crate::counts::Counts;
use crate::failure::Failure;
use crate::journal::{Content, Journal};
use crate::machine::record::{Known, Record};
use crate::machine::{Hook, HookResult, Input, Machine, Rules, Step};
use crate::say;
use crate::supervisor::HookFiles;

/// Where the target state is read.
const STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";
/// Where Spot announces what it will do to the instance.
const SPOT: &str = "/latest/meta-data/spot/instance-action";

/// What the daemon is to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rules: Rules,
    /// The command of each state.
    pub(crate) commands: Vec<(String, String)>,
    /// What runs commands instead of `/bin/sh`.
    pub(crate) shell: Option<PathBuf>,
    /// Whether a Spot interruption runs the command of `Terminated`.
    pub(crate) spot: bool,
    pub(crate) given: Given,
    pub(crate) directory: PathBuf,
    /// In memory, and this program's alone: where credentials may be cached.
    pub(crate) runtime_directory: Option<PathBuf>,
    pub(crate) metrics: Option<std::net::SocketAddr>,
    pub(crate) dry_run: bool,
}

/// Runs until it is stopped.
pub(crate) fn run(plan: Plan) -> Result<(), Failure> {
    let imds = AsyncClient::builder().build_async()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start").caused_by(&error))?;
    tokio::task::LocalSet::new().block_on(&runtime, run_until_stopped(imds, plan))
}

async fn run_until_stopped(imds: AsyncClient, plan: Plan) -> Result<(), Failure> {
    let cannot_listen = |error| Failure::new("cannot listen for signals").caused_by(&error);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_listen)?;
    let http = http::client(&SystemEnvironment)?;
    let counts = Arc::new(Mutex::new(Counts::default()));
    serve_metrics(&plan, &counts)?;
    let manager = ServiceManager::from_environment(&SystemEnvironment);
    let journal = Journal::open(&plan.directory, plan.dry_run)?;
    let boot = SystemClock.boot_id();
    let (record, region) = tokio::select! {
        start = start(&imds, &plan, &manager, &journal, boot.as_ref()) => start?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let instance_id = record.instance_id.clone();
    let cache = plan.runtime_directory.as_deref().filter(|_| !plan.dry_run);
    let cache = Arc::new(CredentialCache::new(cache, boot.as_ref(), &instance_id));
    let role = RoleCredentials::new(imds.clone(), Arc::clone(&cache));
    let api = Api::new(http, role, region.clone(), instance_id.clone()).await;
    cache.acting(record.action.is_some());
    let (send, mut inputs) = mpsc::unbounded_channel();
    let (machine, steps) = Machine::new(plan.rules.clone(), record, SystemClock.now());
    let mut daemon =
        Daemon { plan, imds, api, instance_id, region, journal, machine, counts, send, child: None };
    daemon.poll();
    manager.ready();
    let mut ended = daemon.perform(steps, &manager)?;
    let mut acted = daemon.machine.record.action.is_some();
    let mut alive = manager.watchdog().map(tokio::time::interval);
    while !ended {
        let wake = daemon.machine.wake();
        let input = tokio::select! {
            Some(input) = inputs.recv() => input,
            _ = terminate.recv() => Input::Stop { going_down: is_going_down().await },
            _ = interrupt.recv() => Input::Stop { going_down: is_going_down().await },
            () = sleep_until(wake) => Input::Time,
            () = tick(&mut alive) => {
                manager.alive();
                continue;
            }
        };
        daemon.count(&input);
        let steps = daemon.machine.handle(SystemClock.now(), SystemClock.random(), input);
        let acting = daemon.machine.record.action.is_some();
        if acting != std::mem::replace(&mut acted, acting) {
            cache.acting(acting);
        }
        ended = daemon.perform(steps, &manager)?;
        manager.status(&daemon.status());
    }
    manager.stopping();
    Ok(())
}

fn serve_metrics(plan: &Plan, counts: &Arc<Mutex<Counts>>) -> Result<(), Failure> {
    let Some(address) = plan.metrics else { return Ok(()) };
    let cannot = |error| Failure::usage(format!("cannot listen on `{address}`")).caused_by(&error);
    let listener = TcpListener::bind(address).map_err(cannot)?;
    if let Ok(address) = listener.local_addr() {
        say(&format!("metrics at http://{address}/metrics"));
    }
    let counts = Arc::clone(counts);
    let text = move || counts.lock().unwrap_or_else(PoisonError::into_inner).text();
    imds_watch::metrics::serve(listener, text).map_err(cannot)
}

/// Whether SIGTERM comes from a machine that is going down. A service manager that is asked says
/// so; without one there is nobody who would start this process again.
async fn is_going_down() -> bool {
    use imds::Environment as _;
    if SystemEnvironment.variable("NOTIFY_SOCKET").is_none() {
        return true;
    }
    let mut asked = Command::new("systemctl");
    asked.arg("is-system-running").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    // It answers at once, or not at all.
    match tokio::time::timeout(Duration::from_secs(2), asked.output()).await {
        Ok(Ok(output)) => output.stdout.starts_with(b"stopping"),
        Ok(Err(_)) | Err(_) => true,
    }
}

/// What is known before anything is begun: from the journal if it holds an unfinished action of
/// this boot, so that a restart needs no metadata service; else as soon as the service answers.
async fn start(
    imds: &AsyncClient,
    plan: &Plan,
    manager: &ServiceManager,
    journal: &Journal,
    boot: Option<&BootId>,
) -> Result<(Record, String), Failure> {
    let boot = boot.map_or("", BootId::as_str);
    let content = journal.load();
    if let Content::Record(record) = &content
        && record.action.is_some()
        && record.boot == boot
        && !boot.is_empty()
        && let Some(known) = &record.known
    {
        return Ok(((**record).clone(), known.region.clone()));
    }
    let instance_id = patiently(imds, "instance-id", plan, manager).await?;
    let region = patiently(imds, "placement/region", plan, manager).await?;
    // Numbers name files, some of which an earlier journal may have left behind.
    let unused = SystemClock.wall().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut record = match content {
        Content::Record(record) if record.instance_id == instance_id => {
            let (record, dropped) = record.into_boot(boot);
            if let Some(state) = dropped {
                say(&format!(
                    "state `{state}`: its action belongs to an earlier boot: dropped and not completed"
                ));
            }
            record
        }
        Content::Nothing => Record::new(&instance_id, boot),
        Content::Record(_) | Content::Damaged => Record { number: unused, ..Record::new(&instance_id, boot) },
    };
    record.known = Some(Known { region: region.clone(), details: None });
    Ok((record, region))
}

async fn tick(interval: &mut Option<tokio::time::Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<Moment>) {
    match wake {
        Some(wake) => tokio::time::sleep(wake - SystemClock.now()).await,
        None => std::future::pending().await,
    }
}

/// A value without which nothing can be begun; asked for until the service has it. Early at boot it
/// may not.
async fn patiently(
    imds: &AsyncClient,
    path: &str,
    plan: &Plan,
    manager: &ServiceManager,
) -> Result<String, Failure> {
    let mut pace = Pace::new(plan.rules.interval);
    let mut said = false;
    loop {
        let error = match read(imds, path).await {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::Disabled | ErrorKind::Config | ErrorKind::Path) {
            return Err(error.into());
        }
        if !std::mem::replace(&mut said, true) {
            say(&format!("waiting for the metadata service: {error}"));
            manager.status("waiting for the metadata service");
        }
        tokio::time::sleep(pace.failed(error.retry_after(), SystemClock.random())).await;
    }
}

async fn read(imds: &AsyncClient, path: &str) -> Result<String, imds::Error> {
    imds.get(path).await.and_then(|answer| Ok(answer.text()?.to_owned()))
}

/// A Spot interruption: what identifies it, and how long is left.
fn spot_notice(text: &str) -> (String, Option<Duration>) {
    let document = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let left = imds_watch::deadline_seconds(&document, SystemClock.wall());
    // A time that moves makes no new notice.
    let action = document.get("action").and_then(|action| action.as_str()).unwrap_or("unknown");
    (action.to_owned(), left.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0))))
}

struct Daemon {
    plan: Plan,
    imds: AsyncClient,
    api: Api,
    instance_id: String,
    region: String,
    journal: Journal,
    machine: Machine,
    counts: Arc<Mutex<Counts>>,
    send: mpsc::UnboundedSender<Input>,
    /// The supervisor that was started last: the command's number and the process.
    child: Option<(u64, rustix::process::Pid)>,
}

impl Daemon {
    /// Does these things in their order; whether it was the last of all.
    fn perform(&mut self, steps: Vec<Step>, manager: &ServiceManager) -> Result<bool, Failure> {
        for step in steps {
            match step {
                Step::Save => self.journal.save(&self.machine.record),
                Step::Say(text) => say(&text),
                Step::Exit => return Ok(true),
                Step::Fail(reason) => return Err(Failure::usage(reason)),
                Step::Forget(number) => {
                    if let Some(directory) = self.journal.directory() {
                        HookFiles::new(number).remove(directory);
                    }
                }
                Step::Extend(time) => manager.extend(time + Duration::from_secs(15)),
                Step::RunHook(hook) => self.run_hook(hook)?,
                Step::StopHook(number) => self.stop_hook(number),
                Step::Resolve => {
                    let (imds, api, given) = (self.imds.clone(), self.api.clone(), self.plan.given.clone());
                    self.spawn(async move { Input::Details(resolve(&imds, &api, &given).await) });
                }
                Step::AskState => {
                    let api = self.api.clone();
                    self.spawn(async move {
                        Input::InstanceState(api.instance().await.map(|found| found.map(|(_, state)| state)))
                    });
                }
                Step::Heartbeat { group, hook } if self.plan.dry_run => {
                    say(&format!("dry run: would send a heartbeat for hook `{hook}` of group `{group}`"));
                    self.spawn(async { Input::Heartbeat(hook, Ok(())) });
                }
                Step::Heartbeat { group, hook } => {
                    let api = self.api.clone();
                    self.spawn(async move {
                        let result = api.heartbeat(&group, &hook).await;
                        Input::Heartbeat(hook, result)
                    });
                }
                Step::Complete { group, hook, result } if self.plan.dry_run => {
                    let result = result.as_str();
                    say(&format!("dry run: would complete hook `{hook}` of group `{group}` with {result}"));
                    self.spawn(async { Input::Completed(hook, Ok(())) });
                }
                Step::Complete { group, hook, result } => {
                    let api = self.api.clone();
                    self.spawn(async move {
                        let result = api.complete(&group, &hook, result).await;
                        Input::Completed(hook, result)
                    });
                }
            }
        }
        Ok(false)
    }

    fn count(&self, input: &Input) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).note(input);
    }

    fn status(&self) -> String {
        let record = &self.machine.record;
        match (&record.action, &record.seen) {
            (Some(action), _) => format!("acting on state `{}`", action.state),
            (None, Some(state)) => format!("watching; state `{}`", state.escape_debug()),
            (None, None) => "watching".to_owned(),
        }
    }

    /// Calls go on by themselves, so that one that hangs holds up neither heartbeats nor signals.
    fn spawn(&self, work: impl Future<Output = Input> + 'static) {
        let send = self.send.clone();
        tokio::task::spawn_local(async move {
            // Nobody listens any more once the daemon ends.
            let _ = send.send(work.await);
        });
    }

    /// Reads the state again and again, each time after its pause.
    fn poll(&self) {
        let (imds, send) = (self.imds.clone(), self.send.clone());
        let (mut pace, spot) = (Pace::new(self.plan.rules.interval), self.plan.spot);
        tokio::task::spawn_local(async move {
            loop {
                let mut failed = None;
                if spot {
                    match read(&imds, SPOT).await {
                        Ok(text) => {
                            let (notice, left) = spot_notice(&text);
                            let _ = send.send(Input::Spot(notice, left));
                        }
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        Err(error) => failed = Some(error.retry_after()),
                    }
                }
                let reading = match read(&imds, STATE).await {
                    Ok(state) => Ok(Some(state)),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => {
                        failed = Some(error.retry_after());
                        Err(error.to_string())
                    }
                };
                if send.send(Input::Reading(reading)).is_err() {
                    return;
                }
                let random = SystemClock.random();
                let pause = match failed {
                    None => pace.answered(random),
                    Some(after) => pace.failed(after, random),
                };
                tokio::time::sleep(pause).await;
            }
        });
    }

    /// Starts the command's supervisor: see [`crate::supervisor`].
    fn run_hook(&mut self, hook: Hook) -> Result<(), Failure> {
        let number = hook.number;
        let command = self.plan.commands.iter().find(|(of, _)| *of == hook.state);
        // The command of a state that was begun may be gone from the unit file after a restart.
        let Some((_, command)) = command else {
            let told = format!("no command: none is given for `{}` any more", hook.state);
            let result = HookResult { success: false, told };
            self.spawn(async move { Input::HookEnded { number, result } });
            return Ok(());
        };
        if self.plan.dry_run {
            say(&format!("dry run: would run `{command}`"));
            let result = HookResult { success: true, told: "nothing, as it was not run".to_owned() };
            self.spawn(async move { Input::HookEnded { number, result } });
            return Ok(());
        }
        let own = std::env::current_exe()
            .map_err(|error| Failure::new("cannot find this program's own file").caused_by(&error))?;
        let mut supervisor = Command::new(own);
        supervisor.arg("supervise").arg(&self.plan.directory).arg(number.to_string());
        supervisor.arg("--limit").arg(format!("{}ms", hook.limit.as_millis()));
        if let Some(shell) = &self.plan.shell {
            supervisor.arg("--shell").arg(shell);
        }
        supervisor.arg("--").arg(command).stdin(Stdio::null());
        for (name, value) in self.variables(&hook) {
            supervisor.env(name, value);
        }
        // A group of its own: a Ctrl-C is for the daemon, which lets the command end.
        supervisor.process_group(0);
        let spawned = supervisor.spawn();
        if let Ok(child) = &spawned
            && let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok())
        {
            self.child = rustix::process::Pid::from_raw(pid).map(|pid| (number, pid));
        }
        let (send, files) = (self.send.clone(), HookFiles::new(number));
        // Opened anew: the one of the journal cannot be lent to a task.
        let directory = self.plan.directory.clone();
        let directory =
            self.journal.directory().and_then(|_| imds_files::PrivateDirectory::open(directory).ok());
        tokio::task::spawn_local(async move {
            let result = match spawned {
                Ok(mut supervisor) => match supervisor.wait().await {
                    Ok(status) => files.result(directory.as_ref(), status),
                    Err(error) => HookResult { success: false, told: format!("no result: {error}") },
                },
                Err(error) => HookResult { success: false, told: format!("no start: {error}") },
            };
            let _ = send.send(Input::HookEnded { number, result });
        });
        Ok(())
    }

    /// What the environment of a command tells.
    fn variables(&self, hook: &Hook) -> Vec<(&'static str, String)> {
        let deadline = hook.left.map(|left| (left, SystemClock.wall().checked_add(left)));
        let cause = if hook.spot { "spot-interruption" } else { "lifecycle" };
        vec![
            ("IMDS_LIFECYCLE_STATE", hook.state.clone()),
            ("IMDS_LIFECYCLE_TRANSITION", format!("autoscaling:{}", hook.transition)),
            ("IMDS_LIFECYCLE_GROUP", hook.group.clone().unwrap_or_default()),
            ("IMDS_LIFECYCLE_HOOK", hook.hooks.join(" ")),
            ("IMDS_LIFECYCLE_CAUSE", cause.to_owned()),
            ("IMDS_INSTANCE_ID", self.instance_id.clone()),
            ("IMDS_REGION", self.region.clone()),
            (
                "IMDS_DEADLINE",
                deadline.and_then(|(_, time)| time).map(imds_watch::rfc3339).unwrap_or_default(),
            ),
            ("IMDS_SECONDS_LEFT", deadline.map(|(left, _)| left.as_secs().to_string()).unwrap_or_default()),
        ]
    }

    fn stop_hook(&self, number: u64) {
        if let Some(directory) = self.journal.directory() {
            HookFiles::new(number).stop(directory);
        }
        if let Some((_, pid)) = self.child.filter(|(of, _)| *of == number) {
            // Fails if it has ended.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

impl From<imds::Error> for Failure {
    fn from(error: imds::Error) -> Self {
        use std::error::Error as _;
        let failure = Self::new(error.to_string());
        match error.source() {
            Some(cause) => failure.caused_by(&cause),
            None => failure,
        }
    }
}
