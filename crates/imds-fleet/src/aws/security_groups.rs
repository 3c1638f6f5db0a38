//! Which security groups are open to the whole internet.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self as ec2, Filter};

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::resource::AccountRegion;

/// What of each group is open to 0.0.0.0/0 or ::/0, such as `tcp 22`.
pub type Open = BTreeMap<String, Vec<String>>;

/// Reads the inbound rules of these groups; one that is gone is left out.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn open(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    ids: &[String],
) -> Result<Open, Fault> {
    let mut found = Open::new();
    // By filter: `GroupIds` fails as a whole when one of them is gone. A filter takes up to 200
    // values.
    for ids in ids.chunks(200) {
        let filter = Filter::builder().name("group-id").set_values(Some(ids.to_vec())).build();
        let mut token = None;
        loop {
            let request = client
                .describe_security_groups()
                .filters(filter.clone())
                .max_results(1000)
                .set_next_token(token);
            let answer = caller.call(place, Api::DescribeSecurityGroups, || request.clone().send()).await?;
            for group in answer.security_groups() {
                let Some(id) = group.group_id() else { continue };
                let open = group.ip_permissions().iter().filter(|it| is_open(it)).map(ports).collect();
                found.insert(id.to_owned(), open);
            }
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

fn is_open(rule: &ec2::IpPermission) -> bool {
    rule.ip_ranges().iter().any(|range| range.cidr_ip() == Some("0.0.0.0/0"))
        || rule.ipv6_ranges().iter().any(|range| range.cidr_ipv6() == Some("::/0"))
}

/// `tcp 22`, `udp 1000-2000`, `all`.
fn ports(rule: &ec2::IpPermission) -> String {
    // "Use `-1` to specify all protocols" (API reference, `IpPermission`).
    let protocol = match rule.ip_protocol() {
        None | Some("-1") => return "all".to_owned(),
        Some(protocol) => protocol,
    };
    match (rule.from_port(), rule.to_port()) {
        (Some(from), Some(to)) if from == to => format!("{protocol} {from}"),
        (Some(from), Some(to)) => format!("{protocol} {from}-{to}"),
        _ => protocol.to_owned(),
    }
}
