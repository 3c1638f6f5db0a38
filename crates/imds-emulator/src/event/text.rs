//! Events as text: the one form that scenario files (TOML), the control API (JSON) and the command
//! line share.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_model::duration;
use imds_model::options::{HopLimit, HttpTokens, Switch};
use serde::{Deserialize, Serialize};

use super::auto_scaling::{AutoScaling, Walk};
use super::fault::{Fault, FaultKind};
use super::{Event, OptionsChange};
use crate::base::limits::USER_DATA_BYTES;
use crate::base::path::ValuePath;
use crate::base::status::Status;
use crate::base::time::Timestamp;
use crate::instance::check::{check_tag_key, check_tag_value};
use crate::instance::{MaintenanceEvent, MaintenanceState, SpotAction, TargetLifecycleState};

fn parse_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// An event with its parameters by name. Which ones an event takes is said by the error that
/// another one meets.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EventText {
    /// Which event.
    pub event: String,
    /// How long after the start (in a scenario) or from now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Spot action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// How long before the Spot action it is announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Target lifecycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Which walk an Auto Scaling group takes the instance on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<String>,
    /// How long the load balancer drains the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<String>,
    /// How long the wait state lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<String>,
    /// How long the state after the wait state lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proceed: Option<String>,
    /// How long the instance is stopped in the warm pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooled: Option<String>,
    /// Id of a maintenance event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Code of a maintenance event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Description of a maintenance event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Start of a maintenance event at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Start of a maintenance event at the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Tag key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Value of a tag, of user data or of a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The same in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `optional` or `required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<String>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// 1 to 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u64>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    /// `enabled` or `disabled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// How long a change of options, or the state `Pending` of a walk, is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
    /// Which fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Method that a fault meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Share of the requests that a fault meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many requests a fault meets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How long a fault lasts.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub lasting: Option<String>,
    /// Bytes per second of a slow body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u32>,
    /// Packets per second of a packet budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets_per_second: Option<u32>,
}

/// What is wrong about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The parameter that is; none where one is missing.
    pub(crate) parameter: Option<&'static str>,
    /// What is wrong and what is accepted.
    pub(crate) message: String,
}

impl Wrong {
    /// Places a message at a parameter.
    fn at(parameter: &'static str) -> impl FnOnce(String) -> Self {
        move |message| Self { parameter: Some(parameter), message }
    }
}

/// An event as text: its name, the parameters that it takes, `after` aside, and what happens.
pub(crate) type EventForm = (&'static str, &'static [&'static str], &'static str);

/// Every event.
pub(crate) const EVENTS: [EventForm; 20] = [
    ("rebalance", &[], "A rebalance recommendation is given"),
    ("interrupt", &["action", "notice"], "A Spot interruption is announced"),
    ("clear-spot", &[], "What Spot announced is taken back: both leaves are not found again"),
    ("terminate", &[], "The instance is gone: nothing listens any more"),
    ("start", &[], "The instance is there again, with nothing announced"),
    (
        "target-lifecycle-state",
        &["state"],
        "The Auto Scaling group moves the instance; `none`: it is in no group",
    ),
    (
        "auto-scaling",
        &["walk", "pending", "drain", "wait", "proceed", "pooled"],
        "The Auto Scaling group moves the instance through all states of a walk",
    ),
    ("complete-lifecycle-action", &[], "The lifecycle action of the walk is completed: its wait ends"),
    (
        "schedule-maintenance",
        &["id", "code", "description", "not-before", "not-after"],
        "Maintenance is scheduled; `not-before` is needed",
    ),
    ("complete-maintenance", &["id"], "Maintenance is over: it goes to the history as completed"),
    ("cancel-maintenance", &["id"], "Maintenance is called off: it goes to the history as canceled"),
    ("tag", &["key", "value"], "A tag gets a value"),
    ("untag", &["key"], "A tag is taken away"),
    ("user-data", &["value", "base64"], "User data is replaced; without a value it is taken away"),
    ("rotate-credentials", &[], "New role credentials are issued ahead of time"),
    (
        "options",
        &["tokens", "endpoint", "hop-limit", "ipv6", "tags", "pending"],
        "Metadata options are changed; what is not named stays",
    ),
    ("set", &["path", "value", "base64"], "A value is served at a path, above what the instance has there"),
    ("unset", &["path"], "Nothing is served at a path any more"),
    (
        "fault",
        &["fault", "path", "method", "rate", "count", "for", "bytes-per-second", "packets-per-second"],
        "A fault begins",
    ),
    ("clear-faults", &[], "Every fault ends"),
];

/// Names in a message: each in backticks.
fn listed(names: impl IntoIterator<Item = &'static str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// How long before a Spot interruption it is announced (EC2 User Guide, "Spot Instance interruption
/// notices").
const NOTICE: Duration = Duration::from_secs(120);

impl std::fmt::Debug for EventText {
    /// Values may be user data or credentials: only the name is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EventText({})", self.event)
    }
}

impl EventText {
    /// The event of this name, without parameters.
    #[must_use]
    pub fn named(event: &str) -> Self {
        Self { event: event.to_owned(), ..Self::default() }
    }

    /// The event of this name with parameters as a command line has them: `state=Terminated`,
    /// `rate=0.1`.
    ///
    /// # Errors
    /// Returns an error if a word is not `NAME=VALUE`, or an event has no such parameter.
    pub fn from_words<'a>(event: &str, words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut members = serde_json::Map::new();
        members.insert("event".to_owned(), event.into());
        for word in words {
            let Some((name, value)) = word.split_once('=') else {
                return Err(format!("`{}` is not `NAME=VALUE`", word.escape_debug()));
            };
            let number =
                matches!(name, "hop-limit" | "rate" | "count" | "bytes-per-second" | "packets-per-second");
            let value = match value.parse::<serde_json::Number>() {
                Ok(value) if number => value.into(),
                _ if number => return Err(format!("`{name}` is `{}`; a number", value.escape_debug())),
                _ => value.into(),
            };
            members.insert(name.to_owned(), value);
        }
        Self::from_json(&serde_json::Value::from(members).to_string())
    }

    /// The event that a JSON object describes.
    ///
    /// # Errors
    /// Returns an error if an event has no such parameter.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message).to_owned()
        })
    }

    /// When it happens, counted from the start or from now.
    ///
    /// # Errors
    /// Returns an error if `after` is not a duration.
    pub fn after(&self) -> Result<Duration, String> {
        self.after.as_deref().map_or(Ok(Duration::ZERO), parse_duration)
    }

    /// The event.
    ///
    /// # Errors
    /// Returns an error that says what is wrong and what is accepted.
    pub fn event(&self) -> Result<Event, String> {
        self.checked_event().map_err(|wrong| wrong.message)
    }

    /// When it happens, and the event.
    pub(crate) fn checked(&self) -> Result<(Duration, Event), Wrong> {
        Ok((self.after().map_err(Wrong::at("after"))?, self.checked_event()?))
    }

    /// Every event with the parameters that it takes; each also takes `after`.
    pub fn parameters() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        EVENTS.into_iter().map(|(name, parameters, _)| (name, parameters))
    }

    fn checked_event(&self) -> Result<Event, Wrong> {
        let Some((_, takes, _)) = EVENTS.iter().find(|(name, ..)| *name == self.event) else {
            let names = listed(EVENTS.iter().map(|(name, ..)| *name));
            let message = format!("`{}` is not an event; one of {names}", self.event.escape_debug());
            return Err(Wrong::at("event")(message));
        };
        let event = self.named_event()?;
        match self.given().into_iter().find(|given| !takes.contains(given)) {
            Some(given) => {
                let only = match takes {
                    [] => String::new(),
                    takes => format!(", only {}", listed(takes.iter().copied())),
                };
                Err(Wrong::at(given)(format!("`{}` takes no `{given}`{only}", self.event)))
            }
            None => Ok(event),
        }
    }

    /// The event of this name, one of [`EVENTS`].
    fn named_event(&self) -> Result<Event, Wrong> {
        Ok(match self.event.as_str() {
            "rebalance" => Event::Rebalance,
            "interrupt" => self.interrupt()?,
            "clear-spot" => Event::ClearSpot,
            "terminate" => Event::Terminate,
            "start" => Event::Start,
            "target-lifecycle-state" => self.target_lifecycle_state()?,
            "auto-scaling" => Event::AutoScaling(self.auto_scaling()?),
            "complete-lifecycle-action" => Event::CompleteLifecycleAction,
            "schedule-maintenance" => self.maintenance()?,
            "complete-maintenance" => Event::CompleteMaintenance(self.needed("id", &self.id)?),
            "cancel-maintenance" => Event::CancelMaintenance(self.needed("id", &self.id)?),
            "tag" => {
                let (key, value) = (self.needed("key", &self.key)?, self.needed("value", &self.value)?);
                check_tag_key(&key).map_err(Wrong::at("key"))?;
                check_tag_value(&key, &value).map_err(Wrong::at("value"))?;
                Event::Tag(key, Some(value))
            }
            "untag" => Event::Tag(self.needed("key", &self.key)?, None),
            "user-data" => Event::UserData(self.user_data()?),
            "rotate-credentials" => Event::RotateCredentials,
            "options" => Event::Options(self.options()?),
            "set" => {
                let value = self.bytes()?.ok_or_else(|| self.lacks("value"))?;
                Event::Set(self.value_path()?, Some(value))
            }
            "unset" => Event::Set(self.value_path()?, None),
            "fault" => Event::Fault(self.fault()?),
            _ => Event::ClearFaults,
        })
    }

    /// Names of the parameters that are there, `after` aside.
    fn given(&self) -> Vec<&'static str> {
        let given = [
            ("action", self.action.is_some()),
            ("notice", self.notice.is_some()),
            ("state", self.state.is_some()),
            ("walk", self.walk.is_some()),
            ("drain", self.drain.is_some()),
            ("wait", self.wait.is_some()),
            ("proceed", self.proceed.is_some()),
            ("pooled", self.pooled.is_some()),
            ("id", self.id.is_some()),
            ("code", self.code.is_some()),
            ("description", self.description.is_some()),
            ("not-before", self.not_before.is_some()),
            ("not-after", self.not_after.is_some()),
            ("key", self.key.is_some()),
            ("value", self.value.is_some()),
            ("base64", self.base64.is_some()),
            ("path", self.path.is_some()),
            ("tokens", self.tokens.is_some()),
            ("endpoint", self.endpoint.is_some()),
            ("hop-limit", self.hop_limit.is_some()),
            ("ipv6", self.ipv6.is_some()),
            ("tags", self.tags.is_some()),
            ("pending", self.pending.is_some()),
            ("fault", self.fault.is_some()),
            ("method", self.method.is_some()),
            ("rate", self.rate.is_some()),
            ("count", self.count.is_some()),
            ("for", self.lasting.is_some()),
            ("bytes-per-second", self.bytes_per_second.is_some()),
            ("packets-per-second", self.packets_per_second.is_some()),
        ];
        given.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }

    fn user_data(&self) -> Result<Option<Vec<u8>>, Wrong> {
        let data = self.bytes()?;
        match &data {
            Some(data) if data.len() > USER_DATA_BYTES => {
                let length = data.len();
                let message =
                    format!("user data is {length} bytes long; EC2 takes at most {USER_DATA_BYTES}");
                Err(Wrong::at(if self.base64.is_some() { "base64" } else { "value" })(message))
            }
            _ => Ok(data),
        }
    }

    fn value_path(&self) -> Result<ValuePath, Wrong> {
        ValuePath::parse(&self.needed("path", &self.path)?).map_err(Wrong::at("path"))
    }

    fn lacks(&self, name: &str) -> Wrong {
        Wrong { parameter: None, message: format!("`{}` needs `{name}`", self.event) }
    }

    fn needed(&self, name: &str, value: &Option<String>) -> Result<String, Wrong> {
        value.clone().ok_or_else(|| self.lacks(name))
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, Wrong> {
        match (&self.value, &self.base64) {
            (Some(_), Some(_)) => {
                Err(Wrong::at("base64")("`value` and `base64` exclude each other".to_owned()))
            }
            (Some(text), None) => Ok(Some(text.clone().into_bytes())),
            (None, Some(encoded)) => STANDARD
                .decode(encoded)
                .map(Some)
                .map_err(|error| Wrong::at("base64")(format!("`base64` does not hold base64: {error}"))),
            (None, None) => Ok(None),
        }
    }

    fn interrupt(&self) -> Result<Event, Wrong> {
        let action = match &self.action {
            None => SpotAction::Terminate,
            Some(text) => SpotAction::parse(text).ok_or_else(|| {
                let shown = text.escape_debug();
                Wrong::at("action")(format!("`action` is `{shown}`; one of `terminate`, `stop`, `hibernate`"))
            })?,
        };
        // Hibernation begins at once.
        let usual = if action == SpotAction::Hibernate { Duration::ZERO } else { NOTICE };
        let notice = self.notice.as_deref().map_or(Ok(usual), parse_duration).map_err(Wrong::at("notice"))?;
        Ok(Event::Interrupt { action, notice })
    }

    fn target_lifecycle_state(&self) -> Result<Event, Wrong> {
        match self.needed("state", &self.state)?.as_str() {
            "none" => Ok(Event::TargetLifecycleState(None)),
            text => match text.parse() {
                Ok(state) => Ok(Event::TargetLifecycleState(Some(state))),
                Err(_) => {
                    let states: Vec<_> = TargetLifecycleState::ALL
                        .iter()
                        .map(|state| format!("`{}`", state.as_str()))
                        .collect();
                    let (shown, states) = (text.escape_debug(), states.join(", "));
                    Err(Wrong::at("state")(format!("`state` is `{shown}`; one of {states}, or `none`")))
                }
            },
        }
    }

    fn auto_scaling(&self) -> Result<AutoScaling, Wrong> {
        let text = self.needed("walk", &self.walk)?;
        let walk = Walk::parse(&text).ok_or_else(|| {
            let (shown, walks) = (text.escape_debug(), listed(Walk::ALL.map(Walk::as_str)));
            Wrong::at("walk")(format!("`walk` is `{shown}`; one of {walks}"))
        })?;
        let mut all = AutoScaling::new(walk);
        for (name, text, gap) in [
            ("pending", &self.pending, &mut all.pending),
            ("drain", &self.drain, &mut all.drain),
            ("wait", &self.wait, &mut all.wait),
            ("proceed", &self.proceed, &mut all.proceed),
            ("pooled", &self.pooled, &mut all.pooled),
        ] {
            let Some(text) = text else { continue };
            if !walk.gaps().contains(&name) {
                let gaps = listed(walk.gaps().iter().copied());
                return Err(Wrong::at(name)(format!(
                    "walk `{}` has no `{name}`, only {gaps}",
                    walk.as_str()
                )));
            }
            *gap = parse_duration(text).map_err(Wrong::at(name))?;
        }
        Ok(all)
    }

    fn maintenance(&self) -> Result<Event, Wrong> {
        let or = |value: &Option<String>, usual: &str| value.clone().unwrap_or_else(|| usual.to_owned());
        Ok(Event::ScheduleMaintenance(MaintenanceEvent {
            event_id: or(&self.id, "instance-event-0d59937288b749b32"),
            code: or(&self.code, "system-reboot"),
            description: or(&self.description, "scheduled reboot"),
            not_before: self.not_before.ok_or_else(|| self.lacks("not-before"))?,
            not_after: self.not_after,
            state: MaintenanceState::Active,
        }))
    }

    fn options(&self) -> Result<OptionsChange, Wrong> {
        let switch = |name: &'static str, value: &Option<String>| {
            value.as_deref().map(|text| {
                Switch::parse(text).ok_or_else(|| {
                    let shown = text.escape_debug();
                    Wrong::at(name)(format!("`{name}` is `{shown}`; one of `enabled`, `disabled`"))
                })
            })
        };
        let tokens = self.tokens.as_deref().map(|text| {
            HttpTokens::parse(text).ok_or_else(|| {
                let shown = text.escape_debug();
                Wrong::at("tokens")(format!("`tokens` is `{shown}`; one of `optional`, `required`"))
            })
        });
        Ok(OptionsChange {
            tokens: tokens.transpose()?,
            endpoint: switch("endpoint", &self.endpoint).transpose()?,
            hop_limit: self.hop_limit.map(hop_limit).transpose().map_err(Wrong::at("hop-limit"))?,
            ipv6: switch("ipv6", &self.ipv6).transpose()?,
            tags: switch("tags", &self.tags).transpose()?,
            pending: self
                .pending
                .as_deref()
                .map_or(Ok(Duration::ZERO), parse_duration)
                .map_err(Wrong::at("pending"))?,
        })
    }

    fn fault(&self) -> Result<Fault, Wrong> {
        let name = self.needed("fault", &self.fault)?;
        let kind = match name.as_str() {
            "refuse" => FaultKind::Refuse,
            "stall" | "hop-limit" => FaultKind::Stall,
            "reset" => FaultKind::Reset,
            "401" => FaultKind::Status(Status::Unauthorized),
            "403" => FaultKind::Status(Status::Forbidden),
            "404" => FaultKind::Status(Status::NotFound),
            "429" => FaultKind::Status(Status::TooManyRequests),
            "500" => FaultKind::Status(Status::InternalServerError),
            "503" => FaultKind::Status(Status::ServiceUnavailable),
            "truncate" => FaultKind::Truncate,
            "slow" => FaultKind::Slow(self.bytes_per_second.unwrap_or(10).max(1)),
            "packet-budget" => FaultKind::PacketBudget(self.packets_per_second.unwrap_or(1024)),
            other => {
                let shown = other.escape_debug();
                return Err(Wrong::at("fault")(format!(
                    "`fault` is `{shown}`; one of {}",
                    listed(FaultKind::names())
                )));
            }
        };
        let rate = self.rate.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&rate) {
            return Err(Wrong::at("rate")(format!("`rate` is `{rate}`; a number from 0 to 1")));
        }
        let by_request = self.path.is_some() || self.method.is_some() || self.count.is_some() || rate < 1.0;
        if kind == FaultKind::Refuse && by_request {
            let message =
                "`refuse` is about connections; it takes `for`, no `path`, `method`, `rate` or `count`";
            return Err(Wrong::at("fault")(message.to_owned()));
        }
        let mut fault = Fault { rate, count: self.count, ..Fault::new(kind) };
        fault.path.clone_from(&self.path);
        fault.method.clone_from(&self.method);
        if name == "hop-limit" {
            fault = fault.path(imds_model::well_known::TOKEN_PATH).method("PUT");
        }
        fault.lasting = self.lasting.as_deref().map(parse_duration).transpose().map_err(Wrong::at("for"))?;
        Ok(fault)
    }
}

/// A hop limit of 1 to 64.
pub(crate) fn hop_limit(hops: u64) -> Result<HopLimit, String> {
    u8::try_from(hops)
        .ok()
        .and_then(HopLimit::new)
        .ok_or_else(|| format!("`hop-limit` is `{hops}`; a number from 1 to 64"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(json: &str) -> Result<Event, String> {
        serde_json::from_str::<EventText>(json).map_err(|error| error.to_string())?.event()
    }

    #[test]
    fn defaults_are_the_real_ones() {
        assert_eq!(
            event(r#"{"event":"interrupt"}"#),
            Ok(Event::Interrupt { action: SpotAction::Terminate, notice: Duration::from_secs(120) })
        );
        assert_eq!(
            event(r#"{"event":"interrupt","action":"hibernate"}"#),
            Ok(Event::Interrupt { action: SpotAction::Hibernate, notice: Duration::ZERO })
        );
        let hop_limit = Fault::new(FaultKind::Stall).path("/latest/api/token").method("PUT");
        assert_eq!(event(r#"{"event":"fault","fault":"hop-limit"}"#), Ok(Event::Fault(hop_limit)));
    }

    #[test]
    fn what_is_wrong_and_what_is_accepted() {
        for (json, message) in [
            (
                r#"{"event":"tag","key":"a/b","value":"x"}"#,
                "tag key `a/b` holds `/`; \
              letters, digits and `+ - = . , _ : @` are accepted while tags are shown in metadata",
            ),
            (r#"{"event":"tag","key":"a"}"#, "`tag` needs `value`"),
            (
                r#"{"event":"interrupt","action":"reboot"}"#,
                "`action` is `reboot`; one of `terminate`, `stop`, `hibernate`",
            ),
            (
                r#"{"event":"interrupt","notice":"soon"}"#,
                "`soon` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
            ),
            (r#"{"event":"options","hop-limit":0}"#, "`hop-limit` is `0`; a number from 1 to 64"),
            (r#"{"event":"options","hop-limit":65}"#, "`hop-limit` is `65`; a number from 1 to 64"),
            (r#"{"event":"options","tokens":"on"}"#, "`tokens` is `on`; one of `optional`, `required`"),
            (r#"{"event":"options","ipv6":"yes"}"#, "`ipv6` is `yes`; one of `enabled`, `disabled`"),
            (r#"{"event":"rebalance","state":"x"}"#, "`rebalance` takes no `state`"),
            (r#"{"event":"untag","key":"a","path":"x"}"#, "`untag` takes no `path`, only `key`"),
            (
                r#"{"event":"user-data","base64":"*"}"#,
                "`base64` does not hold base64: Invalid symbol 42, offset 0.",
            ),
            (r#"{"event":"fault","fault":"stall","rate":2}"#, "`rate` is `2`; a number from 0 to 1"),
            (
                r#"{"event":"fault","fault":"refuse","count":1}"#,
                "`refuse` is about connections; it takes `for`, no `path`, `method`, `rate` or `count`",
            ),
            (
                r#"{"event":"set","path":"..","value":"x"}"#,
                "`..` is not the path of a value: `.` and `..` are not names",
            ),
            (
                r#"{"event":"unset","path":"meta-data"}"#,
                "`meta-data` is not the path of a value: it is a whole tree; name a value in it",
            ),
            (r#"{"event":"auto-scaling"}"#, "`auto-scaling` needs `walk`"),
            (
                r#"{"event":"auto-scaling","walk":"Terminate"}"#,
                "`walk` is `Terminate`; \
              one of `launch`, `terminate`, `warm-launch`, `warm-terminate`, `warm-return`",
            ),
            (
                r#"{"event":"auto-scaling","walk":"launch","drain":"1s"}"#,
                "walk `launch` has no `drain`, only `pending`, `wait`, `proceed`",
            ),
            (
                r#"{"event":"auto-scaling","walk":"terminate","wait":"long"}"#,
                "`long` is not a duration; write a number and a unit, such as `500ms`, `30s`, `5m`, `6h` or `1d`",
            ),
            (r#"{"event":"schedule-maintenance"}"#, "`schedule-maintenance` needs `not-before`"),
        ] {
            assert_eq!(event(json), Err(message.to_owned()));
        }
        let unknown = event(r#"{"event":"explode"}"#).unwrap_err();
        assert!(unknown.starts_with("`explode` is not an event; one of `rebalance`, "), "{unknown}");
        let states = event(r#"{"event":"target-lifecycle-state","state":"inservice"}"#).unwrap_err();
        assert!(
            states.contains("one of `Detached`, `InService`") && states.ends_with("or `none`"),
            "{states}"
        );
        let field = event(r#"{"event":"tag","kay":"a"}"#).unwrap_err();
        assert!(field.starts_with("unknown field `kay`, expected one of `event`, `after`"), "{field}");
    }

    proptest! {
        #[test]
        fn any_text_is_an_event_or_an_error(name in any::<String>(), state in any::<Option<String>>(), hops: Option<u64>) {
            let text = EventText { event: name, state, hop_limit: hops, ..EventText::default() };
            if let Err(message) = text.event() {
                prop_assert!(!message.is_empty());
            }
        }
    }
}
