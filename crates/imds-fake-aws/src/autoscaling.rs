//! Auto Scaling: groups, launch configurations, and in `lifecycle` an instance's lifecycle actions.

pub mod lifecycle;
pub mod live;

use crate::answer::{Answer, Refusal};
use crate::ec2::number;
use crate::request::Request;
use crate::world::{Contents, Group, Mixed};
use crate::xml::Xml;

fn size(request: &Request) -> usize {
    request.get("MaxRecords").and_then(|size| size.parse().ok()).unwrap_or(50).min(100)
}

pub(crate) fn describe_groups(contents: &Contents, request: &Request) -> Answer {
    let named = request.list("AutoScalingGroupNames.member");
    let groups: Vec<&Group> = contents
        .groups
        .iter()
        .filter(|group| named.is_empty() || named.contains(&group.name.as_str()))
        .collect();
    let (range, next) = request.page(groups.len(), size(request));
    Answer::query("DescribeAutoScalingGroups", |xml| {
        xml.element("AutoScalingGroups", |xml| {
            for group in &groups[range] {
                xml.element("member", |xml| write_group(xml, group, contents));
            }
        });
        xml.maybe("NextToken", next);
    })
}

fn write_group(xml: &mut Xml, group: &Group, contents: &Contents) {
    xml.text("AutoScalingGroupName", &group.name)
        .text("MinSize", 0)
        .text("MaxSize", 10)
        .text("DesiredCapacity", 1)
        .maybe("LaunchConfigurationName", group.configuration.as_ref());
    // The answer holds both id and name, whichever of them the group was made with.
    let specification = |xml: &mut Xml, (id, version): &(String, String)| {
        let name = contents.templates.iter().find(|template| template.id == *id).map(|it| &it.name);
        xml.text("LaunchTemplateId", id).maybe("LaunchTemplateName", name).text("Version", version);
    };
    if let Some(template) = &group.template {
        xml.element("LaunchTemplate", |xml| specification(xml, template));
    }
    if let Some(mixed) = &group.mixed {
        xml.element("MixedInstancesPolicy", |xml| {
            xml.element("LaunchTemplate", |xml| {
                xml.element("LaunchTemplateSpecification", |xml| specification(xml, &mixed.template));
                xml.element("Overrides", |xml| {
                    for (instance_type, own) in &mixed.overrides {
                        xml.element("member", |xml| {
                            xml.text("InstanceType", instance_type);
                            if let Some(own) = own {
                                xml.element("LaunchTemplateSpecification", |xml| specification(xml, own));
                            }
                        });
                    }
                });
            });
            xml.element("InstancesDistribution", |xml| {
                xml.maybe("OnDemandPercentageAboveBaseCapacity", mixed.on_demand_percentage.as_ref());
            });
        });
    }
    if group.warm_pool.is_some() {
        xml.element("WarmPoolConfiguration", |xml| {
            xml.text("MinSize", 0).text("PoolState", "Stopped");
        });
    }
    xml.element("Tags", |xml| {
        for (key, value) in &group.tags {
            xml.element("member", |xml| {
                xml.text("Key", key).text("Value", value).text("PropagateAtLaunch", !key.starts_with("aws:"));
            });
        }
    });
}

/// `DescribeWarmPool`: at most 50 instances a page (API reference). A group without one, or that is
/// not there, is refused.
pub(crate) fn describe_warm_pool(contents: &Contents, request: &Request) -> Result<Answer, Refusal> {
    let name = request.get("AutoScalingGroupName").unwrap_or_default();
    let Some(group) = contents.groups.iter().find(|group| group.name == name) else {
        let text = format!("AutoScalingGroup name not found - AutoScalingGroup: {name} not found");
        return Err(Refusal::new("ValidationError", text));
    };
    let size = request.get("MaxRecords").and_then(|size| size.parse().ok()).unwrap_or(50);
    if !(1..=50).contains(&size) {
        let text = format!("Validation error: MaxRecords {size} must be from 1 to 50");
        return Err(Refusal::new("ValidationError", text));
    }
    let held = group.warm_pool.as_deref().unwrap_or_default();
    let (range, next) = request.page(held.len(), size);
    Ok(Answer::query("DescribeWarmPool", |xml| {
        if group.warm_pool.is_some() {
            xml.element("WarmPoolConfiguration", |xml| {
                xml.text("MinSize", 0).text("PoolState", "Stopped");
            });
        }
        xml.element("Instances", |xml| {
            for (id, state) in &held[range] {
                xml.element("member", |xml| {
                    xml.text("InstanceId", id).text("LifecycleState", state);
                });
            }
        });
        xml.maybe("NextToken", next);
    }))
}

/// Changes what a group launches from. A mixed instances policy is taken as it is sent, whole: what
/// it leaves out is gone, so that a caller who forgets a part of it is found out.
pub(crate) fn update_group(contents: &mut Contents, request: &Request) -> Result<Answer, Refusal> {
    let wrong = |text: String| Refusal::new("ValidationError", text);
    let name = request.get("AutoScalingGroupName").unwrap_or_default();
    let at = contents
        .groups
        .iter()
        .position(|group| group.name == name)
        .ok_or_else(|| wrong(format!("AutoScalingGroup name not found - {name}")))?;
    let specification = |prefix: &str| -> Result<Option<(String, String)>, Refusal> {
        let get = |field: &str| request.get(&format!("{prefix}.{field}"));
        let (id, name) = (get("LaunchTemplateId"), get("LaunchTemplateName"));
        if id.is_some() && name.is_some() {
            let text = "Valid requests must contain either launchTemplateId or LaunchTemplateName";
            return Err(wrong(text.to_owned()));
        }
        if id.is_none() && name.is_none() {
            return Ok(None);
        }
        let template = contents
            .templates
            .iter()
            .find(|template| id == Some(template.id.as_str()) || name == Some(template.name.as_str()))
            .ok_or_else(|| wrong("The specified launch template does not exist.".to_owned()))?;
        let version = get("Version").unwrap_or("$Default");
        if number(template, version).is_none() {
            return Err(wrong("The specified launch template version does not exist.".to_owned()));
        }
        Ok(Some((template.id.clone(), version.to_owned())))
    };
    let template = specification("LaunchTemplate")?;
    let policy = "MixedInstancesPolicy.LaunchTemplate";
    let mixed = match specification(&format!("{policy}.LaunchTemplateSpecification"))? {
        Some(template) => {
            let mut overrides = Vec::new();
            for n in 1.. {
                let prefix = format!("{policy}.Overrides.member.{n}");
                let Some(instance_type) = request.get(&format!("{prefix}.InstanceType")) else { break };
                let own = specification(&format!("{prefix}.LaunchTemplateSpecification"))?;
                overrides.push((instance_type.to_owned(), own));
            }
            let percentage = "MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity";
            Some(Mixed {
                template,
                overrides,
                on_demand_percentage: request.get(percentage).map(str::to_owned),
            })
        }
        None => None,
    };
    let Some(group) = contents.groups.get_mut(at) else {
        return Err(wrong(format!("AutoScalingGroup name not found - {name}")));
    };
    if template.is_some() || mixed.is_some() {
        (group.template, group.mixed, group.configuration) = (template, mixed, None);
    }
    group.changes += 1;
    Ok(Answer::query("UpdateAutoScalingGroup", |_| {}))
}

/// The template that an update names, if it names one.
pub(crate) fn template_of_update(request: &Request) -> Option<String> {
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification";
    ["LaunchTemplate", policy]
        .iter()
        .flat_map(|prefix| ["LaunchTemplateId", "LaunchTemplateName"].map(|name| format!("{prefix}.{name}")))
        .find_map(|name| request.get(&name).map(str::to_owned))
}

pub(crate) fn describe_configurations(contents: &Contents, request: &Request) -> Answer {
    let (range, next) = request.page(contents.configurations.len(), size(request));
    Answer::query("DescribeLaunchConfigurations", |xml| {
        xml.element("LaunchConfigurations", |xml| {
            for (name, options, image) in &contents.configurations[range] {
                xml.element("member", |xml| {
                    xml.text("LaunchConfigurationName", name).text("ImageId", image);
                    xml.element("MetadataOptions", |xml| {
                        xml.maybe("HttpTokens", options.http_tokens.as_ref())
                            .maybe("HttpPutResponseHopLimit", options.http_put_response_hop_limit)
                            .maybe("HttpEndpoint", options.http_endpoint.as_ref());
                    });
                });
            }
        });
        xml.maybe("NextToken", next);
    })
}
