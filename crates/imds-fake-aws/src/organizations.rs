//! Organizations: the accounts, twenty a page, the first page empty, as the API reference warns;
//! the units below a root, and the accounts in each, not those of units further down.

use serde_json::json;

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::World;

pub(crate) fn list_accounts(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let size = request.json.get("MaxResults").and_then(serde_json::Value::as_u64).unwrap_or(20);
    if !(1..=20).contains(&size) {
        return Err(Refusal::new("InvalidInputException", "MaxResults must be 1 to 20"));
    }
    if request.json.get("NextToken").is_none() {
        return Ok(Answer::json(&json!({ "Accounts": [], "NextToken": "page-0" })));
    }
    let (range, next) = request.page(world.accounts.len(), usize::try_from(size).unwrap_or(20));
    let accounts: Vec<_> = world.accounts[range]
        .iter()
        .map(|id| {
            let state = if world.suspended.contains(id) { "SUSPENDED" } else { "ACTIVE" };
            json!({ "Id": id, "Name": format!("account-{id}"), "State": state })
        })
        .collect();
    let mut answer = json!({ "Accounts": accounts });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(Answer::json(&answer))
}

/// `ListAccountsForParent` and `ListOrganizationalUnitsForParent`: what is directly below, "not the
/// children of child OUs" (API reference), twenty a page.
pub(crate) fn list_children(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let parent = request.json.get("ParentId").and_then(|id| id.as_str()).unwrap_or_default();
    let Some((units, accounts)) = world.units.get(parent) else {
        return Err(Refusal::new(
            "ParentNotFoundException",
            "You provided parent that does not exist or that you do not have permission for.",
        ));
    };
    let of_units = request.action == "ListOrganizationalUnitsForParent";
    let all = if of_units { units } else { accounts };
    let (range, next) = request.page(all.len(), 20);
    let items: Vec<_> = all[range]
        .iter()
        .map(|id| {
            let state = if world.suspended.contains(id) { "SUSPENDED" } else { "ACTIVE" };
            if of_units {
                json!({ "Id": id, "Name": id })
            } else {
                json!({ "Id": id, "Name": id, "State": state })
            }
        })
        .collect();
    let name = if of_units { "OrganizationalUnits" } else { "Accounts" };
    let mut answer = json!({ name: items });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(Answer::json(&answer))
}

/// `DescribeEffectivePolicy`, of the caller's own account.
pub(crate) fn describe_effective_policy(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let kind = request.json.get("PolicyType").and_then(|kind| kind.as_str()).unwrap_or_default();
    if kind != "DECLARATIVE_POLICY_EC2" {
        let text = "You provided a value that does not match the required pattern.";
        return Err(Refusal::new("InvalidInputException", text));
    }
    // "When you're signed in as the management account, specify the ID of the account" (API
    // reference): nobody else may name another.
    let target = request.json.get("TargetId").and_then(|id| id.as_str()).unwrap_or(&request.account);
    if target != request.account && request.account != world.home {
        let text = "You don't have permissions to access this resource.";
        return Err(Refusal::new("AccessDeniedException", text));
    }
    let Some(content) = world.declared.get(target) else {
        // The words of the API reference for `EffectivePolicyNotFoundException`.
        let text = "If you ran this action on the management account, this policy type is not enabled. If you ran the \
                    action on a member account, the account doesn't have an effective policy of this type.";
        return Err(Refusal::new("EffectivePolicyNotFoundException", text));
    };
    Ok(Answer::json(&json!({
        "EffectivePolicy": {
            "PolicyContent": content,
            "LastUpdatedTimestamp": 1_700_000_000,
            "TargetId": target,
            "PolicyType": kind,
        },
    })))
}
