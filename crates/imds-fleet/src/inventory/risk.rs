//! How much is at stake while an instance answers IMDSv1: a rank that can be explained.
//!
//! Each reason weighs more than all after it together, so that the number orders by the first
//! reason in which two instances differ: a role to steal, then a way in from the internet, then an
//! open port, then whether it runs at all.

use serde::{Deserialize, Serialize};

use super::options::Posture;

/// What an instance has that makes IMDSv1 worth attacking and easy to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The ARN of its instance profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_profile: Option<String>,
    /// Its public IPv4 addresses, and its IPv6 addresses, which are all public.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_addresses: Vec<String>,
    /// Its security groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// What of them is open to 0.0.0.0/0 or ::/0, such as `sg-1 (tcp 22)`; nothing where the rules
    /// were not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<Vec<String>>,
}

/// The rank of an instance that answers IMDSv1, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// From 0 to 15.
    pub score: u8,
    /// What it is made of, the heaviest first.
    pub reasons: Vec<String>,
}

impl Risk {
    /// The rank of an instance; none where IMDSv1 is not answered. What is not known counts as if
    /// it were so, and says that it is not known.
    #[must_use]
    pub fn of(posture: Posture, run_state: &str, exposure: Option<&Exposure>) -> Option<Self> {
        if matches!(posture, Posture::V2Required | Posture::EndpointDisabled) {
            return None;
        }
        let mut risk = Self { score: 0, reasons: Vec::new() };
        match exposure {
            None => risk
                .add(8 + 4 + 2, "instance profile, addresses and security groups are not known".to_owned()),
            Some(exposure) => {
                if let Some(profile) = &exposure.instance_profile {
                    let name = profile.rsplit('/').next().unwrap_or(profile);
                    risk.add(8, format!("instance profile {name}"));
                }
                if let Some(address) = exposure.public_addresses.first() {
                    risk.add(4, format!("public address {address}"));
                }
                match &exposure.open {
                    None if exposure.security_groups.is_empty() => {}
                    None => risk.add(2, "the rules of its security groups are not known".to_owned()),
                    Some(open) if open.is_empty() => {}
                    Some(open) => risk.add(2, format!("open to the world: {}", open.join(", "))),
                }
            }
        }
        match run_state {
            "stopped" => {}
            "running" => risk.add(1, "running".to_owned()),
            other => risk.add(1, format!("state {other}")),
        }
        Some(risk)
    }

    fn add(&mut self, points: u8, reason: String) {
        self.score += points;
        self.reasons.push(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposure(profile: bool, public: bool, open: Option<&[&str]>) -> Exposure {
        Exposure {
            instance_profile: profile.then(|| "arn:aws:iam::111122223333:instance-profile/app".to_owned()),
            public_addresses: if public { vec!["192.0.2.7".to_owned()] } else { Vec::new() },
            security_groups: vec!["sg-1".to_owned()],
            open: open.map(|open| open.iter().map(|it| (*it).to_owned()).collect()),
        }
    }

    #[test]
    fn the_first_difference_decides() {
        let of = |profile, public, open, state| {
            Risk::of(Posture::V1Allowed, state, Some(&exposure(profile, public, open))).unwrap().score
        };
        let open: Option<&[&str]> = Some(&["sg-1 (tcp 22)"]);
        let shut: Option<&[&str]> = Some(&[]);
        assert_eq!(of(true, true, open, "running"), 15);
        // A role to steal outweighs all ways in.
        assert!(of(true, false, shut, "stopped") > of(false, true, open, "running"));
        assert!(of(false, true, shut, "stopped") > of(false, false, open, "running"));
        assert!(of(false, false, open, "stopped") > of(false, false, shut, "running"));
        assert_eq!(of(false, false, shut, "stopped"), 0);
        // What is not known is not clean.
        assert_eq!(of(false, false, None, "running"), 3);
        assert_eq!(Risk::of(Posture::Unknown, "running", None).unwrap().score, 15);
        assert_eq!(Risk::of(Posture::V2Pending, "running", None).unwrap().score, 15);
        for off in [Posture::V2Required, Posture::EndpointDisabled] {
            assert_eq!(Risk::of(off, "running", None), None);
        }
    }
}
