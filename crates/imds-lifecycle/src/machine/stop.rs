//! What the end of the process leads to.

use imds::Moment;

use super::record::Stage;
use super::{Complete, Machine, Step};

impl Machine {
    pub(super) fn on_stop(&mut self, now: Moment, going_down: bool, steps: &mut Vec<Step>) {
        if self.stopping.is_some() {
            // Asked twice: the operator does not want to wait.
            return steps.push(Step::Exit);
        }
        let Some(action) = &self.record.action else { return steps.push(Step::Exit) };
        let (state, stage) = (action.state.clone(), action.stage);
        let limit = self.rules.stop_timeout;
        let on_stop = self.rules.complete == Complete::OnStop;
        // A restart of the service finds the action again; the end of the machine does not.
        if !going_down && !on_stop {
            let told = format!("state `{state}`: stopped before the action is completed; a restart goes on");
            return steps.extend([Step::Say(told), Step::Exit]);
        }
        self.stopping = Some(now + limit);
        steps.push(Step::Extend(limit));
        let completing = |success| Stage::Completing { result: self.result(success) };
        let next = match stage {
            // The command begins the shutdown that sends this very signal.
            Stage::Hook if on_stop => completing(true),
            Stage::Held => completing(true),
            Stage::Retry => completing(false),
            Stage::Announced => {
                self.start_hook(now, steps);
                return;
            }
            Stage::Hook => {
                let seconds = limit.as_secs();
                let told = format!("state `{state}`: waiting for the command, for at most {seconds} s");
                return steps.push(Step::Say(told));
            }
            Stage::Completing { .. } => return,
        };
        if let Some(action) = &mut self.record.action {
            action.stage = next;
        }
        self.run_at = None;
        self.next_complete = now;
        steps.push(Step::Save);
    }

    /// Ends the process when its time is over; whether it did.
    pub(super) fn stop_if_due(&mut self, now: Moment, steps: &mut Vec<Step>) -> bool {
        let due = self.stopping.is_some_and(|deadline| now >= deadline);
        if due {
            let told = "the time to stop is over; the action is not completed, a restart goes on";
            steps.extend([Step::Say(format!("state `{}`: {told}", self.state())), Step::Exit]);
        }
        due
    }
}
