//! Checks of what the service holds.

use imds_model::calendar::DateTime;
use imds_model::printable::brief;

use crate::facts::{Credentials, Facts, Reading, Role};
use crate::report::Check;

const UNREAD: &str = "not read";

/// A check that could not be made says so, and proposes nothing: what failed says nothing of what
/// is there.
fn unchecked(id: &'static str, error: &imds::Error) -> Check {
    Check::skipped(id, format!("could not be checked: {}", brief(&error.to_string())))
}

pub(super) fn tags(facts: &Facts) -> Check {
    const ID: &str = "tags";
    const FIX: &str =
        "aws ec2 modify-instance-metadata-options --instance-id ID --instance-metadata-tags enabled";
    match facts.content.as_ref().map(|content| &content.tags) {
        None => Check::skipped(ID, UNREAD),
        Some(Reading::Failed(error)) => unchecked(ID, error),
        Some(Reading::Found(count @ 1..)) => {
            Check::ok(ID, format!("the instance's tags are exposed: {count}"))
        }
        // Some services list nothing where others answer 404.
        Some(Reading::Found(0)) => {
            Check::note(ID, "no tags are exposed: the instance has none, or they are turned off").fix(FIX)
        }
        Some(Reading::Absent) => Check::note(ID, "the instance's tags are not exposed").fix(FIX),
    }
}

pub(super) fn role(facts: &Facts) -> Check {
    const ID: &str = "role";
    let Some(content) = &facts.content else { return Check::skipped(ID, UNREAD) };
    match &content.role {
        Reading::Failed(error) => unchecked(ID, error),
        Reading::Absent => Check::note(ID, "the instance has no role")
            .fix("aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME"),
        Reading::Found(role) => credentials(facts, role),
    }
}

fn credentials(facts: &Facts, role: &Role) -> Check {
    const ID: &str = "role";
    let name = brief(&role.name);
    let wrong = |cause: &'static str, what: String| Check::warning(ID, cause, what);
    match &role.credentials {
        Credentials::Failed(error) => {
            Check::skipped(ID, format!("the credentials of role `{name}` {}", could_not(error)))
        }
        Credentials::Absent => {
            wrong("credentials-absent", format!("role `{name}` is listed, but has no credentials (404)"))
                .fix("if the instance profile was changed a moment ago, wait a minute and run this again")
                .fix("else associate the profile again: it may name a role that was deleted")
        }
        Credentials::Refused { code, message } => {
            let check =
                wrong("credentials-refused", format!("role `{name}`: the service says `{}`", brief(code)));
            let check = match message {
                Some(message) => check.seen(format!("the service's message: {}", brief(message))),
                None => check,
            };
            match code.as_str() {
                // aws/aws-cli#2060: EC2 may not assume the role.
                "AssumeRoleUnauthorizedAccess" => check.fix(format!(
                    "let `ec2.amazonaws.com` assume the role in its trust policy: \
                     aws iam get-role --role-name {name} --query Role.AssumeRolePolicyDocument"
                )),
                _ => check.fix(format!("look at the role: aws iam get-role --role-name {name}")),
            }
        }
        Credentials::NotJson { bytes } => {
            wrong("credentials-malformed", format!("the credentials of role `{name}` are not JSON"))
                .seen(format!("{bytes} bytes, cut or of another service"))
                .fix("run this again; if it stays so, look for a proxy between here and the service")
        }
        Credentials::Incomplete { field } => {
            wrong("credentials-incomplete", format!("the credentials of role `{name}` have no `{field}`"))
                .fix("run this again; if it stays so, what answers is not the metadata service")
        }
        Credentials::Complete { expiration } => {
            let shown = brief(expiration);
            match DateTime::parse_rfc3339(expiration).map(DateTime::system_time) {
                Ok(time) if time > facts.now => {
                    Check::ok(ID, format!("role `{name}`, credentials good until {shown}"))
                }
                Ok(_) => wrong("credentials", format!("the credentials of role `{name}` expired at {shown}"))
                    .seen("the service gives new ones at least five minutes before the old ones expire")
                    .fix("look at this machine's clock, then at the role's trust policy"),
                Err(_) => wrong("credentials", format!("role `{name}`: `Expiration` is not a time")),
            }
        }
    }
}

fn could_not(error: &imds::Error) -> String {
    format!("could not be checked: {}", brief(&error.to_string()))
}

pub(super) fn user_data(facts: &Facts) -> Check {
    const ID: &str = "user-data";
    match facts.content.as_ref().map(|content| &content.user_data) {
        None => Check::skipped(ID, UNREAD),
        Some(Reading::Failed(error)) => unchecked(ID, error),
        Some(Reading::Found(size)) => Check::ok(ID, format!("the instance has user data: {size} bytes")),
        Some(Reading::Absent) => Check::note(ID, "the instance has no user data"),
    }
}
