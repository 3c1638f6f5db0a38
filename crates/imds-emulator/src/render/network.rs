//! `network/interfaces/macs/MAC/...` of every interface.

use super::{Branch, lines};
use crate::instance::{Instance, Interface};
use crate::version::Version;

/// 2011-01-01, when `network/` came (EC2 User Guide, "Instance metadata categories").
const V2011_01_01: Version = Version::released(2011, 1, 1);
const V2016_06_30: Version = Version::released(2016, 6, 30);
const V2020_11_01: Version = Version::released(2020, 11, 1);

pub(super) fn interface(branch: &mut Branch<'_>, instance: &Instance, interface: &Interface) {
    let base = format!("network/interfaces/macs/{}", interface.mac);
    let mut put = |name: &str, since: Version, value: String| {
        branch.put(&format!("{base}/{name}"), since, value);
    };
    put("mac", V2011_01_01, interface.mac.clone());
    put("interface-id", V2011_01_01, interface.interface_id.clone());
    put("device-number", V2011_01_01, interface.device_number.to_string());
    if let Some(card) = interface.network_card {
        // The current EC2 User Guide says `network-card`, the one of 2023 `network-card-index`; agents read either.
        put("network-card", V2020_11_01, card.to_string());
        put("network-card-index", V2020_11_01, card.to_string());
    }
    put("owner-id", V2011_01_01, interface.owner_id.as_ref().unwrap_or(&instance.account_id).clone());
    put("local-hostname", V2011_01_01, interface.local_hostname.clone());
    put("subnet-id", V2011_01_01, interface.subnet_id.clone());
    put("vpc-id", V2011_01_01, interface.vpc_id.clone());
    let lists = [
        ("local-ipv4s", V2011_01_01, lines(&interface.local_ipv4s)),
        ("ipv6s", V2016_06_30, lines(&interface.ipv6s)),
        ("ipv4-prefix", V2011_01_01, lines(&interface.ipv4_prefix)),
        ("ipv6-prefix", V2016_06_30, lines(&interface.ipv6_prefix)),
        ("security-groups", V2011_01_01, lines(&interface.security_groups)),
        ("security-group-ids", V2011_01_01, lines(&interface.security_group_ids)),
        ("subnet-ipv6-cidr-blocks", V2016_06_30, lines(&interface.subnet_ipv6_cidr_blocks)),
        ("vpc-ipv4-cidr-blocks", V2016_06_30, lines(&interface.vpc_ipv4_cidr_blocks)),
        ("vpc-ipv6-cidr-blocks", V2016_06_30, lines(&interface.vpc_ipv6_cidr_blocks)),
    ];
    for (name, since, value) in lists {
        // A list with nothing in it is not found (amazonlinux/amazon-ec2-net-utils reads it so).
        if !value.is_empty() {
            put(name, since, value);
        }
    }
    if let Some(block) = &interface.subnet_ipv4_cidr_block {
        put("subnet-ipv4-cidr-block", V2011_01_01, block.clone());
    }
    if let Some(block) = interface.vpc_ipv4_cidr_blocks.first() {
        put("vpc-ipv4-cidr-block", V2011_01_01, block.clone());
    }
    if let Some(name) = &interface.public_hostname {
        put("public-hostname", V2011_01_01, name.clone());
    }
    let public: Vec<_> = interface.ipv4_associations.iter().map(|one| one.public_ipv4).collect();
    if !public.is_empty() {
        put("public-ipv4s", V2011_01_01, lines(&public));
    }
    for association in &interface.ipv4_associations {
        put(
            &format!("ipv4-associations/{}", association.public_ipv4),
            V2011_01_01,
            lines(&association.private_ipv4s),
        );
    }
}
