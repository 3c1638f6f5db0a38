//! One row of named columns for every kind of resource: what CSV and Parquet hold.

use crate::inventory::effective::Effective;
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountRegion, Resource, Scan};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// Yes or no.
    Boolean,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(yes) => yes.fmt(f),
        }
    }
}

/// The columns, in order.
pub const COLUMNS: &[(&str, Type)] = &[
    ("kind", Type::Text),
    ("account_id", Type::Text),
    ("region_name", Type::Text),
    ("id", Type::Text),
    ("name", Type::Text),
    ("posture", Type::Text),
    ("http_tokens", Type::Text),
    ("http_endpoint", Type::Text),
    ("http_put_response_hop_limit", Type::Integer),
    ("http_protocol_ipv6", Type::Text),
    ("instance_metadata_tags", Type::Text),
    ("options_state", Type::Text),
    ("run_state", Type::Text),
    ("instance_type", Type::Text),
    ("image_id", Type::Text),
    ("launched_at", Type::Integer),
    ("lifecycle", Type::Text),
    ("auto_scaling_group", Type::Text),
    ("operator", Type::Text),
    ("hidden", Type::Boolean),
    ("version", Type::Integer),
    ("is_default", Type::Boolean),
    ("used_by", Type::Text),
    ("next_launch_http_tokens", Type::Text),
    ("next_launch_http_tokens_from", Type::Text),
    ("imds_support", Type::Text),
    ("http_tokens_enforced", Type::Boolean),
    ("managed_by", Type::Text),
    ("owner", Type::Text),
    ("assumed", Type::Text),
    ("not_scanned", Type::Text),
    ("tags", Type::Text),
    ("risk", Type::Integer),
    ("risk_reasons", Type::Text),
    ("end_state_reached", Type::Boolean),
    ("end_state_missing", Type::Text),
];

/// A row under construction: a value for each column, or none.
#[derive(Clone, Debug)]
pub struct Row(Vec<Option<Value>>);

impl Row {
    fn new(kind: &str, place: &AccountRegion, id: &str) -> Self {
        let mut row = Self(vec![None; COLUMNS.len()]);
        row.text("kind", Some(kind));
        row.text("account_id", Some(&place.account));
        row.text("region_name", Some(&place.region));
        row.text("id", Some(id));
        row
    }

    fn set(&mut self, column: &str, value: Value) {
        let index = COLUMNS.iter().position(|(name, _)| *name == column);
        debug_assert!(index.is_some(), "no column {column}");
        if let Some(slot) = index.and_then(|index| self.0.get_mut(index)) {
            *slot = Some(value);
        }
    }

    fn text(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(column, Value::Text(value.to_owned()));
        }
    }

    fn options(&mut self, options: &Options) {
        self.text("http_tokens", options.http_tokens.map(|value| value.as_str()));
        self.text("http_endpoint", options.http_endpoint.map(|value| value.as_str()));
        if let Some(hops) = options.http_put_response_hop_limit {
            self.set("http_put_response_hop_limit", Value::Integer(hops.get().into()));
        }
        self.text("http_protocol_ipv6", options.http_protocol_ipv6.map(|value| value.as_str()));
        self.text("instance_metadata_tags", options.instance_metadata_tags.map(|value| value.as_str()));
    }

    fn assumed(&mut self, assumed: &[String]) {
        if !assumed.is_empty() {
            self.text("assumed", Some(&assumed.join("; ")));
        }
    }

    fn effective(&mut self, effective: &Effective) {
        self.text("next_launch_http_tokens", Some(effective.http_tokens.value.as_str()));
        self.text("next_launch_http_tokens_from", Some(effective.http_tokens.from.as_str()));
        self.text("posture", Some(effective.posture().as_str()));
    }

    /// The values, in the order of [`COLUMNS`].
    #[must_use]
    pub fn values(&self) -> &[Option<Value>] {
        &self.0
    }
}

/// The row of a resource.
#[must_use]
pub fn resource(resource: &Resource) -> Row {
    let mut row = Row::new(resource.kind(), resource.place(), resource.id());
    match resource {
        Resource::Instance(it) => {
            row.text("name", it.name.as_deref());
            row.text("posture", Some(it.posture.as_str()));
            row.options(&it.options);
            row.text("options_state", it.options_state.map(|state| state.as_str()));
            row.text("run_state", Some(&it.run_state));
            row.text("instance_type", it.instance_type.as_deref());
            row.text("image_id", it.image_id.as_deref());
            if let Some(seconds) = it.launched_at {
                row.set("launched_at", Value::Integer(seconds));
            }
            row.text("lifecycle", it.lifecycle.as_deref());
            row.text("auto_scaling_group", it.auto_scaling_group.as_deref());
            row.text("operator", it.operator.as_deref());
            row.text("owner", it.owner().map(|owner| owner.option()));
            row.set("hidden", Value::Boolean(it.hidden));
            if let Some(risk) = &it.risk {
                row.set("risk", Value::Integer(risk.score.into()));
                row.text("risk_reasons", Some(&risk.reasons.join("; ")));
            }
            if let Ok(tags) = serde_json::to_string(&it.tags) {
                row.set("tags", Value::Text(tags));
            }
        }
        Resource::LaunchTemplate(it) => {
            row.text("name", it.name.as_deref());
            row.options(&it.options);
            row.text("image_id", it.image_id.as_deref());
            row.set("version", Value::Integer(it.version));
            row.set("is_default", Value::Boolean(it.is_default));
            let users: Vec<&str> = it.users().collect();
            row.text("used_by", Some(&users.join(" ")));
            row.text("operator", it.operator.as_deref());
            row.text("owner", it.owner.map(|owner| owner.option()));
            row.assumed(&it.assumed);
            row.effective(&it.effective);
        }
        Resource::LaunchConfiguration(it) => {
            row.options(&it.options);
            row.text("image_id", it.image_id.as_deref());
            row.text("used_by", Some(&it.used_by.join(" ")));
            row.text("owner", it.owner.map(|owner| owner.option()));
            row.assumed(&it.assumed);
            row.effective(&it.effective);
        }
        Resource::FleetRequest(it) => {
            row.text("posture", Some(it.posture().as_str()));
            row.text("run_state", it.state.as_deref());
            row.text("owner", it.owner.map(|owner| owner.option()));
            let mut assumed: Vec<String> = it.sources.iter().flat_map(|it| it.assumed.clone()).collect();
            assumed.dedup();
            row.assumed(&assumed);
        }
        Resource::WarmPool(it) => {
            row.text("posture", it.posture().map(Posture::as_str));
            row.text("auto_scaling_group", Some(&it.id));
            row.text("run_state", it.pool_state.as_deref());
            row.text("owner", it.owner.map(|owner| owner.option()));
        }
        Resource::Image(it) => {
            row.text("name", it.name.as_deref());
            row.text("imds_support", it.imds_support.as_deref());
        }
        Resource::AccountDefaults(it) => {
            row.options(&it.options);
            row.set("http_tokens_enforced", Value::Boolean(it.http_tokens_enforced));
            row.text("managed_by", it.managed_by.as_deref());
            row.set("end_state_reached", Value::Boolean(it.end_state.reached));
            row.text("end_state_missing", Some(&it.end_state.missing.join("; ")));
            row.effective(&it.effective);
        }
    }
    row
}

/// The row of a scan.
#[must_use]
pub fn scan(scan: &Scan) -> Row {
    let mut row = Row::new("scan", &scan.place, &scan.place.to_string());
    if !scan.is_complete() {
        row.text("not_scanned", Some(&not_scanned(scan)));
    }
    row
}

/// What was not scanned and why, in words.
#[must_use]
pub fn not_scanned(scan: &Scan) -> String {
    let gaps: Vec<String> = scan
        .gaps
        .iter()
        .map(|gap| format!("{} {} ({})", gap.call, gap.reason.as_str(), gap.message))
        .collect();
    gaps.join("; ")
}
