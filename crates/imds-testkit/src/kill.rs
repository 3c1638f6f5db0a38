//! SIGKILL at moments that are drawn.

use std::process::Child;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags};

/// One kill of a test, or several in a row. Everything about it follows from its number.
#[derive(Debug)]
pub struct Kill {
    /// Its number, which a failure names.
    pub number: u64,
    state: u64,
}

impl Kill {
    /// The kills of this run: `IMDS_KILLS` of them, or the one of `IMDS_KILL` alone.
    pub fn all(usual: u64) -> impl Iterator<Item = Self> {
        Self::seeds("IMDS_KILL", "IMDS_KILLS", usual)
    }

    /// The same for what is drawn but not killed, by other variables: one seed, or how many.
    pub fn seeds(one: &str, count: &str, usual: u64) -> impl Iterator<Item = Self> {
        #[allow(clippy::disallowed_methods, reason = "the gate asks for more than a person waits for")]
        let given = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
        let numbers = given(one).map_or(0..given(count).unwrap_or(usual), |one| one..one + 1);
        numbers.map(Self::numbered)
    }

    const fn numbered(number: u64) -> Self {
        Self { number, state: number.wrapping_mul(0xd134_2543_de82_ef95) }
    }

    /// A number below this one (SplitMix64, Steele and others, 2014).
    pub const fn draw(&mut self, below: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    /// Lets a child live for a drawn part of this time, and kills it unless it has ended.
    ///
    /// # Panics
    /// If the kernel does not let us watch or kill our own child.
    pub fn strike(&mut self, child: &mut Child, longest: Duration) {
        let longest = u64::try_from(longest.as_nanos()).expect("a short time");
        let moment =
            Timespec::try_from(Duration::from_nanos(self.draw(longest.max(1)))).expect("a short time");
        let handle = rustix::process::pidfd_open(Pid::from_child(child), PidfdFlags::empty())
            .expect("a handle of our own child");
        // Ended, or past its moment: both are what was asked for.
        let _ = rustix::event::poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&moment));
        child.kill().expect("kill our own child");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    #[test]
    fn a_kill_is_repeated_by_its_number() {
        let draws = |number| {
            let mut kill = Kill::numbered(number);
            [kill.draw(1_000), kill.draw(1_000), kill.draw(1_000)]
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }

    #[test]
    fn what_has_not_ended_is_killed_and_what_has_is_left() {
        let mut kill = Kill::numbered(0);
        let mut lives = Command::new("tail").args(["-f", "/dev/null"]).spawn().unwrap();
        kill.strike(&mut lives, Duration::from_millis(1));
        assert_eq!(lives.wait().unwrap().signal(), Some(9));
        let mut ends = Command::new("true").spawn().unwrap();
        kill.strike(&mut ends, Duration::from_secs(600));
        assert!(ends.wait().unwrap().success());
    }
}
