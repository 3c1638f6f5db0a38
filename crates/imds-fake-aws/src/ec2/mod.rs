//! EC2, as documented: `DescribeInstances`, the metadata options, launch templates, images,
//! Regions.

mod account;
mod fleets;
mod instances;
mod security_groups;
mod templates;

pub(crate) use templates::number;

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::{Options, World};
use crate::xml::Xml;

/// Answers a request.
pub(crate) fn answer(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    match request.action.as_str() {
        "DescribeInstances" => instances::describe(world, request),
        "ModifyInstanceMetadataOptions" => instances::modify(world, request),
        "DescribeLaunchTemplates" => Ok(templates::describe(world, request)),
        "DescribeLaunchTemplateVersions" => templates::describe_versions(world, request),
        "CreateLaunchTemplateVersion" => templates::create_version(world, request),
        "ModifyLaunchTemplate" => templates::modify(world, request),
        "DeleteLaunchTemplateVersions" => templates::delete_versions(world, request),
        "DescribeFleets" => fleets::describe(world, request),
        "DescribeSpotFleetRequests" => fleets::describe_spot(world, request),
        "DescribeSecurityGroups" => security_groups::describe(world, request),
        "DescribeRegions" => Ok(account::describe_regions(world)),
        "DescribeImages" => Ok(account::describe_images(world, request)),
        "GetInstanceMetadataDefaults" => Ok(account::get_defaults(world, request)),
        "ModifyInstanceMetadataDefaults" => account::modify_defaults(world, request),
        other => Err(Refusal::new(
            "InvalidAction",
            format!("The action {other} is not valid for this web service."),
        )),
    }
}

/// The bucket that a request is counted in.
pub(crate) fn bucket(request: &Request) -> String {
    let plain = request.get("MaxResults").is_none()
        && request.get("Filter.1.Name").is_none()
        && request.get("InstanceId.1").is_none();
    if request.action == "DescribeInstances" && plain {
        return "DescribeInstances/unpaginated".to_owned();
    }
    request.action.clone()
}

fn write_options(xml: &mut Xml, options: &Options) {
    xml.maybe("httpTokens", options.http_tokens.as_ref())
        .maybe("httpPutResponseHopLimit", options.http_put_response_hop_limit)
        .maybe("httpEndpoint", options.http_endpoint.as_ref())
        .maybe("httpProtocolIpv6", options.http_protocol_ipv6.as_ref())
        .maybe("instanceMetadataTags", options.instance_metadata_tags.as_ref());
}

/// Options among the parameters, checked as the API checks them.
fn read_options(request: &Request, prefix: &str) -> Result<Options, Refusal> {
    let get = |name: &str| request.get(&format!("{prefix}{name}")).map(str::to_owned);
    let one_of = |name: &str, allowed: [&str; 2]| match get(name) {
        Some(value) if !allowed.contains(&value.as_str()) => Err(Refusal::new(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {name} is invalid."),
        )),
        value => Ok(value),
    };
    let hop = match get("HttpPutResponseHopLimit") {
        Some(text) => {
            let hop = text.parse::<i64>().ok().filter(|hop| (1..=64).contains(hop));
            Some(hop.ok_or_else(|| {
                Refusal::new(
                    "InvalidParameterValue",
                    format!("Value ({text}) for HttpPutResponseHopLimit is invalid."),
                )
            })?)
        }
        None => None,
    };
    Ok(Options {
        http_tokens: one_of("HttpTokens", ["optional", "required"])?,
        http_put_response_hop_limit: hop,
        http_endpoint: one_of("HttpEndpoint", ["enabled", "disabled"])?,
        http_protocol_ipv6: one_of("HttpProtocolIpv6", ["enabled", "disabled"])?,
        instance_metadata_tags: one_of("InstanceMetadataTags", ["enabled", "disabled"])?,
    })
}
