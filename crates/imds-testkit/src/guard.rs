//! The rule that keeps every test off the real service: a command runs only where it can be seen
//! beforehand that it will talk to a loopback address or to nobody.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::IpAddr;

const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const PROFILE_KEY: &str = "ec2_metadata_service_endpoint";

/// Why the command must not run, if it must not. `config` is the text of the config file that it
/// would read.
pub(crate) fn objection(
    arguments: &[OsString],
    environment: &BTreeMap<OsString, OsString>,
    config: &str,
) -> Option<String> {
    let variable = |name: &str| environment.get(&OsString::from(name)).map(|value| value.to_string_lossy());
    if variable(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let mut endpoints: Vec<String> =
        variable(ENDPOINT).into_iter().map(std::borrow::Cow::into_owned).collect();
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "--endpoint" {
            endpoints.extend(arguments.next().map(std::borrow::Cow::into_owned));
        } else if let Some(value) = argument.strip_prefix("--endpoint=") {
            endpoints.push(value.to_owned());
        }
    }
    for line in config.lines() {
        if let Some((key, value)) = line.split_once('=')
            && key.trim() == PROFILE_KEY
        {
            endpoints.push(value.trim().to_owned());
        }
    }
    if endpoints.is_empty() {
        return Some(format!(
            "no endpoint is set: give one with `.endpoint(..)`, or say `.disabled()`, or run `.in_empty_network()` \
             (neither `{ENDPOINT}`, `--endpoint`, nor `{PROFILE_KEY}` in the config file)"
        ));
    }
    endpoints.iter().find(|endpoint| !is_loopback(endpoint)).map(|endpoint| {
        format!(
            "`{endpoint}` is no loopback endpoint: run it `.in_empty_network()`, where nothing can be reached"
        )
    })
}

fn is_loopback(endpoint: &str) -> bool {
    let Some((_, rest)) = endpoint.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Whatever stands before an `@` is no host; an endpoint that tries is not worth guessing at.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(arguments: &[&str], environment: &[(&str, &str)], config: &str) -> Option<String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        objection(&arguments, &environment, config)
    }

    #[test]
    fn lets_loopback_and_disabled_run() {
        for endpoint in
            ["http://127.0.0.1:1", "http://127.1.2.3", "http://[::1]:80/prefix", "http://localhost:80"]
        {
            assert_eq!(judge(&["get"], &[(ENDPOINT, endpoint)], ""), None, "{endpoint}");
            assert_eq!(judge(&["get", "--endpoint", endpoint], &[], ""), None, "{endpoint}");
            assert_eq!(judge(&["get"], &[], &format!("[default]\n{PROFILE_KEY} = {endpoint}\n")), None);
        }
        assert_eq!(judge(&["get"], &[(DISABLED, "TRUE")], ""), None);
    }

    #[test]
    fn holds_back_everything_else() {
        for endpoint in [
            "http://169.254.169.254",
            "http://[fd00:ec2::254]",
            "http://localhost.example",
            "http://127.0.0.1@169.254.169.254/",
            "127.0.0.1",
            "",
        ] {
            let objection = judge(&["get"], &[(ENDPOINT, endpoint)], "").unwrap();
            assert!(objection.contains(&format!("`{endpoint}` is no loopback endpoint")), "{objection}");
        }
        let one_bad = judge(&["get", "--endpoint=http://10.0.0.1"], &[(ENDPOINT, "http://127.0.0.1:1")], "");
        assert!(one_bad.unwrap().contains("`http://10.0.0.1` is no loopback endpoint"));
        assert!(judge(&["get"], &[(DISABLED, "1")], "").unwrap().contains("no endpoint is set"));
    }
}
