//! Regions, images, and the account's defaults.

use crate::answer::{Answer, Refusal, dry_run};
use crate::request::Request;
use crate::world::World;

pub(super) fn describe_regions(world: &World) -> Answer {
    Answer::ec2("DescribeRegions", |xml| {
        xml.element("regionInfo", |xml| {
            for (name, opted_in) in &world.regions {
                xml.element("item", |xml| {
                    let status = if *opted_in { "opt-in-not-required" } else { "not-opted-in" };
                    xml.text("regionName", name)
                        .text("regionEndpoint", format!("ec2.{name}.amazonaws.com"))
                        .text("optInStatus", status);
                });
            }
        });
    })
}

pub(super) fn describe_images(world: &mut World, request: &Request) -> Answer {
    let filters = request.filters();
    let own_only = request.list("Owner").contains(&"self");
    let contents = world.at(&request.account, &request.region);
    let named = |id: &str| filters.iter().all(|(name, values)| *name != "image-id" || values.contains(&id));
    let images: Vec<&crate::world::Image> =
        contents.images.iter().filter(|image| (!own_only || image.own) && named(&image.id)).collect();
    let size = request.get("MaxResults").and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
    let (range, next) = request.page(images.len(), size);
    Answer::ec2("DescribeImages", |xml| {
        xml.element("imagesSet", |xml| {
            for image in &images[range] {
                xml.element("item", |xml| {
                    xml.text("imageId", &image.id)
                        .text("name", format!("image {}", image.id))
                        .maybe("imdsSupport", image.imds_support.as_ref());
                });
            }
        });
        xml.maybe("nextToken", next);
    })
}

pub(super) fn get_defaults(world: &mut World, request: &Request) -> Answer {
    let defaults = world.at(&request.account, &request.region).defaults.clone();
    Answer::ec2("GetInstanceMetadataDefaults", |xml| {
        xml.element("accountLevel", |xml| {
            let options = &defaults.options;
            xml.maybe("httpTokens", options.http_tokens.as_ref())
                .maybe("httpPutResponseHopLimit", options.http_put_response_hop_limit)
                .maybe("httpEndpoint", options.http_endpoint.as_ref())
                .maybe("instanceMetadataTags", options.instance_metadata_tags.as_ref())
                .text(
                    "managedBy",
                    if defaults.declarative_policy { "declarative-policy" } else { "account" },
                );
            if defaults.enforced || defaults.enforced_set {
                xml.text("httpTokensEnforced", if defaults.enforced { "enabled" } else { "disabled" });
            }
            if defaults.declarative_policy {
                xml.text("managedExceptionMessage", "ask the platform team");
            }
        });
    })
}

pub(super) fn modify_defaults(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let defaults = &mut world.at(&request.account, &request.region).defaults;
    if defaults.declarative_policy {
        let text = "This functionality has been disabled by a Declarative Policy. Custom Message: ask the platform team";
        return Err(Refusal::new("DeclarativePolicyViolation", text));
    }
    if request.get("DryRun") == Some("true") {
        return Err(dry_run());
    }
    let set = |to: &mut Option<String>, name: &str| {
        if let Some(value) = request.get(name) {
            *to = Some(value.to_owned()).filter(|value| value != "no-preference");
        }
    };
    set(&mut defaults.options.http_tokens, "HttpTokens");
    set(&mut defaults.options.http_endpoint, "HttpEndpoint");
    set(&mut defaults.options.instance_metadata_tags, "InstanceMetadataTags");
    if let Some(hop) = request.get("HttpPutResponseHopLimit").and_then(|hop| hop.parse::<i64>().ok()) {
        defaults.options.http_put_response_hop_limit = Some(hop).filter(|hop| *hop != -1);
    }
    if let Some(enforced) = request.get("HttpTokensEnforced") {
        defaults.enforced = enforced == "enabled";
        defaults.enforced_set = enforced != "no-preference";
    }
    defaults.changes += 1;
    Ok(Answer::ec2("ModifyInstanceMetadataDefaults", |xml| {
        xml.text("return", true);
    }))
}
