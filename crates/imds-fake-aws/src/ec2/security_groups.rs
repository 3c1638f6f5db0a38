//! `DescribeSecurityGroups`.

use crate::answer::{Answer, Refusal};
use crate::request::Request;
use crate::world::{Inbound, World};
use crate::xml::Xml;

/// "MaxResults ... between 5 and 1000" (API reference, `DescribeSecurityGroups`).
pub(super) fn describe(world: &mut World, request: &Request) -> Result<Answer, Refusal> {
    let size = match request.get("MaxResults").map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(size)) if (5..=1000).contains(&size) => size,
        Some(_) => {
            let text = "Value for parameter maxResults is invalid. Expecting a value from 5 to 1000.";
            return Err(Refusal::new("InvalidParameterValue", text));
        }
    };
    let size = size.min(world.security_group_page.unwrap_or(usize::MAX));
    let filters = request.filters();
    if let Some((name, _)) = filters.iter().find(|(name, _)| *name != "group-id") {
        return Err(Refusal::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
    }
    let contents = world.at(&request.account, &request.region);
    let wanted = |id: &str| filters.iter().all(|(_, values)| values.contains(&id));
    let groups: Vec<(&String, &Vec<Inbound>)> =
        contents.security_groups.iter().filter(|(id, _)| wanted(id)).collect();
    let (range, next) = request.page(groups.len(), size);
    Ok(Answer::ec2("DescribeSecurityGroups", |xml| {
        xml.element("securityGroupInfo", |xml| {
            for (id, rules) in &groups[range] {
                xml.element("item", |xml| {
                    xml.text("ownerId", &request.account)
                        .text("groupId", id)
                        .text("groupName", format!("name-of-{id}"));
                    xml.element("ipPermissions", |xml| rules.iter().for_each(|rule| write(xml, rule)));
                });
            }
        });
        xml.maybe("nextToken", next);
    }))
}

fn write(xml: &mut Xml, (protocol, ports, range): &Inbound) {
    xml.element("item", |xml| {
        xml.text("ipProtocol", protocol);
        if let Some((from, to)) = ports {
            xml.text("fromPort", from).text("toPort", to);
        }
        let (set, name) =
            if range.contains(':') { ("ipv6Ranges", "cidrIpv6") } else { ("ipRanges", "cidrIp") };
        xml.element(set, |xml| {
            xml.element("item", |xml| {
                xml.text(name, range);
            });
        });
    });
}
