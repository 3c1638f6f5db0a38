//! EC2 Fleet and Spot Fleet requests.

use super::templates::write_tags;
use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::{Contents, FleetLaunch, FleetRequest, World};
use crate::xml::Xml;

/// The size of a page: from 1 to 1000 (API reference, `DescribeFleets`,
/// `DescribeSpotFleetRequests`).
fn size(request: &Request) -> Result<usize, Refusal> {
    match request.get("MaxResults").map(str::parse::<usize>) {
        None => Ok(1000),
        Some(Ok(size)) if (1..=1000).contains(&size) => Ok(size),
        Some(_) => {
            let text = "Value for parameter MaxResults is invalid. Expecting a value from 1 to 1000.";
            Err(Refusal::new("InvalidParameterValue", text))
        }
    }
}

/// `DescribeFleets`: "If a fleet is of type `instant`, you must specify the fleet ID in the
/// request, otherwise the fleet does not appear in the response" (API reference).
pub(super) fn describe(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let size = size(request)?.min(world.fleet_page.unwrap_or(usize::MAX));
    let named = request.list("FleetId");
    let contents = world.at(&request.account, &request.region);
    let listed = |it: &&FleetRequest| match named.as_slice() {
        [] => it.kind != "instant",
        named => named.contains(&it.id.as_str()),
    };
    let fleets: Vec<&FleetRequest> = contents.fleets.iter().filter(listed).collect();
    let (range, next) = request.page(fleets.len(), size);
    Ok(Answer::ec2("DescribeFleets", |xml| {
        xml.element("fleetSet", |xml| {
            for fleet in &fleets[range] {
                xml.element("item", |xml| {
                    xml.text("fleetId", &fleet.id).text("fleetState", &fleet.state).text("type", &fleet.kind);
                    xml.element("launchTemplateConfigs", |xml| templates(xml, fleet, contents, true));
                    xml.element("tagSet", |xml| write_tags(xml, &fleet.tags));
                });
            }
        });
        xml.maybe("nextToken", next);
    }))
}

/// `DescribeSpotFleetRequests`: launch specifications, which have no metadata options (API
/// reference, `SpotFleetLaunchSpecification`), and launch templates.
pub(super) fn describe_spot(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let size = size(request)?.min(world.fleet_page.unwrap_or(usize::MAX));
    let contents = world.at(&request.account, &request.region);
    let (range, next) = request.page(contents.spot_fleets.len(), size);
    Ok(Answer::ec2("DescribeSpotFleetRequests", |xml| {
        xml.element("spotFleetRequestConfigSet", |xml| {
            for fleet in &contents.spot_fleets[range] {
                xml.element("item", |xml| {
                    xml.text("spotFleetRequestId", &fleet.id).text("spotFleetRequestState", &fleet.state);
                    xml.element("spotFleetRequestConfig", |xml| {
                        xml.text("type", &fleet.kind);
                        let own = fleet.launches.iter().filter(|it| it.template.is_none());
                        xml.element("launchSpecifications", |xml| own.for_each(|it| specification(xml, it)));
                        xml.element("launchTemplateConfigs", |xml| templates(xml, fleet, contents, false));
                    });
                    xml.element("tagSet", |xml| write_tags(xml, &fleet.tags));
                });
            }
        });
        xml.maybe("nextToken", next);
    }))
}

fn specification(xml: &mut Xml, launch: &FleetLaunch) {
    xml.element("item", |xml| {
        xml.maybe("imageId", launch.image.as_ref()).text("instanceType", "m7g.large");
    });
}

/// The templates; only EC2 Fleet has an image in an override.
fn templates(xml: &mut Xml, fleet: &FleetRequest, contents: &Contents, with_images: bool) {
    for launch in &fleet.launches {
        let Some((id, version)) = &launch.template else { continue };
        let name = contents.templates.iter().find(|template| template.id == *id).map(|it| &it.name);
        xml.element("item", |xml| {
            xml.element("launchTemplateSpecification", |xml| {
                xml.text("launchTemplateId", id).maybe("launchTemplateName", name).text("version", version);
            });
            if let Some(image) = launch.image.as_ref().filter(|_| with_images) {
                xml.element("overrides", |xml| {
                    xml.element("item", |xml| {
                        xml.text("instanceType", "m7g.large").text("imageId", image);
                    });
                });
            }
        });
    }
}
