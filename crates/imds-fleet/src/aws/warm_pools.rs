//! Warm pools: instances that an Auto Scaling group has launched ahead, most of them stopped.

use std::collections::BTreeMap;

use super::call::Caller;
use super::instances;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::options::Posture;
use crate::inventory::owner::Owner;
use crate::inventory::requests::{WarmInstance, WarmPool};
use crate::inventory::resource::AccountRegion;

/// Reads the warm pool of a group, with the posture of its instances.
///
/// # Errors
///
/// Returns the fault of the call that failed.
pub async fn warm_pool(
    scaling: &aws_sdk_autoscaling::Client,
    ec2: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    (group, owner): (&str, Option<Owner>),
) -> Result<WarmPool, Fault> {
    let (mut held, mut pool_state) = (Vec::new(), None);
    let mut token = None;
    loop {
        // "The maximum value is 50" (API reference, `DescribeWarmPool`).
        let request =
            scaling.describe_warm_pool().auto_scaling_group_name(group).max_records(50).set_next_token(token);
        let answer = caller.call(place, Api::DescribeWarmPool, || request.clone().send()).await?;
        if let Some(state) = answer.warm_pool_configuration().and_then(|it| it.pool_state()) {
            pool_state = Some(state.as_str().to_owned());
        }
        held.extend(answer.instances().iter().filter_map(|it| {
            let state = it.lifecycle_state().map(|state| state.as_str().to_owned());
            Some((it.instance_id()?.to_owned(), state))
        }));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    let ids: Vec<String> = held.iter().map(|(id, _)| id.clone()).collect();
    let read = instances::by_id(ec2, caller, place, &ids).await?;
    let postures: BTreeMap<&str, Posture> = read.iter().map(|it| (it.id.as_str(), it.posture)).collect();
    let instances = held
        .into_iter()
        .map(|(id, lifecycle_state)| {
            let posture = postures.get(id.as_str()).copied().unwrap_or(Posture::Unknown);
            WarmInstance { id, lifecycle_state, posture }
        })
        .collect();
    Ok(WarmPool { place: place.clone(), id: group.to_owned(), pool_state, instances, owner })
}
