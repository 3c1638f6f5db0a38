//! `DescribeInstances` and `ModifyInstanceMetadataOptions`.

use imds_model::calendar::DateTime;

use super::{read_options, write_options};
use crate::answer::{Answer, Refusal, dry_run};
use crate::request::Request;
use crate::world::{Instance, PENDING_UNTIL_START, World};
use crate::xml::Xml;

pub(super) fn describe(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let size = match request.get("MaxResults").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(size)) if (5..=1000).contains(&size) => size,
        Some(_) => {
            return Err(Refusal::new(
                "InvalidParameterValue",
                "Value for parameter maxResults is invalid. Expecting a value from 5 to 1000.",
            ));
        }
    };
    let ids = request.list("InstanceId");
    if !ids.is_empty() && request.get("MaxResults").is_some() {
        return Err(Refusal::new(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    }
    let filters = request.filters();
    let hidden_too = request.get("IncludeManagedResources") == Some("true");
    let contents = world.at(&request.account, &request.region);
    if let Some(missing) = ids.iter().find(|id| !contents.instances.iter().any(|known| known.id == **id)) {
        return Err(Refusal::new(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{missing}' does not exist"),
        ));
    }
    let mut selected = Vec::new();
    for (index, instance) in contents.instances.iter().enumerate() {
        if instance.hidden && !hidden_too || !ids.is_empty() && !ids.contains(&instance.id.as_str()) {
            continue;
        }
        let mut matches = true;
        for (name, values) in &filters {
            matches &= is(instance, name, values)?;
        }
        if matches {
            selected.push(index);
        }
    }
    let (range, next) = request.page(selected.len(), size);
    let page: Vec<Instance> = selected[range]
        .iter()
        .filter_map(|index| {
            let instance = contents.instances.get_mut(*index)?;
            let mut shown = instance.clone();
            if let Some((old, left)) = instance.stale.take() {
                shown.options = old.clone();
                shown.pending = 0;
                instance.stale = (left > 1).then(|| (old, left - 1));
                return Some(shown);
            }
            if instance.pending != PENDING_UNTIL_START {
                instance.pending = instance.pending.saturating_sub(1);
            }
            Some(shown)
        })
        .collect();
    Ok(Answer::ec2("DescribeInstances", |xml| {
        xml.element("reservationSet", |xml| {
            xml.element("item", |xml| {
                xml.text("reservationId", "r-0123456789abcdef0").text("ownerId", &request.account);
                xml.element("instancesSet", |xml| {
                    for instance in &page {
                        xml.element("item", |xml| write(xml, instance, &request.account));
                    }
                });
            });
        });
        xml.maybe("nextToken", next);
    }))
}

fn write(xml: &mut Xml, instance: &Instance, account: &str) {
    xml.text("instanceId", &instance.id)
        .text("imageId", &instance.image_id)
        .text("instanceType", "m7g.large")
        // Always there, empty where there is none ("privateDnsName", API reference, `Instance`).
        .text("privateDnsName", "")
        .text("launchTime", timestamp(instance.launched_at))
        .maybe("instanceLifecycle", instance.lifecycle.as_ref());
    xml.element("instanceState", |xml| {
        xml.text("name", &instance.run_state);
    });
    if !instance.without_options {
        xml.element("metadataOptions", |xml| {
            xml.text("state", if instance.pending > 0 { "pending" } else { "applied" });
            write_options(xml, &instance.options);
        });
    }
    reachable(xml, instance, account);
    if let Some(principal) = &instance.operator {
        xml.element("operator", |xml| {
            xml.text("managed", true).text("principal", principal).text("hiddenByDefault", instance.hidden);
        });
    }
    xml.element("tagSet", |xml| {
        for (key, value) in &instance.tags {
            xml.element("item", |xml| {
                xml.text("key", key).text("value", value);
            });
        }
    });
}

/// What it can be reached by, and its role.
fn reachable(xml: &mut Xml, instance: &Instance, account: &str) {
    xml.maybe("platform", instance.platform.as_ref()).maybe("ipAddress", instance.public_ip.as_ref());
    if let Some(name) = &instance.profile {
        xml.element("iamInstanceProfile", |xml| {
            xml.text("arn", format!("arn:aws:iam::{account}:instance-profile/{name}"))
                .text("id", "AIPAEXAMPLE000000000");
        });
    }
    let groups = |xml: &mut Xml| {
        for id in &instance.security_groups {
            xml.element("item", |xml| {
                xml.text("groupId", id).text("groupName", format!("name-of-{id}"));
            });
        }
    };
    xml.element("groupSet", groups);
    // An IPv6 address is one of an interface.
    if let Some(address) = &instance.ipv6 {
        xml.element("networkInterfaceSet", |xml| {
            xml.element("item", |xml| {
                xml.element("groupSet", groups);
                xml.element("ipv6AddressesSet", |xml| {
                    xml.element("item", |xml| {
                        xml.text("ipv6Address", address);
                    });
                });
            });
        });
    }
}

/// Seconds since 1970 as EC2 writes them.
fn timestamp(seconds: i64) -> String {
    DateTime::from_unix_seconds(seconds).rfc3339_millis()
}

fn is(instance: &Instance, name: &str, values: &[&str]) -> Result<bool, Refusal> {
    let options = &instance.options;
    let hop = options.http_put_response_hop_limit.map(|hop| hop.to_string());
    let state = if instance.pending > 0 { "pending" } else { "applied" };
    let actual = match name {
        "instance-id" => Some(instance.id.as_str()),
        "instance-state-name" => Some(instance.run_state.as_str()),
        "image-id" => Some(instance.image_id.as_str()),
        "instance-lifecycle" => instance.lifecycle.as_deref(),
        "metadata-options.http-tokens" => options.http_tokens.as_deref(),
        "metadata-options.http-endpoint" => options.http_endpoint.as_deref(),
        "metadata-options.http-put-response-hop-limit" => hop.as_deref(),
        "metadata-options.http-protocol-ipv6" => options.http_protocol_ipv6.as_deref(),
        "metadata-options.instance-metadata-tags" => options.instance_metadata_tags.as_deref(),
        "metadata-options.state" => Some(state),
        "operator.managed" => Some(if instance.operator.is_some() { "true" } else { "false" }),
        "operator.principal" => instance.operator.as_deref(),
        _ => match name.strip_prefix("tag:") {
            Some(key) => instance.tags.get(key).map(String::as_str),
            None => {
                return Err(Refusal::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            }
        },
    };
    Ok(actual.is_some_and(|actual| values.contains(&actual)))
}

pub(super) fn modify(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let change = read_options(request, "")?;
    let id = request.get("InstanceId").unwrap_or_default().to_owned();
    let pending = world.pending_descriptions;
    let stale = world.stale_descriptions;
    let vanishes = request.get("DryRun") != Some("true") && world.vanishing.remove(&id);
    let contents = world.at(&request.account, &request.region);
    if vanishes {
        contents.instances.retain(|instance| instance.id != id);
    }
    let enforced = contents.defaults.enforced;
    let Some(instance) = contents.instances.iter_mut().find(|instance| instance.id == id) else {
        return Err(Refusal::new(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{id}' does not exist"),
        ));
    };
    if !matches!(instance.run_state.as_str(), "running" | "stopped") {
        let text = format!("The instance '{id}' is not in a valid state for this operation.");
        return Err(Refusal::new("IncorrectInstanceState", text));
    }
    let back_to_v1 = change.http_tokens.as_deref() == Some("optional")
        && instance.options.http_tokens.as_deref() == Some("required");
    if enforced && back_to_v1 {
        return Err(Refusal::new(
            "UnsupportedOperation",
            "You can't enable IMDSv1 because httpTokensEnforced is enabled for this account.",
        ));
    }
    if change.instance_metadata_tags.as_deref() == Some("enabled")
        && let Some(key) = instance.tags.keys().find(|key| !fits_a_path(key))
    {
        return Err(bad_tag_key(key));
    }
    if request.get("DryRun") == Some("true") {
        return Err(dry_run());
    }
    if stale > 0 {
        instance.stale = Some((instance.options.clone(), stale));
    }
    instance.options.apply(&change);
    instance.pending = if instance.run_state == "running" { pending } else { PENDING_UNTIL_START };
    instance.changes += 1;
    let (options, state) =
        (instance.options.clone(), if instance.pending > 0 { "pending" } else { "applied" });
    world.modified.push((id.clone(), change));
    Ok(Answer::ec2("ModifyInstanceMetadataOptions", |xml| {
        xml.text("instanceId", &id);
        xml.element("instanceMetadataOptions", |xml| {
            xml.text("state", state);
            write_options(xml, &options);
        });
    }))
}

/// Which tag keys can be shown: the rest of the path must be one segment (aws/aws-cli#8825).
fn fits_a_path(key: &str) -> bool {
    !matches!(key, "." | ".." | "_index")
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+=,.@:".contains(&byte))
}

fn bad_tag_key(key: &str) -> Refusal {
    let text = format!(
        "'{key}' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{{1,255}}), and must not be a \
         reserved name ('.', '..', '_index')"
    );
    Refusal::new("InvalidParameterValue", text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn timestamps_are_dates() {
        assert_eq!(super::timestamp(1_700_000_000), "2023-11-14T22:13:20.000Z");
        assert_eq!(super::timestamp(951_782_400), "2000-02-29T00:00:00.000Z");
    }
}
