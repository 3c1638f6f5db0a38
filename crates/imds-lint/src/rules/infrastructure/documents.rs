//! CloudFormation, Karpenter, Ansible and Packer's JSON.

use crate::extract::document::Value;
use crate::model::url::{self, Asked};
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::text::mapped::Mapped;

/// Findings of a YAML or JSON document.
#[must_use]
pub fn judge(document: &Value, outer: &Mapped) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut keys = Vec::new();
    document.walk(&mut keys, &mut |keys, value| {
        let mut add = |rule, at: &Value, message: &str| {
            found.push(Finding::new(rule, outer.origin(at.span.clone()), message));
        };
        for (key, setting) in value.entries() {
            let is_tokens = matches!(key.text.as_str(), "HttpTokens" | "httpTokens" | "http_tokens");
            if is_tokens && setting.text() == Some("optional") {
                add(RuleId::HttpTokens, setting, super::OPTIONAL);
            }
        }
        resource(value, &mut add);
        if keys.last() == Some(&"builders") {
            for builder in value.elements() {
                packer(builder, &mut add);
            }
        }
        if let Some(module @ ("uri" | "ansible.builtin.uri" | "get_url" | "ansible.builtin.get_url")) =
            keys.last().copied()
        {
            ansible(module, value, &mut add);
        }
    });
    found
}

type Add<'a> = &'a mut dyn FnMut(RuleId, &Value, &str);

/// A resource of CloudFormation, or a node class of Karpenter.
fn resource(value: &Value, add: Add<'_>) {
    if value.get("kind").and_then(Value::text) == Some("EC2NodeClass") {
        let hops = value.path(&["spec", "metadataOptions", "httpPutResponseHopLimit"]);
        if let Some(hops) = hops.filter(|hops| hops.text() == Some("1")) {
            add(RuleId::HopLimit, hops, super::HOPS);
        }
        return;
    }
    let Some(kind) =
        value.get("Type").filter(|kind| kind.text().is_some_and(|text| text.starts_with("AWS::")))
    else {
        return;
    };
    let properties = value.get("Properties");
    let options_in = match kind.text().unwrap_or_default() {
        "AWS::EC2::LaunchTemplate" => properties.and_then(|found| found.get("LaunchTemplateData")),
        "AWS::AutoScaling::LaunchConfiguration" | "AWS::EC2::Instance" => properties,
        _ => return,
    };
    let from_template = properties
        .is_some_and(|found| found.get("LaunchTemplate").is_some() || found.get("Fn::Transform").is_some());
    let options = options_in.and_then(|found| found.get("MetadataOptions"));
    match options {
        None if !from_template => {
            add(RuleId::HttpTokens, kind, "no `MetadataOptions` with `HttpTokens: required`");
        }
        Some(options) if !options.entries().is_empty() && options.get("HttpTokens").is_none() => {
            let conditional = options.entries().iter().any(|(key, _)| key.text.starts_with("Fn::"));
            if !conditional {
                add(RuleId::HttpTokens, kind, "the `MetadataOptions` do not say `HttpTokens: required`");
            }
        }
        _ => {}
    }
    let hops = options.and_then(|options| options.get("HttpPutResponseHopLimit"));
    if let (Some(hops), Some(data)) = (hops.filter(|hops| hops.text() == Some("1")), options_in)
        && super::runs_containers(&all_text(data))
    {
        add(RuleId::HopLimit, hops, super::HOPS);
    }
}

fn all_text(value: &Value) -> String {
    let mut text = String::new();
    value.walk(&mut Vec::new(), &mut |_, value| {
        if let Some(scalar) = value.text() {
            text.push_str(scalar);
            text.push('\n');
        }
    });
    text
}

/// A builder of Packer's older JSON templates.
fn packer(builder: &Value, add: Add<'_>) {
    let Some(kind) =
        builder.get("type").filter(|kind| kind.text().is_some_and(|text| text.starts_with("amazon-ebs")))
    else {
        return;
    };
    let tokens = builder.path(&["metadata_options", "http_tokens"]);
    if tokens.is_none() {
        add(RuleId::HttpTokens, kind, "the build instance allows IMDSv1: no `metadata_options.http_tokens`");
    }
}

/// A request that Ansible makes.
fn ansible(module: &str, value: &Value, add: Add<'_>) {
    let Some(target) = value.get("url") else { return };
    let Some(found) = target.text().and_then(url::find) else { return };
    let put =
        value.get("method").and_then(Value::text).is_some_and(|method| method.eq_ignore_ascii_case("put"));
    let headers = value.get("headers");
    let known = headers.is_none_or(|headers| !headers.entries().is_empty());
    let names = || headers.into_iter().flat_map(|headers| headers.entries());
    let sends = names().any(|(name, _)| url::has_token_header(&name.text));
    let foreign = names().any(|(name, value)| {
        url::is_other_cloud_header(&format!("{}: {}", name.text, value.text().unwrap_or_default()))
    });
    if found.asked == Asked::Value && !put && known && !sends && !foreign {
        add(RuleId::ImdsV1Request, target, &format!("`{module}` sends no session token"));
    }
    for (name, ttl) in names().filter(|(name, _)| url::has_ttl_header(&name.text)) {
        let _ = name;
        let text = ttl.text().unwrap_or_default();
        if text.chars().all(|c| c.is_ascii_digit())
            && !text.parse().is_ok_and(|ttl: u32| (1..=21_600).contains(&ttl))
        {
            add(RuleId::TokenTtlRange, ttl, &format!("the service refuses a TTL of `{text}` with 400"));
        }
    }
}
