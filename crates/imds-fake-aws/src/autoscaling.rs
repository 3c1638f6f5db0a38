//! Auto Scaling: groups and launch configurations.

use crate::answer::Answer;
use crate::request::Request;
use crate::world::Contents;

fn size(request: &Request) -> usize {
    request.get("MaxRecords").and_then(|size| size.parse().ok()).unwrap_or(50).min(100)
}

pub(crate) fn describe_groups(contents: &Contents, request: &Request) -> Answer {
    let (range, next) = request.page(contents.groups.len(), size(request));
    Answer::query("DescribeAutoScalingGroups", |xml| {
        xml.element("AutoScalingGroups", |xml| {
            for group in &contents.groups[range] {
                xml.element("member", |xml| {
                    xml.text("AutoScalingGroupName", &group.name)
                        .text("MinSize", 0)
                        .text("MaxSize", 10)
                        .text("DesiredCapacity", 1)
                        .maybe("LaunchConfigurationName", group.configuration.as_ref());
                    if let Some((id, version)) = &group.template {
                        xml.element("LaunchTemplate", |xml| {
                            xml.text("LaunchTemplateId", id).text("Version", version);
                        });
                    }
                });
            }
        });
        xml.maybe("NextToken", next);
    })
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
