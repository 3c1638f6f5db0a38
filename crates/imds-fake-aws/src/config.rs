//! Config: advanced queries of an aggregator, as far as `imds-fleet` asks them.

use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::World;

/// Answers with every instance of every account: selection by SQL is not made up here, only the
/// columns are.
pub(crate) fn select_aggregate(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let limit = request.json.get("Limit").and_then(serde_json::Value::as_u64).unwrap_or(25);
    if limit > 100 {
        return Err(Refusal::new("InvalidLimitException", "The limit is 100."));
    }
    if request.json.get("ConfigurationAggregatorName").and_then(|name| name.as_str()) != Some("org") {
        return Err(Refusal::new(
            "NoSuchConfigurationAggregatorException",
            "The configuration aggregator does not exist.",
        ));
    }
    let all: Vec<_> = world
        .places
        .iter()
        .flat_map(|(place, contents)| contents.instances.iter().map(move |instance| (place, instance)))
        .collect();
    let (range, next) = request.page(all.len(), usize::try_from(limit.max(1)).unwrap_or(100));
    let results: Vec<String> = all[range]
        .iter()
        .map(|((account, region), instance)| {
            let options = &instance.options;
            let tags: Vec<_> =
                instance.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
            json!({
                "resourceId": instance.id,
                "accountId": account,
                "awsRegion": region,
                "tags": tags,
                "configuration": {
                    "instanceType": "m7g.large",
                    "imageId": instance.image_id,
                    "launchTime": "2023-11-14T22:13:20.000Z",
                    "instanceLifecycle": instance.lifecycle,
                    "state": { "name": instance.run_state },
                    "metadataOptions": {
                        "state": "applied",
                        "httpTokens": options.http_tokens,
                        "httpPutResponseHopLimit": options.http_put_response_hop_limit,
                        "httpEndpoint": options.http_endpoint,
                        "httpProtocolIpv6": options.http_protocol_ipv6,
                        "instanceMetadataTags": options.instance_metadata_tags,
                    },
                },
            })
            .to_string()
        })
        .collect();
    let mut answer = json!({ "Results": results, "QueryInfo": { "SelectFields": [] } });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(Answer::json(&answer))
}
