//! The EC2 calls that change something. Each sends only what is to change.

use aws_sdk_ec2::types as ec2;
use imds_model::options::Switch;

use super::call::Caller;
use super::launch_sources::{self, Version};
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::options::Options;
use crate::inventory::resource::{AccountRegion, Reason};

/// Whether to do it or to ask whether it would be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Real,
    /// Ask: EC2 answers `DryRunOperation` to who may.
    DryRun,
}

/// The answer of a dry run that says yes is an error to the SDK.
fn told<T>(mode: Mode, result: Result<T, Fault>) -> Result<Option<T>, Fault> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(fault) if mode == Mode::DryRun && fault.is_code("DryRunOperation") => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Changes the options of an instance: the set ones.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn instance(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    id: &str,
    change: &Options,
    mode: Mode,
) -> Result<(), Fault> {
    let hops = change.http_put_response_hop_limit.map(|hops| i32::from(hops.get()));
    let request = client
        .modify_instance_metadata_options()
        .instance_id(id)
        .set_http_tokens(change.http_tokens.map(|value| ec2::HttpTokensState::from(value.as_str())))
        .set_http_put_response_hop_limit(hops)
        .set_http_endpoint(
            change.http_endpoint.map(|value| ec2::InstanceMetadataEndpointState::from(value.as_str())),
        )
        .set_http_protocol_ipv6(
            change.http_protocol_ipv6.map(|value| ec2::InstanceMetadataProtocolState::from(value.as_str())),
        )
        .set_instance_metadata_tags(
            change.instance_metadata_tags.map(|value| ec2::InstanceMetadataTagsState::from(value.as_str())),
        )
        .set_dry_run((mode == Mode::DryRun).then_some(true));
    let result = caller.call(place, Api::ModifyInstanceMetadataOptions, || request.clone().send()).await;
    told(mode, result).map(|_| ())
}

/// What becomes of `HttpTokensEnforced`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforced {
    /// It stays as it is.
    Kept,
    /// It is set.
    Set(Switch),
    /// Nothing is said about it any more.
    Cleared,
}

/// Changes the defaults of an account: those of `change` that are set; those of `cleared` have no
/// preference afterwards.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn defaults(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    change: &Options,
    cleared: &Options,
    enforced: Enforced,
    mode: Mode,
) -> Result<(), Fault> {
    const NONE: &str = "no-preference";
    let tokens = change.http_tokens.map(|value| value.as_str()).or(cleared.http_tokens.map(|_| NONE));
    let endpoint = change.http_endpoint.map(|value| value.as_str()).or(cleared.http_endpoint.map(|_| NONE));
    let tags = change
        .instance_metadata_tags
        .map(|value| value.as_str())
        .or(cleared.instance_metadata_tags.map(|_| NONE));
    let hops = change
        .http_put_response_hop_limit
        .map(|hops| i32::from(hops.get()))
        .or(cleared.http_put_response_hop_limit.map(|_| -1));
    let enforced = match enforced {
        Enforced::Kept => None,
        Enforced::Set(switch) => Some(switch.as_str()),
        Enforced::Cleared => Some(NONE),
    };
    let request = client
        .modify_instance_metadata_defaults()
        .set_http_tokens(tokens.map(ec2::MetadataDefaultHttpTokensState::from))
        .set_http_endpoint(endpoint.map(ec2::DefaultInstanceMetadataEndpointState::from))
        .set_instance_metadata_tags(tags.map(ec2::DefaultInstanceMetadataTagsState::from))
        .set_http_put_response_hop_limit(hops)
        .set_http_tokens_enforced(enforced.map(ec2::DefaultHttpTokensEnforcedState::from))
        .set_dry_run((mode == Mode::DryRun).then_some(true));
    let result = caller.call(place, Api::ModifyInstanceMetadataDefaults, || request.clone().send()).await;
    told(mode, result).map(|_| ())
}

/// Makes a new version of a launch template from `source`, with these options and this description.
/// The same `token` makes it once only, however often it is asked for.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn new_version(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    source: (&str, i64),
    options: &Options,
    (token, description): (&str, &str),
    mode: Mode,
) -> Result<Option<Version>, Fault> {
    let (id, version) = source;
    let hops = options.http_put_response_hop_limit.map(|hops| i32::from(hops.get()));
    // All five: whether the block of the source version is merged or replaced is documented
    // nowhere.
    let block = ec2::LaunchTemplateInstanceMetadataOptionsRequest::builder()
        .set_http_tokens(
            options.http_tokens.map(|value| ec2::LaunchTemplateHttpTokensState::from(value.as_str())),
        )
        .set_http_put_response_hop_limit(hops)
        .set_http_endpoint(
            options
                .http_endpoint
                .map(|value| ec2::LaunchTemplateInstanceMetadataEndpointState::from(value.as_str())),
        )
        .set_http_protocol_ipv6(
            options
                .http_protocol_ipv6
                .map(|value| ec2::LaunchTemplateInstanceMetadataProtocolIpv6::from(value.as_str())),
        )
        .set_instance_metadata_tags(
            options
                .instance_metadata_tags
                .map(|value| ec2::LaunchTemplateInstanceMetadataTagsState::from(value.as_str())),
        )
        .build();
    let request = client
        .create_launch_template_version()
        .launch_template_id(id)
        .source_version(version.to_string())
        .version_description(description)
        .client_token(token)
        .launch_template_data(ec2::RequestLaunchTemplateData::builder().metadata_options(block).build())
        .set_dry_run((mode == Mode::DryRun).then_some(true));
    let result = caller.call(place, Api::CreateLaunchTemplateVersion, || request.clone().send()).await;
    let Some(answer) = told(mode, result)? else { return Ok(None) };
    let made = answer.launch_template_version().and_then(launch_sources::read_version);
    made.map(Some).ok_or_else(|| {
        Fault::new(Api::CreateLaunchTemplateVersion.name(), Reason::Service, "answer without a version")
    })
}

/// Makes a version the default.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn default_version(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    id: &str,
    version: i64,
    mode: Mode,
) -> Result<(), Fault> {
    let request = client
        .modify_launch_template()
        .launch_template_id(id)
        .default_version(version.to_string())
        .set_dry_run((mode == Mode::DryRun).then_some(true));
    let result = caller.call(place, Api::ModifyLaunchTemplate, || request.clone().send()).await;
    told(mode, result).map(|_| ())
}

/// Deletes a version of a launch template.
///
/// # Errors
///
/// Returns the fault of the call, or why EC2 did not do it.
pub async fn delete_version(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    id: &str,
    version: i64,
) -> Result<(), Fault> {
    let api = Api::DeleteLaunchTemplateVersions;
    let request =
        client.delete_launch_template_versions().launch_template_id(id).versions(version.to_string());
    let answer = caller.call(place, api, || request.clone().send()).await?;
    // The answer, which is no error, lists what was not deleted.
    let Some(failed) = answer.unsuccessfully_deleted_launch_template_versions().first() else {
        return Ok(());
    };
    let why = failed.response_error().and_then(ec2::ResponseError::message).unwrap_or("not deleted");
    Err(Fault::new(api.name(), Reason::Other, why))
}
