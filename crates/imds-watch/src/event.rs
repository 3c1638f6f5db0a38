//! The events that have a name, and what is asked for each.

use imds_model::{MetadataPath, PathError};

/// How the value of a subject is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    Value,
    /// One notice: acted on at most once, however often it is seen.
    Notice,
    /// A JSON array of notices with an `EventId` each; an empty one is no notice.
    Notices,
    /// A directory and everything below it, each leaf by itself.
    Tree,
    /// A value that must not be shown: its length and fingerprint are.
    Hidden,
    /// Role credentials: the role and when they expire are shown, and nothing of the keys.
    Credentials,
}

impl Shape {
    /// Whether a hook runs at most once for one value, even over a restart and after the value was
    /// away.
    #[must_use]
    pub const fn is_notice(self) -> bool {
        matches!(self, Self::Notice | Self::Notices)
    }
}

/// An event with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: &'static str,
    /// What it tells.
    pub summary: &'static str,
    path: &'static str,
    shape: Shape,
}

/// What to watch, and how to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The event's name; `value` for a path that was named itself.
    pub event: &'static str,
    /// Where it is read.
    pub path: MetadataPath,
    /// How it is read.
    pub shape: Shape,
}

impl Event {
    /// Every event that has a name.
    pub const ALL: [Self; 8] = [
        Self {
            name: "spot-interruption",
            summary: "Spot will stop, hibernate or terminate the instance",
            path: "/latest/meta-data/spot/instance-action",
            shape: Shape::Notice,
        },
        Self {
            name: "rebalance",
            summary: "the instance is at an elevated risk of a Spot interruption",
            path: "/latest/meta-data/events/recommendations/rebalance",
            shape: Shape::Notice,
        },
        Self {
            name: "lifecycle",
            summary: "Auto Scaling moves the instance to another state",
            path: "/latest/meta-data/autoscaling/target-lifecycle-state",
            shape: Shape::Value,
        },
        Self {
            name: "maintenance",
            summary: "AWS has scheduled maintenance of the instance or its host",
            path: "/latest/meta-data/events/maintenance/scheduled",
            shape: Shape::Notices,
        },
        Self {
            name: "tags",
            summary: "instance tags",
            path: "/latest/meta-data/tags/instance/",
            shape: Shape::Tree,
        },
        Self {
            name: "network",
            summary: "network interfaces and their addresses",
            path: "/latest/meta-data/network/interfaces/macs/",
            shape: Shape::Tree,
        },
        Self {
            name: "credentials",
            summary: "the role's credentials are renewed; nothing of the keys is shown",
            path: "/latest/meta-data/iam/security-credentials/",
            shape: Shape::Credentials,
        },
        Self {
            name: "user-data",
            summary: "user data; only its length and fingerprint are shown",
            path: "/latest/user-data",
            shape: Shape::Hidden,
        },
    ];
}

impl Subject {
    /// What a word on the command line stands for: the name of an event, or a path.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parse(word: &str) -> Result<Self, PathError> {
        if let Some(event) = Event::ALL.iter().find(|event| event.name == word) {
            return Ok(Self { event: event.name, path: event.path.parse()?, shape: event.shape });
        }
        let path: MetadataPath = word.parse()?;
        // A path that has a name is read as the event is, so that neither spelling shows what the
        // other hides.
        if let Some(event) = Event::ALL.iter().find(|event| event.path == path.as_str()) {
            return Ok(Self { event: event.name, path, shape: event.shape });
        }
        let shape = if path.is_secret() {
            Shape::Hidden
        } else if path.is_directory() {
            Shape::Tree
        } else {
            Shape::Value
        };
        Ok(Self { event: "value", path, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        let spot = Subject::parse("spot-interruption").unwrap();
        assert_eq!(spot.path.as_str(), "/latest/meta-data/spot/instance-action");
        assert_eq!(Subject::parse("spot/instance-action").unwrap(), spot);
        let plain = Subject::parse("placement/region").unwrap();
        assert_eq!((plain.event, plain.shape), ("value", Shape::Value));
        assert_eq!(Subject::parse("block-device-mapping/").unwrap().shape, Shape::Tree);
        let error = Subject::parse("../x").unwrap_err();
        assert_eq!(error.input(), "../x");
    }

    #[test]
    fn secrets_are_hidden_under_every_spelling() {
        for word in [
            "user-data",
            "/2021-03-23/user-data",
            "iam/security-credentials/app",
            "/2019-10-01/meta-data/identity-credentials/ec2/security-credentials/ec2-instance",
        ] {
            assert_eq!(Subject::parse(word).unwrap().shape, Shape::Hidden, "{word}");
        }
    }

    #[test]
    fn events_have_names_of_their_own() {
        for event in Event::ALL {
            assert_eq!(Subject::parse(event.name).unwrap().event, event.name);
            assert_eq!(Subject::parse(event.path).unwrap().event, event.name);
        }
    }
}
