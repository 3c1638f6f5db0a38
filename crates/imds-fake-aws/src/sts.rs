//! STS: who am I, and be someone else.

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::World;

pub(crate) fn get_caller_identity(request: &Request) -> Answer {
    let account = &request.account;
    Answer::query("GetCallerIdentity", |xml| {
        xml.text("Arn", format!("arn:aws:iam::{account}:user/auditor"))
            .text("UserId", "AIDAEXAMPLE")
            .text("Account", account);
    })
}

pub(crate) fn assume_role(world: &World, request: &Request) -> Result<Answer, Refusal> {
    let arn = request.get("RoleArn").unwrap_or_default();
    let account = arn.split(':').nth(4).unwrap_or_default();
    let refuse = || {
        let text = format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
        Refusal(403, "AccessDenied".to_owned(), text)
    };
    let known = world.accounts.iter().any(|known| known == account);
    if !known || world.closed.contains(account) || world.suspended.contains(account) {
        return Err(refuse());
    }
    if world.external_id.is_some() && world.external_id.as_deref() != request.get("ExternalId") {
        return Err(refuse());
    }
    if let Some((serial, code)) = &world.mfa {
        let given = (request.get("SerialNumber"), request.get("TokenCode"));
        if given.0.is_none() {
            return Err(refuse());
        }
        if given != (Some(serial), Some(code)) {
            let text = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
            return Err(Refusal(403, "AccessDenied".to_owned(), text.to_owned()));
        }
    }
    Ok(Answer::query("AssumeRole", |xml| {
        xml.element("Credentials", |xml| {
            xml.text("AccessKeyId", format!("ASIA{account}"))
                .text("SecretAccessKey", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
                .text("SessionToken", "session-token-of-the-fake")
                .text("Expiration", "2099-01-01T00:00:00Z");
        });
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", "AROAEXAMPLE:imds-fleet").text("Arn", arn);
        });
    }))
}
