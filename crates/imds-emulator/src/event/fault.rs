//! Faults: what goes wrong, for which requests, how often; drawn from a seed, so that a run can be
//! repeated.

use std::time::Duration;

use crate::base::status::Status;
use crate::base::time::Timestamp;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing listens: connections are refused.
    Refuse,
    /// The request is read and never answered: what a container sees whose hop limit is too short
    /// (JuliaCloud/AWS.jl#655).
    Stall,
    /// The connection is reset once the request is there.
    Reset,
    /// An error status: 401 as in the first moments of an instance, 403, 404, 429, 500 or 503.
    Status(Status),
    /// Half of the body that was announced, then the end of the connection.
    Truncate,
    /// The body comes at this many bytes per second.
    Slow(u32),
    /// Packets beyond this many per second are dropped (1,024 per interface on EC2,
    /// amazon-ec2-net-utils#120): the request gets no answer.
    PacketBudget(u32),
}

/// Every fault by the name that a file, the control API or a command line gives it, and what a
/// client sees.
pub(crate) const FAULTS: [(&str, &str); 13] = [
    ("refuse", "Nothing listens: connections are refused. Takes `for`, and no filter"),
    ("stall", "The request is read and never answered"),
    ("hop-limit", "`stall` of the token PUT: what a container sees whose hop limit is too short"),
    ("reset", "The connection is reset once the request is there"),
    ("401", "The token is refused, as in the first moments of an instance"),
    ("403", "The service is off, or the request may not be made"),
    ("404", "Nothing is there"),
    ("429", "Too many requests"),
    ("500", "The service fails"),
    ("503", "The service is overloaded"),
    ("truncate", "Half of the body that was announced, then the end of the connection"),
    ("slow", "The body comes at `bytes-per-second` (10)"),
    ("packet-budget", "Packets beyond `packets-per-second` (1024) are dropped: the request gets no answer"),
];

impl FaultKind {
    /// Every name that a file, the control API or a command line may give.
    #[must_use]
    pub fn names() -> [&'static str; 13] {
        FAULTS.map(|(name, _)| name)
    }

    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Stall => "stall",
            Self::Reset => "reset",
            Self::Status(Status::Unauthorized) => "401",
            Self::Status(Status::Forbidden) => "403",
            Self::Status(Status::NotFound) => "404",
            Self::Status(Status::TooManyRequests) => "429",
            Self::Status(Status::InternalServerError) => "500",
            Self::Status(_) => "503",
            Self::Truncate => "truncate",
            Self::Slow(_) => "slow",
            Self::PacketBudget(_) => "packet-budget",
        }
    }
}

/// A fault: what goes wrong, and which requests it meets.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Requests whose path begins with this, and no others.
    pub path: Option<String>,
    /// Requests of this method, and no others.
    pub method: Option<String>,
    /// Share of those requests, 0 to 1.
    pub rate: f64,
    /// This many of them, and no more.
    pub count: Option<u32>,
    /// For this long, and no longer.
    pub lasting: Option<Duration>,
}

impl Fault {
    /// This kind of fault for every request.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self { kind, path: None, method: None, rate: 1.0, count: None, lasting: None }
    }

    /// Only for paths that begin with this.
    #[must_use]
    pub fn path(mut self, prefix: &str) -> Self {
        self.path = Some(prefix.to_owned());
        self
    }

    /// Only for this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only this many times.
    #[must_use]
    pub const fn count(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Only for this share of the requests, 0 to 1.
    #[must_use]
    pub const fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }

    /// Only for this long.
    #[must_use]
    pub const fn lasting(mut self, lasting: Duration) -> Self {
        self.lasting = Some(lasting);
        self
    }
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    until: Timestamp,
    left: Option<u32>,
    /// Second and packets of the packet budget.
    budget: (i64, u32),
}

/// The faults in force and the numbers that they are drawn with.
#[derive(Debug)]
pub(crate) struct Faults {
    active: Vec<Active>,
    seed: u64,
    drawn: u64,
}

impl Faults {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { active: Vec::new(), seed, drawn: 0 }
    }

    pub(crate) const fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn add(&mut self, fault: Fault, now: Timestamp) {
        self.prune(now);
        let until = fault.lasting.map_or(Timestamp::NEVER, |lasting| now.after(lasting));
        self.active.push(Active { until, left: fault.count, fault, budget: (0, 0) });
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// Drops the faults that are over or used up.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        self.active.retain(|one| now < one.until && one.left != Some(0));
    }

    /// How many are kept.
    pub(crate) fn len(&self) -> usize {
        self.active.len()
    }

    /// Whether no request can meet a fault.
    pub(crate) const fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Names of the faults in force.
    pub(crate) fn names(&self, now: Timestamp) -> Vec<&'static str> {
        self.active
            .iter()
            .filter(|one| now < one.until && one.left != Some(0))
            .map(|one| one.fault.kind.name())
            .collect()
    }

    /// Until when nothing listens.
    pub(crate) fn refusing(&self, now: Timestamp) -> Option<Timestamp> {
        let refusing = |one: &&Active| one.fault.kind == FaultKind::Refuse && now < one.until;
        self.active.iter().filter(refusing).map(|one| one.until).max()
    }

    /// The fault that this request meets, if any: the first that matches and is drawn. `packets` is
    /// what the request costs of a packet budget.
    pub(crate) fn meets(
        &mut self,
        method: &str,
        path: &str,
        packets: u32,
        now: Timestamp,
    ) -> Option<FaultKind> {
        self.prune(now);
        for at in 0..self.active.len() {
            let fits = {
                let fault = &self.active[at].fault;
                fault.kind != FaultKind::Refuse
                    && fault.path.as_deref().is_none_or(|prefix| path.starts_with(prefix))
                    && fault.method.as_deref().is_none_or(|only| only == method)
            };
            if !fits || !self.draw(self.active[at].fault.rate) {
                continue;
            }
            let one = &mut self.active[at];
            if let FaultKind::PacketBudget(budget) = one.fault.kind {
                if one.budget.0 != now.seconds() {
                    one.budget = (now.seconds(), 0);
                }
                one.budget.1 = one.budget.1.saturating_add(packets);
                if one.budget.1 <= budget {
                    continue;
                }
            }
            if let Some(left) = &mut one.left {
                *left -= 1;
            }
            return Some(one.fault.kind);
        }
        None
    }

    /// Whether a number drawn from 0 to 1 lies below `rate`.
    fn draw(&mut self, rate: f64) -> bool {
        if rate >= 1.0 {
            return true;
        }
        // SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
        self.drawn = self.drawn.wrapping_add(1);
        let mut bits = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // 53 bits fit a double exactly.
        #[allow(clippy::cast_precision_loss)]
        let share = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        share < rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn drawn(seed: u64, fault: Fault) -> Vec<bool> {
        let mut faults = Faults::new(seed);
        faults.add(fault, NOW);
        (0..1000).map(|_| faults.meets("GET", "/latest/user-data", 2, NOW).is_some()).collect()
    }

    #[test]
    fn a_seed_repeats_a_run() {
        let fault = || Fault::new(FaultKind::Status(Status::ServiceUnavailable)).rate(0.1);
        let first = drawn(7, fault());
        assert_eq!(first, drawn(7, fault()));
        assert_ne!(first, drawn(8, fault()));
        let met = first.iter().filter(|met| **met).count();
        assert!((60..140).contains(&met), "{met} of 1000 at a rate of 0.1");
    }

    #[test]
    fn by_path_method_count_and_time() {
        let mut faults = Faults::new(1);
        let stall = Fault::new(FaultKind::Stall).path("/latest/api/token").method("PUT").count(2);
        faults.add(stall.lasting(Duration::from_secs(10)), NOW);
        assert_eq!(faults.meets("GET", "/latest/api/token", 2, NOW), None);
        assert_eq!(faults.meets("PUT", "/latest/user-data", 2, NOW), None);
        assert_eq!(faults.meets("PUT", "/latest/api/token", 2, NOW), Some(FaultKind::Stall));
        assert_eq!(faults.meets("PUT", "/latest/api/token", 2, NOW), Some(FaultKind::Stall));
        assert_eq!(faults.meets("PUT", "/latest/api/token", 2, NOW), None, "two were enough");
        faults.add(Fault::new(FaultKind::Reset).lasting(Duration::from_secs(10)), NOW);
        let later = NOW.after(Duration::from_secs(10));
        assert_eq!(faults.meets("GET", "/", 2, later), None, "ten seconds were enough");
    }

    #[test]
    fn faults_that_are_over_are_dropped() {
        let mut faults = Faults::new(1);
        for _ in 0..1000 {
            faults.add(Fault::new(FaultKind::Reset).count(0), NOW);
            faults.add(Fault::new(FaultKind::Refuse).lasting(Duration::ZERO), NOW);
        }
        assert!(faults.len() <= 2, "{}", faults.len());
        faults.add(Fault::new(FaultKind::Reset).count(1), NOW);
        assert_eq!(faults.meets("GET", "/", 2, NOW), Some(FaultKind::Reset));
        faults.prune(NOW);
        assert!(faults.is_empty() && faults.names(NOW).is_empty());
    }

    #[test]
    fn packets_beyond_the_budget_of_a_second_are_dropped() {
        let mut faults = Faults::new(1);
        faults.add(Fault::new(FaultKind::PacketBudget(10)), NOW);
        let met: Vec<bool> = (0..7).map(|_| faults.meets("GET", "/", 2, NOW).is_some()).collect();
        assert_eq!(met, [false, false, false, false, false, true, true]);
        assert_eq!(faults.meets("GET", "/", 2, NOW.after(Duration::from_secs(1))), None);
    }
}
