//! Reads how often IMDSv1 was used: `MetadataNoToken` and `MetadataNoTokenRejected` of CloudWatch.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

use super::call::Caller;
use super::fault::Fault;
use super::limit::Api;
use crate::inventory::resource::AccountRegion;

/// Successful IMDSv1 calls.
pub const NO_TOKEN: &str = "MetadataNoToken";
/// IMDSv1 calls that were refused since IMDSv2 is required.
pub const NO_TOKEN_REJECTED: &str = "MetadataNoTokenRejected";

/// "a single call can include up to 500 `MetricDataQuery` structures" (API reference, `GetMetricData`).
const BATCH: usize = 500;

/// The sums of a metric of an instance, by period: no entry where there is no data.
pub type Sums = BTreeMap<(String, &'static str), Vec<f64>>;

/// Reads both metrics of these instances.
///
/// # Errors
///
/// The fault of the call.
pub async fn sums(
    client: &aws_sdk_cloudwatch::Client,
    caller: &Caller,
    place: &AccountRegion,
    ids: &[String],
    window: std::ops::Range<i64>,
    period: i32,
) -> Result<Sums, Fault> {
    let wanted: Vec<(&String, &'static str)> =
        ids.iter().flat_map(|id| [NO_TOKEN, NO_TOKEN_REJECTED].map(|metric| (id, metric))).collect();
    let mut sums = Sums::new();
    for batch in wanted.chunks(BATCH) {
        let queries: Vec<MetricDataQuery> =
            batch.iter().enumerate().map(|(n, (id, metric))| query(n, id, metric, period)).collect();
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
                let Some((id, metric)) = number.and_then(|number| batch.get(number)) else { continue };
                if !result.values().is_empty() {
                    sums.entry(((*id).clone(), metric)).or_default().extend(result.values());
                }
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
    }
    Ok(sums)
}

fn query(number: usize, id: &str, metric: &str, period: i32) -> MetricDataQuery {
    let metric = Metric::builder()
        .namespace("AWS/EC2")
        .metric_name(metric)
        .dimensions(Dimension::builder().name("InstanceId").value(id).build())
        .build();
    let stat = MetricStat::builder().metric(metric).period(period).stat("Sum").build();
    MetricDataQuery::builder().id(format!("m{number}")).metric_stat(stat).return_data(true).build()
}
