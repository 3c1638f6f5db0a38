//! Reads how often IMDSv1 was used: `MetadataNoToken` and `MetadataNoTokenRejected` of CloudWatch.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;

/// Successful IMDSv1 calls.
pub const NO_TOKEN: &str = "MetadataNoToken";
/// IMDSv1 calls that were refused since IMDSv2 is required.
pub const NO_TOKEN_REJECTED: &str = "MetadataNoTokenRejected";

/// "a single call can include up to 500 `MetricDataQuery` structures" (API reference,
/// `GetMetricData`).
pub const BATCH: usize = 500;

/// Whose metrics. EC2 publishes each instance metric for the Auto Scaling group too, over all the
/// instances that it had ("CloudWatch metrics that are available for your instances", EC2 User
/// Guide, dimension `AutoScalingGroupName`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// An instance.
    Instance(String),
    /// An Auto Scaling group.
    Group(String),
}

impl Subject {
    fn dimension(&self) -> Dimension {
        let (name, value) = match self {
            Self::Instance(id) => ("InstanceId", id),
            Self::Group(name) => ("AutoScalingGroupName", name),
        };
        Dimension::builder().name(name).value(value).build()
    }
}

/// A metric over a window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The sum of each period that has data, by its start in seconds since 1970.
    pub sums: BTreeMap<i64, f64>,
    /// Why it is not known in full, as CloudWatch says; nothing when it is.
    pub incomplete: Option<String>,
}

impl Series {
    /// The sum of all periods; none without data.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        (!self.sums.is_empty()).then(|| self.sums.values().sum())
    }
}

/// Both metrics of one subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    /// IMDSv1 calls that were answered.
    pub answered: Series,
    /// IMDSv1 calls that were refused.
    pub refused: Series,
}

impl Calls {
    /// Why they are not known in full.
    #[must_use]
    pub fn incomplete(&self) -> Option<&str> {
        self.answered.incomplete.as_deref().or(self.refused.incomplete.as_deref())
    }
}

/// Reads both metrics of these subjects.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn calls(
    client: &aws_sdk_cloudwatch::Client,
    caller: &Caller,
    place: &AccountRegion,
    subjects: &[Subject],
    window: std::ops::Range<i64>,
    period: i32,
) -> Result<BTreeMap<Subject, Calls>, Fault> {
    let wanted: Vec<(&Subject, &'static str)> =
        subjects.iter().flat_map(|it| [NO_TOKEN, NO_TOKEN_REJECTED].map(|metric| (it, metric))).collect();
    let mut found: BTreeMap<Subject, Calls> = BTreeMap::new();
    for batch in wanted.chunks(BATCH) {
        let queries: Vec<MetricDataQuery> =
            batch.iter().enumerate().map(|(n, (it, metric))| query(n, it, metric, period)).collect();
        // What no answer speaks of is not known, which is not the same as no data.
        let unsaid = Series { incomplete: Some("no answer".to_owned()), ..Series::default() };
        let mut read: Vec<Series> = vec![unsaid; batch.len()];
        let mut token = None;
        loop {
            let request = client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from_secs(window.start))
                .end_time(DateTime::from_secs(window.end))
                .set_next_token(token);
            let answer = caller.call(place, Api::GetMetricData, || request.clone().send()).await?;
            for result in answer.metric_data_results() {
                let number = result.id().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                let Some(series) = number.and_then(|number| read.get_mut(number)) else { continue };
                let times = result.timestamps().iter().map(DateTime::secs);
                for (at, value) in times.zip(result.values()) {
                    *series.sums.entry(at).or_default() += value;
                }
                // The status of the last page of a metric is that of the metric.
                series.incomplete = match result.status_code() {
                    Some(StatusCode::Complete) => None,
                    Some(other) => Some(said(other, result.messages())),
                    None => Some("no status".to_owned()),
                };
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        for ((subject, metric), series) in batch.iter().zip(read) {
            let calls = found.entry((*subject).clone()).or_default();
            if *metric == NO_TOKEN { calls.answered = series } else { calls.refused = series }
        }
    }
    Ok(found)
}

fn said(status: &StatusCode, messages: &[aws_sdk_cloudwatch::types::MessageData]) -> String {
    match messages.first().and_then(|message| message.value()) {
        Some(text) => format!("{}: {text}", status.as_str()),
        None => status.as_str().to_owned(),
    }
}

fn query(number: usize, subject: &Subject, metric: &str, period: i32) -> MetricDataQuery {
    let metric =
        Metric::builder().namespace("AWS/EC2").metric_name(metric).dimensions(subject.dimension()).build();
    let stat = MetricStat::builder().metric(metric).period(period).stat("Sum").build();
    MetricDataQuery::builder().id(format!("m{number}")).metric_stat(stat).return_data(true).build()
}
