//! Asks an AWS Config aggregator: AWS's own distributed inventory answers for the whole
//! organization, with no role to assume anywhere. It knows what Config records: instances where
//! recording is on, as of the last change.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::instance_json::{InstanceJson, TagJson};
use crate::aws::limit::Api;
use crate::aws::session::Access;
use crate::error::Error;
use crate::inventory::resource::{AccountRegion, Gap, Instance, Reason, Resource, Scan};
use crate::scan::Event;

/// The advanced query. Columns rather than all of `configuration`: a page may not be larger than
/// Config allows.
pub const QUERY: &str = "SELECT resourceId, accountId, awsRegion, tags, configuration.instanceType, \
    configuration.imageId, configuration.launchTime, configuration.instanceLifecycle, configuration.state.name, \
    configuration.operator, configuration.metadataOptions WHERE resourceType = 'AWS::EC2::Instance'";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    resource_id: String,
    account_id: String,
    aws_region: String,
    #[serde(default)]
    tags: Option<Vec<TagJson>>,
    configuration: InstanceJson,
}

/// Reads all instances that the aggregator knows.
///
/// # Errors
///
/// Returns an error if the query fails: half an answer is none.
pub async fn read(
    access: &Access,
    region: &str,
    aggregator: &str,
    to: &mut (dyn FnMut(Event) -> Result<(), Error> + Send),
) -> Result<(), Error> {
    let member = access.own();
    let client = member.config(region);
    let place = AccountRegion { account: access.home().account.clone(), region: region.to_owned() };
    let mut seen: BTreeMap<AccountRegion, u64> = BTreeMap::new();
    let mut gaps: Vec<Gap> = Vec::new();
    let mut token = None;
    loop {
        let request = client
            .select_aggregate_resource_config()
            .configuration_aggregator_name(aggregator)
            .expression(QUERY)
            .limit(100)
            .set_next_token(token);
        let answer = member
            .caller
            .call(&place, Api::SelectAggregateResourceConfig, || request.clone().send())
            .await
            .map_err(Error::Call)?;
        for text in answer.results() {
            match read_row(text) {
                Ok(instance) => {
                    *seen.entry(instance.place.clone()).or_default() += 1;
                    to(Event::Found(vec![Resource::Instance(Box::new(instance))]))?;
                }
                Err(message) => gaps.push(Gap {
                    call: Api::SelectAggregateResourceConfig.name().to_owned(),
                    reason: Reason::Other,
                    message,
                }),
            }
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    seen.into_iter()
        .try_for_each(|(place, instances)| to(Event::Scanned(Scan { place, instances, gaps: Vec::new() })))?;
    if gaps.is_empty() {
        return Ok(());
    }
    let place = AccountRegion { account: "unknown".to_owned(), region: "unknown".to_owned() };
    to(Event::Scanned(Scan { place, instances: 0, gaps }))
}

/// A row that is no instance makes the scan incomplete, not void.
fn read_row(text: &str) -> Result<Instance, String> {
    let row: Row = serde_json::from_str(text).map_err(|error| format!("a row cannot be read: {error}"))?;
    let place = AccountRegion { account: row.account_id, region: row.aws_region };
    let id = row.resource_id.clone();
    let read = row.configuration.into_instance(place, Some(row.resource_id), row.tags.unwrap_or_default())?;
    read.ok_or_else(|| format!("`{id}` is terminated, and still among what Config records"))
}
