//! Checks of what the environment and the config file say.

use imds_model::env;

use crate::collect::is_disabled;
use crate::facts::Facts;
use crate::report::Check;

pub(super) fn endpoint(facts: &Facts) -> Check {
    const ID: &str = "endpoint";
    match &facts.endpoint {
        Ok(endpoint) => Check::ok(ID, format!("`{}` from {}", endpoint.urls.join("` or `"), endpoint.source)),
        Err(error) => Check::failure(ID, "configuration", error.to_string())
            .fix("correct or remove the setting that is named, and run this again"),
    }
}

pub(super) fn switch(facts: &Facts) -> Check {
    const ID: &str = "switch";
    let name = env::DISABLED;
    match facts.disabled.as_deref() {
        None => Check::ok(ID, format!("`{name}` is not set")),
        Some(value) if is_disabled(Some(value)) => {
            Check::failure(ID, "disabled", format!("`{name}={value}` forbids every request"))
                .fix(format!("unset {name}"))
        }
        Some(value) => Check::note(ID, format!("`{name}` is set to something other than `true`"))
            .seen(format!("its value is `{}`, which forbids nothing here", value.escape_debug()))
            .seen("the AWS SDK for JavaScript takes any value, even `false`, for yes"),
    }
}

pub(super) fn proxy(facts: &Facts) -> Check {
    const ID: &str = "proxy";
    let variables = facts.proxies.variables.join("`, `");
    if variables.is_empty() {
        return Check::ok(ID, "no proxy variable is set");
    }
    if facts.proxies.exempt {
        return Check::ok(ID, format!("`{variables}` is set, and `NO_PROXY` exempts the endpoint"));
    }
    Check::warning(ID, "proxy", format!("`{variables}` sends other programs' requests through a proxy"))
        .seen("imds ignores proxy variables; curl and several AWS SDKs do not")
        .seen("through a proxy, the service refuses a token PUT with 403, or another machine's answers")
        .fix("export NO_PROXY=169.254.169.254,fd00:ec2::254")
}
