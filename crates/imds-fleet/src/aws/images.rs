//! Reads whether images ask for IMDSv2.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::Filter;

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Image};

/// Reads the account's own images and these others. There is no server-side filter for
/// `ImdsSupport`.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn images(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    others: &BTreeSet<String>,
) -> Result<Vec<Image>, Fault> {
    let own = client.describe_images().owners("self").max_results(1000);
    let mut found = pages(own, caller, place).await?;
    let known: BTreeSet<String> = found.iter().map(|image| image.id.clone()).collect();
    let missing: Vec<String> = others.difference(&known).cloned().collect();
    // By filter: `ImageIds` fails as a whole when one of them is gone.
    for ids in missing.chunks(200) {
        let filter = Filter::builder().name("image-id").set_values(Some(ids.to_vec())).build();
        let request = client.describe_images().include_deprecated(true).filters(filter).max_results(1000);
        found.extend(pages(request, caller, place).await?);
    }
    Ok(found)
}

async fn pages(
    request: aws_sdk_ec2::operation::describe_images::builders::DescribeImagesFluentBuilder,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Vec<Image>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = request.clone().set_next_token(token);
        let answer = caller.call(place, Api::DescribeImages, || request.clone().send()).await?;
        found.extend(answer.images().iter().filter_map(|image| {
            Some(Image {
                place: place.clone(),
                id: image.image_id()?.to_owned(),
                name: image.name().map(str::to_owned),
                imds_support: image.imds_support().map(|value| value.as_str().to_owned()),
            })
        }));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}
