//! Organizations: the accounts, twenty a page, the first page empty, as the API reference warns.

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
