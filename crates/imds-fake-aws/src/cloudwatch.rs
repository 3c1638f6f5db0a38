//! CloudWatch: `GetMetricData` of the EC2 metadata metrics, in CBOR.

use ciborium::Value;

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::World;

/// "a single call can include up to 500 `MetricDataQuery` structures" (API reference,
/// `GetMetricData`).
const QUERIES: usize = 500;

pub(crate) fn get_metric_data(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let queries = array(field(&request.cbor, "MetricDataQueries"));
    if queries.len() > QUERIES {
        return Err(Refusal::new(
            "ValidationError",
            "The collection MetricDataQueries must not have a size greater than 500.",
        ));
    }
    let shown_until = now() - world.metrics_late;
    let start = seconds(field(&request.cbor, "StartTime"));
    let end = seconds(field(&request.cbor, "EndTime"));
    let results = queries
        .iter()
        .map(|query| {
            let stat = field(query, "MetricStat");
            let metric = stat.and_then(|stat| field(stat, "Metric"));
            let name = metric.and_then(|metric| text(field(metric, "MetricName"))).unwrap_or_default();
            let period = stat.and_then(|stat| integer(field(stat, "Period"))).unwrap_or(60).max(1);
            let dimension = metric.map(|metric| array(field(metric, "Dimensions"))).unwrap_or_default();
            let instance =
                dimension.first().and_then(|first| text(field(first, "Value"))).unwrap_or_default();
            let status = world.metric_statuses.get(&instance).map_or("Complete", String::as_str);
            let mut sums: std::collections::BTreeMap<i64, f64> = std::collections::BTreeMap::new();
            if let Some(samples) = world.metrics.get(&(instance, name.clone())) {
                let shown = samples.iter().filter(|(at, _)| (start..end).contains(at));
                for (at, value) in shown.filter(|(at, _)| world.metrics_late == 0 || *at <= shown_until) {
                    *sums.entry(at - at.rem_euclid(period)).or_default() += value;
                }
            }
            map(vec![
                ("Id", field(query, "Id").cloned().unwrap_or(Value::Null)),
                ("Label", Value::Text(name)),
                ("StatusCode", Value::Text(status.to_owned())),
                (
                    "Timestamps",
                    Value::Array(
                        sums.keys().map(|at| Value::Tag(1, Box::new(Value::Integer((*at).into())))).collect(),
                    ),
                ),
                ("Values", Value::Array(sums.values().map(|sum| Value::Float(*sum)).collect())),
            ])
        })
        .collect();
    // "If there are too many results, the answer has a NextToken" (API reference, `GetMetricData`).
    let results: Vec<Value> = results;
    let size = world.metric_page.unwrap_or(usize::MAX);
    let token = text(field(&request.cbor, "NextToken"));
    let at = token.and_then(|token| token.strip_prefix("page-")?.parse::<usize>().ok()).unwrap_or(0);
    let rest = results.len().saturating_sub(at);
    let page: Vec<Value> = results.into_iter().skip(at).take(size).collect();
    let more = rest > page.len();
    let mut answer = vec![("MetricDataResults", Value::Array(page))];
    if more {
        answer.push(("NextToken", Value::Text(format!("page-{}", at.saturating_add(size)))));
    }
    Ok(Answer::cbor(&map(answer)))
}

#[allow(clippy::disallowed_methods, reason = "what is late is late by the clock")]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (Value::Text(name.to_owned()), value)).collect())
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(entries) = value else { return None };
    entries.iter().find(|(key, _)| *key == Value::Text(name.to_owned())).map(|(_, value)| value)
}

fn array(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

fn integer(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Integer(number)) => i64::try_from(*number).ok(),
        _ => None,
    }
}

#[allow(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
fn seconds(value: Option<&Value>) -> i64 {
    match value {
        Some(Value::Tag(1, inner)) => match inner.as_ref() {
            Value::Float(seconds) => *seconds as i64,
            other => integer(Some(other)).unwrap_or_default(),
        },
        other => integer(other).unwrap_or_default(),
    }
}
