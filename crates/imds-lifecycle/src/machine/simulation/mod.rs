//! The daemon's decisions against Auto Scaling's timeline, second by second of an injected clock.

mod changes;
mod failures;
mod hooks;
mod restarts;
mod stopping;
mod waiting;

use imds_fake_aws::autoscaling::lifecycle::{Lifecycle, LifecycleHook, Transition};

use super::hooks::HookInfo;
use super::record::Known;
use super::*;

const MINUTE: u64 = 60;
/// How often the target state is read.
const POLL: u64 = 5;

fn rules() -> Rules {
    Rules {
        states: ["Terminated", "Warmed:Terminated", "InService", "Warmed:Stopped"]
            .map(str::to_owned)
            .to_vec(),
        when: When::Announced,
        complete: Complete::OnExit,
        on_failure: ActionResult::Abandon,
        retries: 0,
        heartbeat: None,
        time_limit: None,
        interval: Duration::from_secs(POLL),
        stop_timeout: Duration::from_secs(6 * MINUTE),
    }
}

fn at(seconds: u64) -> Moment {
    Moment::since_boot(Duration::from_secs(seconds))
}

/// A machine, the group that it works for, and what it did.
struct Simulation {
    machine: Machine,
    api: Lifecycle,
    named: Vec<String>,
    /// The API cannot be reached.
    offline: bool,
    seconds: u64,
    said: Vec<String>,
    /// Calls, with what came of them.
    calls: Vec<String>,
    /// Commands: number and state.
    started: Vec<(u64, String)>,
    stopped: Vec<u64>,
    ended: Option<String>,
}

impl Simulation {
    fn new(rules: Rules) -> Self {
        Self::resumed(rules, Record::new("i-1", "b-1"), Self::group(), 1_000)
    }

    /// A group with a hook for each transition, whose heartbeat timeout is a minute.
    fn group() -> Lifecycle {
        let mut api = Lifecycle::in_service("web", "i-1");
        api.hooks = vec![
            LifecycleHook::new("drain", Transition::Terminating, 60),
            LifecycleHook::new("warm", Transition::Launching, 60),
        ];
        api
    }

    fn resumed(rules: Rules, record: Record, api: Lifecycle, seconds: u64) -> Self {
        let known = Some(Known { region: "us-east-1".to_owned(), details: None });
        let record = Record { known: record.known.clone().or(known), ..record };
        Self::named(rules, record, api, seconds, &[])
    }

    fn named(rules: Rules, record: Record, api: Lifecycle, seconds: u64, names: &[&str]) -> Self {
        let (machine, steps) = Machine::new(rules, record, at(seconds));
        let mut simulation = Self {
            machine,
            api,
            named: names.iter().map(|name| (*name).to_owned()).collect(),
            offline: false,
            seconds,
            said: Vec::new(),
            calls: Vec::new(),
            started: Vec::new(),
            stopped: Vec::new(),
            ended: None,
        };
        simulation.perform(steps);
        simulation.read();
        simulation
    }

    /// Another process, with what the journal holds, after so many seconds without one.
    fn restart(self, rules: Rules, away: u64) -> Self {
        let mut api = self.api;
        api.advance(Duration::from_secs(away));
        let mut next = Self::named(rules, self.machine.record, api, self.seconds + away, &[]);
        next.started.splice(0..0, self.started);
        next
    }

    fn input(&mut self, input: Input) {
        if self.ended.is_none() {
            let steps = self.machine.handle(at(self.seconds), 1.0, input);
            self.perform(steps);
        }
    }

    fn call(&mut self, action: &str, hook: &str, result: &str) -> Result<(), ApiError> {
        if self.offline {
            return Err(ApiError::Other("no route".to_owned()));
        }
        let answer = self.api.answer(action, &|name| match name {
            "AutoScalingGroupName" => Some("web"),
            "LifecycleHookName" => Some(Box::leak(hook.to_owned().into_boxed_str())),
            "InstanceId" => Some("i-1"),
            "LifecycleActionResult" => Some(Box::leak(result.to_owned().into_boxed_str())),
            _ => None,
        });
        let done = if answer.status == 200 { "ok" } else { "refused" };
        let words = [action, hook, result, done].into_iter().filter(|word| !word.is_empty());
        self.calls.push(words.collect::<Vec<_>>().join(" "));
        let body = String::from_utf8(answer.body).unwrap();
        match answer.status {
            200 => Ok(()),
            400 if body.contains("No active Lifecycle Action found") => Err(ApiError::NoAction),
            _ => Err(ApiError::Other(body)),
        }
    }

    fn details(&mut self) -> Result<Details, String> {
        self.call("DescribeLifecycleHooks", "", "").map_err(|error| format!("{error:?}"))?;
        let hooks = self.api.hooks.iter().map(|hook| HookInfo {
            name: hook.name.clone(),
            transition: format!(
                "autoscaling:EC2_INSTANCE_{}",
                if hook.transition == Transition::Terminating { "TERMINATING" } else { "LAUNCHING" }
            ),
            heartbeat_timeout: Some(Duration::from_secs(hook.heartbeat_timeout.into())),
        });
        Ok(Details { group: "web".to_owned(), named: self.named.clone(), hooks: Some(hooks.collect()) })
    }

    fn perform(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Say(text) => self.said.push(text),
                Step::Save | Step::Forget(_) | Step::Extend(_) => {}
                Step::RunHook(hook) => self.started.push((hook.number, hook.state)),
                Step::StopHook(number) => self.stopped.push(number),
                Step::Exit => self.ended = Some("exit".to_owned()),
                Step::Fail(reason) => self.ended = Some(reason),
                Step::Resolve => {
                    let details = self.details();
                    self.input(Input::Details(details));
                }
                Step::AskState => {
                    let asked = self.call("DescribeAutoScalingInstances", "", "");
                    let state = asked.map(|()| Some(self.api.state().to_owned()));
                    self.input(Input::InstanceState(state.map_err(|error| format!("{error:?}"))));
                }
                Step::Heartbeat { hook, .. } => {
                    let result = self.call("RecordLifecycleActionHeartbeat", &hook, "");
                    self.input(Input::Heartbeat(hook, result));
                }
                Step::Complete { hook, result, .. } => {
                    let result = self.call("CompleteLifecycleAction", &hook, result.as_str());
                    self.input(Input::Completed(hook, result));
                }
            }
        }
    }

    fn read(&mut self) {
        let state = self.api.target_state().to_owned();
        self.input(Input::Reading(Ok(Some(state))));
    }

    /// Lets so many seconds pass, with a poll every five.
    fn pass(&mut self, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            self.seconds += 1;
            self.api.advance(Duration::from_secs(1));
            if self.seconds.is_multiple_of(POLL) {
                self.read();
            }
            // Each wake may lead to the next one at once.
            for _ in 0..9 {
                if self.machine.wake().is_some_and(|wake| wake <= at(self.seconds)) {
                    self.input(Input::Time);
                }
            }
        }
        self
    }

    /// The launch of the start is over.
    fn end_launch(&mut self) -> &mut Self {
        self.pass(POLL).end(true).pass(2 * POLL)
    }

    fn terminate(&mut self, delay: u64) -> &mut Self {
        self.api.terminate(Duration::from_secs(delay));
        self.pass(POLL)
    }

    /// The command that was started last ends.
    fn end(&mut self, success: bool) -> &mut Self {
        let number = self.started.last().unwrap().0;
        let told = if success { "exit status: 0" } else { "exit status: 1" };
        let result = HookResult { success, told: told.to_owned() };
        self.input(Input::HookEnded { number, result });
        self
    }

    fn count(&self, text: &str) -> usize {
        self.calls.iter().filter(|call| call.contains(text)).count()
    }

    fn said(&self) -> String {
        self.said.join("; ")
    }

    /// Commands by state.
    fn runs(&self) -> Vec<&str> {
        self.started.iter().map(|(_, state)| state.as_str()).collect()
    }

    fn results(&self) -> Vec<String> {
        self.api.ended.iter().map(|(hook, result)| format!("{hook} {result}")).collect()
    }
}

/// The instance's own launch is of no interest in most tests.
fn terminating() -> Rules {
    Rules { states: vec![TERMINATED.to_owned()], ..rules() }
}
