//! Reads instances, page by page.

use aws_sdk_ec2::types::{self as ec2, Filter};
use imds_model::options::{HopLimit, HttpTokens, State, Switch};

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{AccountRegion, Instance};
use crate::inventory::risk::Exposure;

/// The largest page: "MaxResults ... between 5 and 1000" (API reference, `DescribeInstances`).
/// Asking for a page also moves the call from the small bucket of unpaginated calls (50/10) to the
/// usual one (100/20).
const PAGE: i32 = 1000;

/// The run states of an instance that still has metadata options to speak of: a terminated one is
/// listed for an hour after its end.
const RUN_STATES: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// Which instances to read.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Filters by the names of the API, such as `tag:team`.
    pub filters: Vec<(String, Vec<String>)>,
    /// Only those on which IMDSv1 is answered, filtered on the server.
    pub v1_only: bool,
}

impl Selection {
    fn filters(&self) -> Vec<Filter> {
        let mut filters: Vec<Filter> = self
            .filters
            .iter()
            .map(|(name, values)| Filter::builder().name(name).set_values(Some(values.clone())).build())
            .collect();
        if !self.filters.iter().any(|(name, _)| name == "instance-state-name") {
            filters.push(filter("instance-state-name", &RUN_STATES));
        }
        if self.v1_only {
            filters.push(filter("metadata-options.http-tokens", &["optional"]));
            // Not by endpoint as well: one that is being disabled still answers.
        }
        filters
    }
}

fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// One page and the token of the next.
#[derive(Debug)]
pub struct Page {
    /// The instances.
    pub instances: Vec<Instance>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
}

/// Reads one page. Instances that a service manages and hides are included.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn page(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    selection: &Selection,
    token: Option<String>,
) -> Result<Page, Fault> {
    let request = client
        .describe_instances()
        .include_managed_resources(true)
        .max_results(PAGE)
        .set_filters(Some(selection.filters()))
        .set_next_token(token);
    let answer = caller.call(place, Api::DescribeInstances, || request.clone().send()).await?;
    let instances = answer
        .reservations()
        .iter()
        .flat_map(ec2::Reservation::instances)
        .filter_map(|instance| read(place, instance))
        .collect();
    Ok(Page { instances, next: answer.next_token.filter(|token| !token.is_empty()) })
}

/// How many instances one call may name: "A filter can have up to 200 values" (EC2 User Guide,
/// "Find your Amazon EC2 resources").
pub const NAMED: usize = 200;

/// Reads every page of a selection.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn all(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    selection: &Selection,
) -> Result<Vec<Instance>, Fault> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let page = page(client, caller, place, selection, token).await?;
        found.extend(page.instances);
        token = page.next;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Reads these instances, wherever in the listing they stand; those that are gone are left out.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn by_id(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    ids: &[String],
) -> Result<Vec<Instance>, Fault> {
    let mut found = Vec::with_capacity(ids.len());
    // By filter rather than by `InstanceIds`: that fails as a whole when one of them is gone, and
    // may not be paged.
    for ids in ids.chunks(NAMED) {
        let selection =
            Selection { filters: vec![("instance-id".to_owned(), ids.to_vec())], ..Selection::default() };
        found.extend(all(client, caller, place, &selection).await?);
    }
    Ok(found)
}

/// An instance as the API tells it; none without an id.
fn read(place: &AccountRegion, from: &ec2::Instance) -> Option<Instance> {
    let id = from.instance_id()?.to_owned();
    let (options, options_state) = from.metadata_options().map_or((Options::NONE, None), options);
    let tags: std::collections::BTreeMap<String, String> = from
        .tags()
        .iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect();
    let operator = from.operator();
    let mut instance = Instance {
        place: place.clone(),
        id,
        name: tags.get("Name").cloned(),
        run_state: from
            .state()
            .and_then(ec2::InstanceState::name)
            .map_or_else(|| "unknown".to_owned(), |name| name.as_str().to_owned()),
        posture: Posture::of(&options, options_state),
        options,
        options_state,
        instance_type: from.instance_type().map(|value| value.as_str().to_owned()),
        image_id: from.image_id().map(str::to_owned),
        launched_at: from.launch_time().map(aws_smithy_types::DateTime::secs),
        lifecycle: from.instance_lifecycle().map(|value| value.as_str().to_owned()),
        auto_scaling_group: tags.get("aws:autoscaling:groupName").cloned(),
        operator: operator
            .filter(|operator| operator.managed() == Some(true))
            .map(|operator| operator.principal().unwrap_or("unnamed").to_owned()),
        hidden: operator.and_then(ec2::OperatorResponse::hidden_by_default) == Some(true),
        tags,
        exposure: Some(exposure(from)),
        risk: None,
    };
    instance.assess();
    Some(instance)
}

/// What can be known without the rules of its security groups.
fn exposure(from: &ec2::Instance) -> Exposure {
    let mut addresses: Vec<String> = from.public_ip_address().map(str::to_owned).into_iter().collect();
    for interface in from.network_interfaces() {
        let public = interface.association().and_then(ec2::InstanceNetworkInterfaceAssociation::public_ip);
        let own = interface.private_ip_addresses().iter().filter_map(|it| it.association()?.public_ip());
        let ipv6 = interface.ipv6_addresses().iter().filter_map(ec2::InstanceIpv6Address::ipv6_address);
        addresses.extend(public.into_iter().chain(own).chain(ipv6).map(str::to_owned));
    }
    let mut seen = std::collections::BTreeSet::new();
    addresses.retain(|address| seen.insert(address.clone()));
    let interfaces = from.network_interfaces().iter().flat_map(ec2::InstanceNetworkInterface::groups);
    let groups = from.security_groups().iter().chain(interfaces);
    let groups: std::collections::BTreeSet<String> =
        groups.filter_map(|group| group.group_id().map(str::to_owned)).collect();
    Exposure {
        instance_profile: from.iam_instance_profile().and_then(|it| it.arn()).map(str::to_owned),
        public_addresses: addresses,
        security_groups: groups.into_iter().collect(),
        open: None,
    }
}

/// The options of an answer and whether they are in force. What is spelled in an unknown way counts
/// as not said.
pub(super) fn options(from: &ec2::InstanceMetadataOptionsResponse) -> (Options, Option<State>) {
    let options = Options {
        http_tokens: from.http_tokens().and_then(|value| HttpTokens::parse(value.as_str())),
        http_endpoint: from.http_endpoint().and_then(|value| Switch::parse(value.as_str())),
        http_put_response_hop_limit: hop_limit(from.http_put_response_hop_limit()),
        http_protocol_ipv6: from.http_protocol_ipv6().and_then(|value| Switch::parse(value.as_str())),
        instance_metadata_tags: from.instance_metadata_tags().and_then(|value| Switch::parse(value.as_str())),
    };
    (options, from.state().and_then(|value| State::parse(value.as_str())))
}

/// A hop limit of the API, if it is one.
pub(super) fn hop_limit(hops: Option<i32>) -> Option<HopLimit> {
    hops.and_then(|hops| u8::try_from(hops).ok()).and_then(HopLimit::new)
}
