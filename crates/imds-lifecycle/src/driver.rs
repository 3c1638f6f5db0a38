//! Does what the machine decides, and tells it what came of it.

use std::error::Error as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use imds::{AsyncClient, BootId, Clock as _, ErrorKind, Moment, SystemClock, SystemEnvironment};
use imds_watch::{Pace, ServiceManager};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::api::Api;
use crate::credentials::RoleCredentials;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::keeper::HookFiles;
use crate::kept::Kept;
use crate::machine::{HookResult, Input, Machine, Rules, Step};
use crate::record::{Known, Record};
use crate::resolve::{Given, resolve};
use crate::say;

/// Where the target state is read.
const STATE: &str = "/latest/meta-data/autoscaling/target-lifecycle-state";

/// What the daemon is to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) rules: Rules,
    /// The command of each state.
    pub(crate) commands: Vec<(String, String)>,
    pub(crate) given: Given,
    pub(crate) interval: Duration,
    pub(crate) hook_timeout: Option<Duration>,
    pub(crate) directory: PathBuf,
    /// In memory, and this program's alone: where credentials may be kept.
    pub(crate) runtime_directory: Option<PathBuf>,
    pub(crate) dry_run: bool,
}

/// Runs until it is stopped.
pub(crate) fn run_to_the_end(plan: Plan) -> Result<(), Failure> {
    let imds = AsyncClient::builder().build_async()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start").caused_by(&error))?;
    tokio::task::LocalSet::new().block_on(&runtime, run(imds, plan))
}

async fn run(imds: AsyncClient, plan: Plan) -> Result<(), Failure> {
    let cannot_listen = |error| Failure::new("cannot listen for signals").caused_by(&error);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_listen)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_listen)?;
    let manager = ServiceManager::from_environment(&SystemEnvironment);
    let journal = Journal::open(&plan.directory, plan.dry_run)?;
    let boot = SystemClock.boot_id();
    let beginning = async {
        match journal.unfinished(boot.as_ref())? {
            Some(unfinished) => Ok::<_, Failure>(unfinished),
            None => begin(&imds, &plan, &manager, &journal, boot.as_ref()).await,
        }
    };
    let (record, region) = tokio::select! {
        beginning = beginning => beginning?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    let instance_id = record.instance_id.clone();
    let kept = plan.runtime_directory.clone().filter(|_| !plan.dry_run);
    let kept = Arc::new(Kept::new(kept, boot.as_ref(), &instance_id));
    let role = RoleCredentials::new(imds.clone(), Arc::clone(&kept));
    let api = Api::new(role, region, instance_id.clone()).await;
    kept.acting(record.action.is_some());
    let (send, mut happened) = mpsc::unbounded_channel();
    let (machine, steps) = Machine::new(plan.rules.clone(), record, SystemClock.now());
    let mut driver = Driver { plan, imds, api, instance_id, journal, machine, send };
    driver.read_state(Duration::ZERO, Pace::new(driver.plan.interval));
    manager.ready();
    let mut ended = driver.perform(steps)?;
    let mut acted = driver.machine.record.action.is_some();
    let mut alive = manager.watchdog().map(tokio::time::interval);
    while !ended {
        let wake = driver.machine.wake();
        let input = tokio::select! {
            Some(input) = happened.recv() => input,
            _ = terminate.recv() => Input::Stop,
            _ = interrupt.recv() => Input::Stop,
            () = sleep_until(wake) => Input::Time,
            () = tick(&mut alive) => {
                manager.alive();
                continue;
            }
        };
        let steps = driver.machine.handle(SystemClock.now(), input);
        let acting = driver.machine.record.action.is_some();
        if acting != std::mem::replace(&mut acted, acting) {
            kept.acting(acting);
        }
        ended = driver.perform(steps)?;
        let record = &driver.machine.record;
        manager.status(&match (&record.action, &record.seen) {
            (Some(action), _) => format!("acting on state `{}`", action.state),
            (None, Some(state)) => format!("watching; state `{state}`"),
            (None, None) => "watching".to_owned(),
        });
    }
    manager.stopping();
    Ok(())
}

/// What is known before anything is begun, as soon as the metadata service tells whose it is.
async fn begin(
    imds: &AsyncClient,
    plan: &Plan,
    manager: &ServiceManager,
    journal: &Journal,
    boot: Option<&BootId>,
) -> Result<(Record, String), Failure> {
    let instance_id = patiently(imds, "instance-id", plan, manager).await?;
    let region = patiently(imds, "placement/region", plan, manager).await?;
    let known =
        boot.map(|boot| Known { boot: boot.as_str().to_owned(), region: region.clone(), details: None });
    Ok((Record { known, ..journal.load(&instance_id)? }, region))
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

/// A value without which nothing can be begun; asked for until the service has it. Early at boot it may not.
async fn patiently(
    imds: &AsyncClient,
    path: &str,
    plan: &Plan,
    manager: &ServiceManager,
) -> Result<String, Failure> {
    let mut pace = Pace::new(plan.interval);
    let mut said = false;
    loop {
        let error = match imds.get(path).await.and_then(|answer| Ok(answer.text()?.to_owned())) {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::Disabled | ErrorKind::Config | ErrorKind::Path) {
            return Err(error.into());
        }
        if !said {
            said = true;
            say(&format!("waiting for the metadata service: {error}"));
            manager.status("waiting for the metadata service");
        }
        tokio::time::sleep(pace.failed(error.retry_after(), SystemClock.random())).await;
    }
}

struct Driver {
    plan: Plan,
    imds: AsyncClient,
    api: Api,
    instance_id: String,
    journal: Journal,
    machine: Machine,
    send: mpsc::UnboundedSender<Input>,
}

impl Driver {
    /// Does these things in their order; whether it was the last of all.
    fn perform(&mut self, steps: Vec<Step>) -> Result<bool, Failure> {
        for step in steps {
            match step {
                Step::Save => self.journal.save(&self.machine.record)?,
                Step::Say(text) => say(&text),
                Step::Exit => return Ok(true),
                Step::Forget(number) => HookFiles::new(&self.plan.directory, number).remove(),
                Step::RunHook { number, state } => self.run_hook(number, &state)?,
                Step::Resolve => {
                    let (imds, api, given) = (self.imds.clone(), self.api.clone(), self.plan.given.clone());
                    self.spawn(async move { Input::Details(resolve(&imds, &api, &given).await) });
                }
                Step::Heartbeat { group, hook } if self.plan.dry_run => {
                    say(&format!("dry run: would send a heartbeat for hook `{hook}` of group `{group}`"));
                    self.spawn(async { Input::Heartbeat(Ok(())) });
                }
                Step::Heartbeat { group, hook } => {
                    let api = self.api.clone();
                    self.spawn(async move { Input::Heartbeat(api.heartbeat(&group, &hook).await) });
                }
                Step::Complete { group, hook, verdict } if self.plan.dry_run => {
                    let verdict = verdict.as_str();
                    say(&format!("dry run: would complete hook `{hook}` of group `{group}` with {verdict}"));
                    self.spawn(async { Input::Completed(Ok(())) });
                }
                Step::Complete { group, hook, verdict } => {
                    let api = self.api.clone();
                    self.spawn(async move { Input::Completed(api.complete(&group, &hook, verdict).await) });
                }
            }
        }
        Ok(false)
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
    fn read_state(&self, first: Duration, mut pace: Pace) {
        let (imds, send) = (self.imds.clone(), self.send.clone());
        tokio::task::spawn_local(async move {
            let mut pause = first;
            loop {
                tokio::time::sleep(pause).await;
                let reading = match imds.get(STATE).await.and_then(|answer| Ok(answer.text()?.to_owned())) {
                    Ok(state) => Ok(Some(state)),
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                };
                let chance = SystemClock.random();
                pause = match &reading {
                    Ok(_) => pace.answered(chance),
                    Err(error) => pace.failed(error.retry_after(), chance),
                };
                if send.send(Input::Reading(reading.map_err(|error| error.to_string()))).is_err() {
                    return;
                }
            }
        });
    }

    /// Starts the hook's keeper: see [`crate::keeper`].
    fn run_hook(&self, number: u64, state: &str) -> Result<(), Failure> {
        let command =
            self.plan.commands.iter().find(|(of, _)| of == state).map(|(_, command)| command.clone());
        // The command of a state that was begun may be gone from the unit file after a restart.
        let Some(command) = command else {
            let told = format!("no command: none is given for `{state}` any more");
            self.spawn(
                async move { Input::HookEnded { number, result: HookResult { success: false, told } } },
            );
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
        let mut keeper = Command::new(own);
        keeper.arg("keep-hook").arg(&self.plan.directory).arg(number.to_string());
        if let Some(timeout) = self.plan.hook_timeout {
            keeper.arg("--timeout").arg(format!("{}ms", timeout.as_millis()));
        }
        keeper.arg("--").arg(command).stdin(Stdio::null());
        keeper.env("IMDS_LIFECYCLE_STATE", state).env("IMDS_INSTANCE_ID", &self.instance_id);
        // Only this process speaks to the service manager for the service.
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            keeper.env_remove(name);
        }
        // A group of its own: a Ctrl-C is for the daemon, which lets the command end.
        keeper.process_group(0);
        let files = HookFiles::new(&self.plan.directory, number);
        let spawned = keeper.spawn();
        self.spawn(async move {
            let result = match spawned {
                Ok(mut keeper) => match keeper.wait().await {
                    Ok(_) => files.result(),
                    Err(error) => HookResult { success: false, told: format!("no result: {error}") },
                },
                Err(error) => HookResult { success: false, told: format!("no start: {error}") },
            };
            Input::HookEnded { number, result }
        });
        Ok(())
    }
}

impl From<imds::Error> for Failure {
    fn from(error: imds::Error) -> Self {
        let failure = Self::new(error.to_string());
        match error.source() {
            Some(cause) => failure.caused_by(&cause),
            None => failure,
        }
    }
}
