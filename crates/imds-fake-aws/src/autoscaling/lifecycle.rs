//! Lifecycle hooks, as Auto Scaling works them: when an action opens, what it refuses, when it
//! ends.
//!
//! The time is the caller's ([`Lifecycle::advance`]), so a test walks through a deregistration
//! delay without waiting. Each rule names where it is documented or was observed.

use std::time::Duration;

use crate::answer::{Answer, Dialect, Refusal};

/// "The maximum amount of time that you can keep an instance in a wait state is 48 hours or 100
/// times the heartbeat timeout, whichever is smaller" (Auto Scaling User Guide, "Amazon EC2 Auto
/// Scaling lifecycle hooks").
const LONGEST_WAIT: Duration = Duration::from_secs(48 * 3_600);
const LONGEST_WAIT_TIMEOUTS: u32 = 100;
/// How long `:Proceed` lasts. What EC2 takes to stop or terminate an instance is not documented.
const PROCEED: Duration = Duration::from_secs(5);
const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

/// What a hook waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// `autoscaling:EC2_INSTANCE_LAUNCHING`
    Launching,
    /// `autoscaling:EC2_INSTANCE_TERMINATING`
    Terminating,
}

impl Transition {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Launching => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Self::Terminating => "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    }
}

/// A lifecycle hook of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleHook {
    /// Its name.
    pub name: String,
    /// The transition it is for.
    pub transition: Transition,
    /// Seconds that an action waits for a heartbeat.
    pub heartbeat_timeout: u32,
    /// What counts when none comes: `ABANDON` unless the hook says otherwise.
    pub default_result: String,
}

impl LifecycleHook {
    /// A hook whose default result is `ABANDON`, as the API's own default is.
    #[must_use]
    pub fn new(name: &str, transition: Transition, heartbeat_timeout: u32) -> Self {
        Self { name: name.to_owned(), transition, heartbeat_timeout, default_result: "ABANDON".to_owned() }
    }
}

/// One action: a hook as it was when the instance entered the wait state.
#[derive(Clone, Debug)]
struct Action {
    hook: LifecycleHook,
    expires: Duration,
    /// Heartbeats do not move the end past this.
    longest: Duration,
    open: bool,
}

/// One instance of one group, and the group's hooks.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The group's name.
    pub group: String,
    /// The instance.
    pub instance_id: String,
    /// The hooks. A change counts for actions that open after it: "lifecycle hooks ... apply to
    /// instances that are launched or terminated after" (User Guide, "Considerations").
    pub hooks: Vec<LifecycleHook>,
    /// Actions whose calls are denied: the role's policy lacks them.
    pub denied: Vec<String>,
    /// Hook and result of every action that has ended, in order; `timeout` if it expired.
    pub ended: Vec<(String, String)>,
    now: Duration,
    /// `LifecycleState` of `DescribeAutoScalingInstances`.
    state: String,
    /// The state after the wait, and what the metadata service shows from the decision on.
    target: String,
    /// When the wait begins.
    opens: Option<Duration>,
    /// When the state after the wait ends.
    proceeds: Option<Duration>,
    transition: Transition,
    actions: Vec<Action>,
}

impl Lifecycle {
    /// An instance that is in service, in a group without hooks.
    #[must_use]
    pub fn in_service(group: &str, instance_id: &str) -> Self {
        Self {
            group: group.to_owned(),
            instance_id: instance_id.to_owned(),
            hooks: Vec::new(),
            denied: Vec::new(),
            ended: Vec::new(),
            now: Duration::ZERO,
            state: "InService".to_owned(),
            target: "InService".to_owned(),
            opens: None,
            proceeds: None,
            transition: Transition::Launching,
            actions: Vec::new(),
        }
    }

    /// `LifecycleState`, such as `Terminating:Wait`.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.state
    }

    /// `autoscaling/target-lifecycle-state` of the metadata service, which changes when the group
    /// decides, not when the action opens.
    #[must_use]
    pub fn target_state(&self) -> &str {
        &self.target
    }

    /// Whether an action waits to be completed.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.actions.iter().any(|action| action.open)
    }

    /// The group decides to terminate the instance. Behind a load balancer it first drains in
    /// `Terminating` for up to the deregistration delay (300 s unless the target group says
    /// otherwise); only then does `Terminating:Wait` open the action
    /// (PrairieLearn/PrairieLearn#15522).
    pub fn terminate(&mut self, deregistration_delay: Duration) {
        let warm = self.state.starts_with("Warmed:");
        let state = if warm { "Warmed:Terminating" } else { "Terminating" };
        let target = if warm { "Warmed:Terminated" } else { "Terminated" };
        self.begin(state, target, Transition::Terminating, deregistration_delay);
    }

    /// The group returns the instance to its warm pool on scale in. `Warmed:Pending:Wait` is then
    /// held by the hooks of a termination (User Guide, "Warm pool example events and patterns":
    /// `EC2_INSTANCE_TERMINATING` from `AutoScalingGroup` to `WarmPool`).
    pub fn return_to_pool(&mut self, deregistration_delay: Duration) {
        self.begin("Warmed:Pending", "Warmed:Stopped", Transition::Terminating, deregistration_delay);
    }

    /// The instance is launched towards `target`: `InService`, or a state of the warm pool such as
    /// `Warmed:Stopped`. From the pool it comes with a new boot: `Warmed:Stopped`, started,
    /// `Pending`, `InService`, and the launch hooks act both times (User Guide, "Use lifecycle
    /// hooks with a warm pool").
    pub fn launch(&mut self, target: &str) {
        let state = if target.starts_with("Warmed:") { "Warmed:Pending" } else { "Pending" };
        self.begin(state, target, Transition::Launching, Duration::ZERO);
    }

    fn begin(&mut self, state: &str, target: &str, transition: Transition, gap: Duration) {
        self.actions.clear();
        (self.state, self.target) = (state.to_owned(), target.to_owned());
        self.transition = transition;
        (self.opens, self.proceeds) = (Some(self.now + gap), None);
        self.settle();
    }

    /// Lets time pass: waits begin and expire.
    pub fn advance(&mut self, by: Duration) {
        self.now += by;
        self.settle();
    }

    fn settle(&mut self) {
        if let Some(opens) = self.opens.filter(|opens| self.now >= *opens) {
            self.opens = None;
            let hooks = self.hooks.iter().filter(|hook| hook.transition == self.transition);
            self.actions = hooks.map(|hook| Action::new(hook, opens)).collect();
            if self.actions.is_empty() {
                return self.state.clone_from(&self.target);
            }
            self.state.push_str(":Wait");
        }
        if self.proceeds.is_some_and(|end| self.now >= end) {
            self.proceeds = None;
            self.state.clone_from(&self.target);
        }
        let mut expired = Vec::new();
        for action in &mut self.actions {
            if action.open && self.now >= action.expires {
                action.open = false;
                expired.push((action.hook.name.clone(), action.hook.default_result.clone()));
            }
        }
        for (name, result) in expired {
            self.ended.push((name, "timeout".to_owned()));
            self.end_others(&result);
        }
        self.proceed();
    }

    /// "ABANDON ... stops any remaining actions, such as other lifecycle hooks" (User Guide,
    /// "Considerations and limitations for lifecycle hooks").
    fn end_others(&mut self, result: &str) {
        if result == "ABANDON" {
            self.actions.iter_mut().for_each(|action| action.open = false);
            if self.transition == Transition::Launching {
                // An abandoned launch is terminated and replaced.
                self.target = "Terminated".to_owned();
            }
        }
    }

    fn proceed(&mut self) {
        if !self.actions.is_empty() && !self.is_waiting() {
            self.actions.clear();
            self.state = self.state.replace(":Wait", ":Proceed");
            self.proceeds = Some(self.now + PROCEED);
        }
    }

    /// Answers a call, with its form parameters.
    #[must_use]
    pub fn answer<'a>(&mut self, action: &str, parameter: &dyn Fn(&str) -> Option<&'a str>) -> Answer {
        match self.perform(action, parameter) {
            Ok(body) => Answer {
                status: 200,
                content_type: "text/xml",
                body: format!(
                    "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{body}</{action}Result>\
                     <ResponseMetadata><RequestId>7c6e177f-f082-11e1-ac58-3714bEXAMPLE</RequestId>\
                     </ResponseMetadata></{action}Response>"
                )
                .into_bytes(),
            },
            Err(refusal) => Answer::refusal(Dialect::Query, &refusal),
        }
    }

    fn perform<'a>(
        &mut self,
        action: &str,
        parameter: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<String, Refusal> {
        if self.denied.iter().any(|denied| denied == action) {
            let user = format!("arn:aws:sts::123456789012:assumed-role/web/{}", self.instance_id);
            let text = format!(
                "User: {user} is not authorized to perform: autoscaling:{action} because no \
                 identity-based policy allows the autoscaling:{action} action"
            );
            return Err(Refusal(403, "AccessDenied".to_owned(), text));
        }
        match action {
            // An instance of no group is left out of the answer.
            "DescribeAutoScalingInstances"
                if parameter("InstanceIds.member.1").is_some_and(|id| id != self.instance_id) =>
            {
                Ok("<AutoScalingInstances/>".to_owned())
            }
            "DescribeAutoScalingInstances" => Ok(format!(
                "<AutoScalingInstances><member><InstanceId>{}</InstanceId><AutoScalingGroupName>{}\
                 </AutoScalingGroupName><LifecycleState>{}</LifecycleState></member>\
                 </AutoScalingInstances>",
                self.instance_id, self.group, self.state
            )),
            "DescribeLifecycleHooks" => {
                self.check_group(parameter)?;
                let hooks: String = self.hooks.iter().map(described).collect();
                Ok(format!("<LifecycleHooks>{hooks}</LifecycleHooks>"))
            }
            "RecordLifecycleActionHeartbeat" => {
                let now = self.now;
                let action = self.open_action(parameter)?;
                let timeout = Duration::from_secs(action.hook.heartbeat_timeout.into());
                action.expires = (now + timeout).min(action.longest);
                Ok(String::new())
            }
            "CompleteLifecycleAction" => {
                let result = parameter("LifecycleActionResult").unwrap_or_default().to_owned();
                if result != "CONTINUE" && result != "ABANDON" {
                    return Err(Refusal::new("ValidationError", "Invalid lifecycle action result"));
                }
                let action = self.open_action(parameter)?;
                action.open = false;
                let name = action.hook.name.clone();
                self.ended.push((name, result.clone()));
                self.end_others(&result);
                self.proceed();
                Ok(String::new())
            }
            other => Err(Refusal::new("InvalidAction", format!("no action {other}"))),
        }
    }

    fn check_group<'a>(&self, parameter: &dyn Fn(&str) -> Option<&'a str>) -> Result<(), Refusal> {
        let name = parameter("AutoScalingGroupName").unwrap_or_default();
        if name == self.group {
            return Ok(());
        }
        Err(Refusal::new("ValidationError", format!("AutoScalingGroup name not found - {name}")))
    }

    /// The open action that a call names. Before the wait and after the end there is none, in the
    /// words of aws/aws-sdk-go#1147.
    fn open_action<'a>(
        &mut self,
        parameter: &dyn Fn(&str) -> Option<&'a str>,
    ) -> Result<&mut Action, Refusal> {
        self.check_group(parameter)?;
        let hook = parameter("LifecycleHookName").unwrap_or_default();
        let instance = parameter("InstanceId").unwrap_or_default();
        let text = format!("No active Lifecycle Action found with instance ID {instance}");
        let same_instance = instance == self.instance_id;
        self.actions
            .iter_mut()
            .find(|action| same_instance && action.open && action.hook.name == hook)
            .ok_or_else(|| Refusal::new("ValidationError", text))
    }
}

impl Action {
    fn new(hook: &LifecycleHook, opened: Duration) -> Self {
        let timeout = Duration::from_secs(hook.heartbeat_timeout.into());
        let longest = opened + (timeout * LONGEST_WAIT_TIMEOUTS).min(LONGEST_WAIT);
        Self { hook: hook.clone(), expires: opened + timeout, longest, open: true }
    }
}

fn described(hook: &LifecycleHook) -> String {
    let timeout = Duration::from_secs(hook.heartbeat_timeout.into());
    format!(
        "<member><LifecycleHookName>{}</LifecycleHookName><LifecycleTransition>{}\
         </LifecycleTransition><HeartbeatTimeout>{}</HeartbeatTimeout><GlobalTimeout>{}</GlobalTimeout>\
         <DefaultResult>{}</DefaultResult></member>",
        hook.name,
        hook.transition.as_str(),
        hook.heartbeat_timeout,
        (timeout * LONGEST_WAIT_TIMEOUTS).min(LONGEST_WAIT).as_secs(),
        hook.default_result
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn world() -> Lifecycle {
        let mut world = Lifecycle::in_service("web", "i-1");
        world.hooks = vec![
            LifecycleHook::new("drain", Transition::Terminating, 60),
            LifecycleHook::new("warm", Transition::Launching, 60),
        ];
        world
    }

    fn call(world: &mut Lifecycle, action: &str, hook: &str, result: &'static str) -> String {
        let hook = hook.to_owned();
        let answer = world.answer(action, &|name| match name {
            "AutoScalingGroupName" => Some("web"),
            "LifecycleHookName" => Some(match hook.as_str() {
                "warm" => "warm",
                "second" => "second",
                _ => "drain",
            }),
            "InstanceId" => Some("i-1"),
            "LifecycleActionResult" => Some(result),
            _ => None,
        });
        format!("{} {}", answer.status, String::from_utf8(answer.body).unwrap())
    }

    fn beat(world: &mut Lifecycle) -> bool {
        call(world, "RecordLifecycleActionHeartbeat", "drain", "").starts_with("200")
    }

    #[test]
    fn an_action_opens_only_when_the_wait_begins() {
        let mut world = world();
        world.terminate(5 * MINUTE);
        assert_eq!((world.target_state(), world.state()), ("Terminated", "Terminating"));
        for action in ["RecordLifecycleActionHeartbeat", "CompleteLifecycleAction"] {
            let told = call(&mut world, action, "drain", "CONTINUE");
            assert!(told.starts_with("400") && told.contains("<Code>ValidationError</Code>"), "{told}");
            assert!(told.contains("No active Lifecycle Action found with instance ID i-1"), "{told}");
        }
        world.advance(5 * MINUTE);
        assert_eq!((world.target_state(), world.state()), ("Terminated", "Terminating:Wait"));
        assert!(beat(&mut world));
        assert!(call(&mut world, "CompleteLifecycleAction", "drain", "CONTINUE").starts_with("200"));
        assert_eq!(world.state(), "Terminating:Proceed");
        assert!(!beat(&mut world), "it has ended");
        world.advance(MINUTE);
        assert_eq!(world.state(), "Terminated");
        assert!(!beat(&mut world), "it has ended");
        assert_eq!(world.ended, [("drain".to_owned(), "CONTINUE".to_owned())]);
    }

    #[test]
    fn heartbeats_reach_a_hundred_timeouts_and_no_further() {
        let mut world = world();
        world.terminate(Duration::ZERO);
        for _ in 0..199 {
            world.advance(MINUTE / 2);
            assert!(beat(&mut world));
        }
        world.advance(MINUTE / 2);
        assert!(!beat(&mut world));
        assert_eq!(world.ended, [("drain".to_owned(), "timeout".to_owned())]);
        let mut slow = Lifecycle::in_service("web", "i-1");
        slow.hooks = vec![LifecycleHook::new("drain", Transition::Terminating, 7_200)];
        slow.terminate(Duration::ZERO);
        for _ in 0..47 {
            slow.advance(60 * MINUTE);
            assert!(beat(&mut slow));
        }
        slow.advance(60 * MINUTE);
        assert!(!slow.is_waiting(), "48 hours");
    }

    #[test]
    fn a_hook_is_taken_as_it_is_when_the_wait_begins() {
        let mut world = world();
        world.terminate(MINUTE);
        world.hooks[0].heartbeat_timeout = 30;
        world.advance(MINUTE);
        world.hooks[0].heartbeat_timeout = 7_200;
        world.advance(MINUTE / 2);
        assert_eq!(world.ended, [("drain".to_owned(), "timeout".to_owned())]);
    }

    #[test]
    fn abandon_ends_the_other_hooks_and_continue_does_not() {
        let mut world = world();
        world.hooks.push(LifecycleHook::new("second", Transition::Terminating, 60));
        let mut abandoned = world.clone();
        world.terminate(Duration::ZERO);
        call(&mut world, "CompleteLifecycleAction", "drain", "CONTINUE");
        assert_eq!(world.state(), "Terminating:Wait");
        call(&mut world, "CompleteLifecycleAction", "second", "CONTINUE");
        assert_eq!(world.state(), "Terminating:Proceed");
        abandoned.terminate(Duration::ZERO);
        call(&mut abandoned, "CompleteLifecycleAction", "second", "ABANDON");
        assert_eq!(abandoned.state(), "Terminating:Proceed");
    }

    #[test]
    fn a_warm_pool_launches_twice() {
        let mut world = world();
        world.launch("Warmed:Stopped");
        assert_eq!(world.state(), "Warmed:Pending:Wait");
        call(&mut world, "CompleteLifecycleAction", "warm", "CONTINUE");
        assert_eq!((world.state(), world.target_state()), ("Warmed:Pending:Proceed", "Warmed:Stopped"));
        world.advance(MINUTE);
        assert_eq!((world.state(), world.target_state()), ("Warmed:Stopped", "Warmed:Stopped"));
        world.launch("InService");
        assert_eq!(world.state(), "Pending:Wait");
        call(&mut world, "CompleteLifecycleAction", "warm", "ABANDON");
        assert_eq!(world.target_state(), "Terminated", "an abandoned launch is replaced");
        let mut world = super::tests::world();
        world.launch("Warmed:Stopped");
        call(&mut world, "CompleteLifecycleAction", "warm", "CONTINUE");
        world.terminate(Duration::ZERO);
        assert_eq!((world.state(), world.target_state()), ("Warmed:Terminating:Wait", "Warmed:Terminated"));
    }

    #[test]
    fn a_return_to_the_warm_pool_is_held_by_the_hooks_of_a_termination() {
        let mut world = world();
        world.return_to_pool(MINUTE);
        assert_eq!((world.state(), world.target_state()), ("Warmed:Pending", "Warmed:Stopped"));
        assert!(!beat(&mut world), "it drains first");
        world.advance(MINUTE);
        assert_eq!(world.state(), "Warmed:Pending:Wait");
        assert!(call(&mut world, "CompleteLifecycleAction", "warm", "CONTINUE").starts_with("400"));
        assert!(call(&mut world, "CompleteLifecycleAction", "drain", "CONTINUE").starts_with("200"));
        world.advance(MINUTE);
        assert_eq!(world.state(), "Warmed:Stopped");
    }

    #[test]
    fn an_instance_of_no_group_is_left_out() {
        let mut world = world();
        for (id, members) in [("i-1", 1), ("i-2", 0)] {
            let answer = world.answer("DescribeAutoScalingInstances", &|name| {
                (name == "InstanceIds.member.1").then_some(id)
            });
            let body = String::from_utf8(answer.body).unwrap();
            assert_eq!((answer.status, body.matches("<member>").count()), (200, members), "{body}");
        }
    }

    #[test]
    fn what_the_policy_lacks_is_denied_in_iam_s_words() {
        let mut world = world();
        world.denied.push("DescribeLifecycleHooks".to_owned());
        let told = call(&mut world, "DescribeLifecycleHooks", "drain", "");
        assert!(told.starts_with("403") && told.contains("is not authorized to perform"), "{told}");
    }
}
