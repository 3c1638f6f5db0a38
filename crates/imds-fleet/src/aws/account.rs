//! Reads what holds for a whole account: its defaults in a Region, the Regions it has, the accounts
//! beside it.

use std::collections::BTreeSet;

use aws_sdk_organizations::types::{AccountState, EffectivePolicyType};
use imds_model::options::{HttpTokens, Switch};

use super::call::Caller;
use super::instances::hop_limit;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::effective::Effective;
use crate::inventory::end_state::{Declared, EndState};
use crate::inventory::options::Options;
use crate::inventory::resource::{AccountDefaults, AccountRegion, Reason};

/// Reads the defaults of an account in a Region.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn defaults(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<AccountDefaults, Fault> {
    let answer = caller
        .call(place, Api::GetInstanceMetadataDefaults, || client.get_instance_metadata_defaults().send())
        .await?;
    let level = answer
        .account_level
        .unwrap_or_else(|| aws_sdk_ec2::types::InstanceMetadataDefaultsResponse::builder().build());
    let options = Options {
        http_tokens: level.http_tokens().and_then(|value| HttpTokens::parse(value.as_str())),
        http_endpoint: level.http_endpoint().and_then(|value| Switch::parse(value.as_str())),
        // -1 is "no preference", and no hop limit.
        http_put_response_hop_limit: hop_limit(level.http_put_response_hop_limit()),
        http_protocol_ipv6: None,
        instance_metadata_tags: level
            .instance_metadata_tags()
            .and_then(|value| Switch::parse(value.as_str())),
    };
    Ok(AccountDefaults {
        place: place.clone(),
        options,
        http_tokens_enforced: level.http_tokens_enforced().is_some_and(|value| value.as_str() == "enabled"),
        http_tokens_enforced_set: level
            .http_tokens_enforced()
            .is_some_and(|value| Switch::parse(value.as_str()).is_some()),
        managed_by: level.managed_by().map(|value| value.as_str().to_owned()),
        managed_exception_message: level.managed_exception_message().map(str::to_owned),
        effective: Effective::of(&Options::NONE, &options, false),
        declared: None,
        end_state: EndState::default(),
    })
}

/// Reads what the organization's declarative policy for EC2 says for the caller's own account:
/// "This operation can be called from any account in the organization" (API reference,
/// `DescribeEffectivePolicy`).
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn declared(
    client: &aws_sdk_organizations::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Option<Declared>, Fault> {
    let request = client.describe_effective_policy().policy_type(EffectivePolicyType::DeclarativePolicyEc2);
    let answer = match caller.call(place, Api::DescribeEffectivePolicy, || request.clone().send()).await {
        Ok(answer) => answer,
        // The account has none, or the type is not enabled at all.
        Err(fault) if fault.is_code("EffectivePolicyNotFoundException") => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let content = answer.effective_policy().and_then(|policy| policy.policy_content());
    let Some(content) = content else { return Ok(None) };
    Declared::read(content).map_err(|error| {
        let text = format!("the effective policy cannot be read: {error}");
        Fault::new(Api::DescribeEffectivePolicy.name(), Reason::Other, text)
    })
}

/// The Regions that the account may use, and those it has not opted in to.
#[derive(Debug, Default)]
pub struct Regions {
    /// May be used.
    pub enabled: Vec<String>,
    /// Not opted in to: nothing can run there.
    pub not_opted_in: Vec<String>,
}

/// Reads the Regions of an account.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn regions(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Regions, Fault> {
    let request = client.describe_regions().all_regions(true);
    let answer = caller.call(place, Api::DescribeRegions, || request.clone().send()).await?;
    let mut regions = Regions::default();
    for region in answer.regions() {
        let Some(name) = region.region_name() else { continue };
        if region.opt_in_status() == Some("not-opted-in") {
            regions.not_opted_in.push(name.to_owned());
        } else {
            regions.enabled.push(name.to_owned());
        }
    }
    regions.enabled.sort();
    regions.not_opted_in.sort();
    Ok(regions)
}

/// Reads a page of the active accounts of the organization, and the token of the next: 20 a page is
/// the most that Organizations gives, and a page may be empty and still have a successor (API
/// reference, `ListAccounts`).
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn organization_page(
    client: &aws_sdk_organizations::Client,
    caller: &Caller,
    home: &AccountRegion,
    token: Option<String>,
) -> Result<(Vec<String>, Option<String>), Fault> {
    let request = client.list_accounts().max_results(20).set_next_token(token);
    let answer = caller.call(home, Api::ListAccounts, || request.clone().send()).await?;
    let accounts = answer
        .accounts()
        .iter()
        // `State`, not `Status`, which is retired (2026-09-09).
        .filter(|account| account.state().is_none_or(|state| *state == AccountState::Active))
        .filter_map(|account| account.id().map(str::to_owned))
        .collect();
    Ok((accounts, answer.next_token.filter(|token| !token.is_empty())))
}

/// Reads the active accounts below these units or roots, those of the units within them included:
/// the API gives what is directly below only (API reference, `ListAccountsForParent`).
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn accounts_below(
    client: &aws_sdk_organizations::Client,
    caller: &Caller,
    home: &AccountRegion,
    units: &[String],
) -> Result<Vec<String>, Fault> {
    let mut accounts = BTreeSet::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = units.to_vec();
    while let Some(parent) = open.pop() {
        if !seen.insert(parent.clone()) {
            continue;
        }
        let mut token = None;
        loop {
            let request = client.list_accounts_for_parent().parent_id(&parent).set_next_token(token);
            let answer = caller.call(home, Api::ListAccountsForParent, || request.clone().send()).await?;
            let active = answer
                .accounts()
                .iter()
                .filter(|account| account.state().is_none_or(|state| *state == AccountState::Active));
            accounts.extend(active.filter_map(|account| account.id().map(str::to_owned)));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        let mut token = None;
        loop {
            let request =
                client.list_organizational_units_for_parent().parent_id(&parent).set_next_token(token);
            let answer =
                caller.call(home, Api::ListOrganizationalUnitsForParent, || request.clone().send()).await?;
            open.extend(answer.organizational_units().iter().filter_map(|unit| unit.id().map(str::to_owned)));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
    }
    Ok(accounts.into_iter().collect())
}
