//! EC2 Fleet and Spot Fleet requests: what each launches from.

use aws_sdk_ec2::types::{self as ec2, BatchState, FleetStateCode, FleetType};

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::options::Options;
use crate::inventory::owner::Owner;
use crate::inventory::requests::{FleetRequest, FleetService, FleetSource};
use crate::inventory::resource::AccountRegion;

/// Reads the EC2 Fleet requests that may still launch. One of type `instant` launches once, and is
/// not listed unless it is asked for by its id (API reference, `DescribeFleets`).
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn ec2_fleets(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Vec<FleetRequest>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = client.describe_fleets().max_results(1000).set_next_token(token);
        let answer = caller.call(place, Api::DescribeFleets, || request.clone().send()).await?;
        found.extend(answer.fleets().iter().filter_map(|fleet| ec2_fleet(place, fleet)));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn ec2_fleet(place: &AccountRegion, fleet: &ec2::FleetData) -> Option<FleetRequest> {
    let over = matches!(
        fleet.fleet_state(),
        Some(
            FleetStateCode::Deleted
                | FleetStateCode::DeletedRunning
                | FleetStateCode::DeletedTerminatingInstances
                | FleetStateCode::Failed
        )
    );
    if over || fleet.r#type() == Some(&FleetType::Instant) {
        return None;
    }
    let mut sources = Vec::new();
    for config in fleet.launch_template_configs() {
        let specification = config.launch_template_specification();
        let images = config.overrides().iter().map(|own| own.image_id().map(str::to_owned));
        of_template(specification, images, &mut sources);
    }
    Some(FleetRequest {
        place: place.clone(),
        id: fleet.fleet_id()?.to_owned(),
        service: FleetService::Ec2Fleet,
        state: fleet.fleet_state().map(|state| state.as_str().to_owned()),
        request_type: fleet.r#type().map(|it| it.as_str().to_owned()),
        sources,
        owner: owner(fleet.tags()),
        enforced: false,
    })
}

/// Reads the Spot Fleet requests that may still launch.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn spot_fleets(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Vec<FleetRequest>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = client.describe_spot_fleet_requests().max_results(1000).set_next_token(token);
        let answer = caller.call(place, Api::DescribeSpotFleetRequests, || request.clone().send()).await?;
        found.extend(answer.spot_fleet_request_configs().iter().filter_map(|it| spot_fleet(place, it)));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn spot_fleet(place: &AccountRegion, request: &ec2::SpotFleetRequestConfig) -> Option<FleetRequest> {
    let over = matches!(
        request.spot_fleet_request_state(),
        Some(
            BatchState::Cancelled
                | BatchState::CancelledRunning
                | BatchState::CancelledTerminatingInstances
                | BatchState::Failed
        )
    );
    if over {
        return None;
    }
    let config = request.spot_fleet_request_config();
    let mut sources = Vec::new();
    for own in config.map(ec2::SpotFleetRequestConfigData::launch_specifications).unwrap_or_default() {
        push(&mut sources, FleetSource { image_id: own.image_id().map(str::to_owned), ..source() });
    }
    for own in config.map(ec2::SpotFleetRequestConfigData::launch_template_configs).unwrap_or_default() {
        of_template(own.launch_template_specification(), std::iter::empty(), &mut sources);
    }
    Some(FleetRequest {
        place: place.clone(),
        id: request.spot_fleet_request_id()?.to_owned(),
        service: FleetService::SpotFleet,
        state: request.spot_fleet_request_state().map(|state| state.as_str().to_owned()),
        request_type: config.and_then(|it| it.r#type()).map(|it| it.as_str().to_owned()),
        sources,
        owner: owner(request.tags()),
        enforced: false,
    })
}

/// A template as it is, and with each image that an override names instead.
fn of_template(
    specification: Option<&ec2::FleetLaunchTemplateSpecification>,
    images: impl Iterator<Item = Option<String>>,
    to: &mut Vec<FleetSource>,
) {
    let Some(specification) = specification else { return };
    let template = specification.launch_template_id().or(specification.launch_template_name());
    let of = |image_id| FleetSource {
        template: template.map(str::to_owned),
        // "You must specify a value, otherwise the request fails" (`Version`): one without it is
        // older than that rule.
        version: Some(specification.version().unwrap_or("$Default").to_owned()),
        image_id,
        ..source()
    };
    let images: Vec<Option<String>> = images.collect();
    // What each override launches has its own image where it names one.
    if images.is_empty() {
        push(to, of(None));
    }
    images.into_iter().for_each(|image| push(to, of(image)));
}

fn push(to: &mut Vec<FleetSource>, source: FleetSource) {
    if !to.contains(&source) {
        to.push(source);
    }
}

const fn source() -> FleetSource {
    FleetSource {
        template: None,
        version: None,
        image_id: None,
        options: Options::NONE,
        effective: None,
        assumed: Vec::new(),
    }
}

fn owner(tags: &[ec2::Tag]) -> Option<Owner> {
    Owner::of_tags(tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default()))))
}
