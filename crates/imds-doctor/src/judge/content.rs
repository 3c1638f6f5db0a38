//! Checks of what the service holds.

use imds_model::calendar::DateTime;

use crate::facts::Facts;
use crate::report::Check;

const UNREAD: &str = "not read";

pub(super) fn tags(facts: &Facts) -> Check {
    const ID: &str = "tags";
    match facts.content.as_ref().map(|content| content.tags) {
        None => Check::skipped(ID, UNREAD),
        Some(Some(count)) => Check::ok(ID, format!("the instance's tags are exposed: {count}")),
        Some(None) => Check::note(ID, "the instance's tags are not exposed").fix(
            "aws ec2 modify-instance-metadata-options --instance-id ID --instance-metadata-tags enabled",
        ),
    }
}

pub(super) fn role(facts: &Facts) -> Check {
    const ID: &str = "role";
    let Some(content) = &facts.content else { return Check::skipped(ID, UNREAD) };
    let Some(role) = &content.role else {
        return Check::note(ID, "the instance has no role")
            .fix("aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME");
    };
    let name = &role.name;
    let Some(text) = &role.expiration else {
        return Check::warning(
            ID,
            "credentials",
            format!("role `{name}` has no credentials that can be read"),
        )
        .fix("look at the instance profile's role and its trust policy");
    };
    match DateTime::parse_rfc3339(text).map(DateTime::system_time) {
        Ok(expiration) if expiration > facts.now => {
            Check::ok(ID, format!("role `{name}`, credentials good until {text}"))
        }
        Ok(_) => {
            Check::warning(ID, "credentials", format!("the credentials of role `{name}` expired at {text}"))
                .seen("the service gives new ones at least five minutes before the old ones expire")
                .fix("look at this machine's clock, then at the role's trust policy")
        }
        Err(_) => Check::warning(ID, "credentials", format!("role `{name}`: `Expiration` is not a time")),
    }
}

pub(super) fn user_data(facts: &Facts) -> Check {
    const ID: &str = "user-data";
    match facts.content.as_ref().map(|content| content.user_data) {
        None => Check::skipped(ID, UNREAD),
        Some(Some(size)) => Check::ok(ID, format!("the instance has user data: {size} bytes")),
        Some(None) => Check::note(ID, "the instance has no user data"),
    }
}
