//! What the interfaces of an instance have to be, each alone, together, and on an instance type.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::flaw::Flaw;
use super::types::{self, TypeLimits};
use super::{Instance, Interface};
use crate::base::block::Block;
use crate::base::span::Step;

/// A flaw of a member of the interface at this index.
fn at(index: usize, member: &str, message: String) -> Flaw {
    Flaw { places: vec![place(index, member), place(index, "mac")], message }
}

fn place(index: usize, member: &str) -> Vec<Step> {
    vec!["interfaces".into(), index.into(), member.into()]
}

/// What about the interfaces cannot be.
pub(super) fn flaw(instance: &Instance) -> Result<(), Flaw> {
    let limits = types::of(&instance.instance_type);
    let mut macs = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut positions = BTreeMap::new();
    let mut addresses = BTreeSet::new();
    for (index, interface) in instance.interfaces.iter().enumerate() {
        check_mac(&interface.mac).map_err(|message| at(index, "mac", message))?;
        if !macs.insert(&interface.mac) {
            let message = format!("`mac` is `{}` once more; each interface has its own", interface.mac);
            return Err(at(index, "mac", message));
        }
        if !ids.insert(&interface.interface_id) {
            let id = interface.interface_id.escape_debug();
            let message = format!("`interface-id` is `{id}` once more; each interface has its own");
            return Err(at(index, "interface-id", message));
        }
        position(index, interface, &mut positions)?;
        own_addresses(index, interface)?;
        for address in &interface.local_ipv4s {
            if !addresses.insert((&interface.vpc_id, *address)) {
                let message = format!("`{address}` is an address of another interface of the VPC, too");
                return Err(at(index, "local-ipv4s", message));
            }
        }
        if let Some(limits) = limits {
            of_type(index, instance, limits)?;
        }
    }
    subnets(&instance.interfaces)
}

/// The card and the number there: the primary interface has 0 and 0, and no two have the same
/// (Amazon EC2 API Reference, `AttachNetworkInterface`, `InstanceNetworkInterfaceSpecification`).
fn position(
    index: usize,
    interface: &Interface,
    positions: &mut BTreeMap<(u32, u32), usize>,
) -> Result<(), Flaw> {
    let (card, number) = (interface.network_card.unwrap_or(0), interface.device_number);
    if index == 0 && card != 0 {
        let message = format!("`network-card` of the primary interface is `{card}`; 0");
        return Err(at(index, "network-card", message));
    }
    if index == 0 && number != 0 {
        let message =
            format!("`device-number` of the primary interface, which comes first, is `{number}`; 0");
        return Err(at(index, "device-number", message));
    }
    if let Some(other) = positions.insert((card, number), index) {
        let message = format!(
            "`device-number` is `{number}` on network card {card}, as that of interface {}; each on a card has its \
             own",
            other + 1
        );
        return Err(at(index, "device-number", message));
    }
    Ok(())
}

/// The addresses and prefixes of an interface against its own blocks.
fn own_addresses(index: usize, interface: &Interface) -> Result<(), Flaw> {
    let block = |member: &str, text: &str, ipv4: bool, length: Option<u32>| {
        let block = Block::parse(text).filter(|block| block.is_ipv4() == ipv4);
        block.filter(|block| length.is_none_or(|length| block.length() == length)).ok_or_else(|| {
            let example = match (ipv4, length) {
                (true, None) => "a block of IPv4 addresses, such as `10.0.0.0/24`",
                (true, Some(_)) => "a block of 16 IPv4 addresses, such as `10.0.0.64/28`",
                (false, None) => "a block of IPv6 addresses, such as `2001:db8:1234:1a00::/64`",
                (false, Some(_)) => "an IPv6 prefix of 80 bits, such as `2001:db8:1234:1a00:9691::/80`",
            };
            at(index, member, format!("`{member}` is `{}`; {example}", text.escape_debug()))
        })
    };
    let blocks = |member: &str, texts: &[String], ipv4: bool, length: Option<u32>| {
        texts.iter().map(|text| block(member, text, ipv4, length)).collect::<Result<Vec<Block>, Flaw>>()
    };
    // Lengths of prefixes: EC2 User Guide, "Prefix delegation for Amazon EC2 network interfaces".
    blocks("ipv4-prefix", &interface.ipv4_prefix, true, Some(28))?;
    blocks("ipv6-prefix", &interface.ipv6_prefix, false, Some(80))?;
    let subnet: Vec<String> = interface.subnet_ipv4_cidr_block.iter().cloned().collect();
    let families = [
        (
            blocks("subnet-ipv4-cidr-block", &subnet, true, None)?,
            blocks("vpc-ipv4-cidr-blocks", &interface.vpc_ipv4_cidr_blocks, true, None)?,
            interface.local_ipv4s.iter().copied().map(IpAddr::from).collect::<Vec<IpAddr>>(),
            ["subnet-ipv4-cidr-block", "local-ipv4s"],
        ),
        (
            blocks("subnet-ipv6-cidr-blocks", &interface.subnet_ipv6_cidr_blocks, false, None)?,
            blocks("vpc-ipv6-cidr-blocks", &interface.vpc_ipv6_cidr_blocks, false, None)?,
            interface.ipv6s.iter().copied().map(IpAddr::from).collect(),
            ["subnet-ipv6-cidr-blocks", "ipv6s"],
        ),
    ];
    for (subnet, vpc, addresses, [of_subnet, of_addresses]) in families {
        if subnet.iter().any(|subnet| !vpc.is_empty() && !vpc.iter().any(|vpc| vpc.holds(*subnet))) {
            let message = format!("`{of_subnet}` is in no block of the VPC");
            return Err(at(index, of_subnet, message));
        }
        let outside = |address: &&IpAddr| !subnet.iter().any(|subnet| subnet.has(**address));
        if let Some(address) = addresses.iter().find(|address| !subnet.is_empty() && outside(address)) {
            let message = format!("`{address}` is not in `{of_subnet}`");
            return Err(at(index, of_addresses, message));
        }
    }
    let known = |address| interface.local_ipv4s.contains(address);
    let private = interface.ipv4_associations.iter().flat_map(|association| &association.private_ipv4s);
    match private.into_iter().find(|address| !known(address)) {
        Some(address) => {
            let message = format!("`{address}` has a public address, but is none of `local-ipv4s`");
            Err(at(index, "ipv4-associations", message))
        }
        None => Ok(()),
    }
}

/// The interface at an index against the limits of the instance's type.
fn of_type(index: usize, instance: &Instance, limits: &TypeLimits) -> Result<(), Flaw> {
    // The interfaces may be a preset's: then the type is to blame.
    let at =
        |place: Vec<Step>, message| Err(Flaw { places: vec![place, vec!["instance-type".into()]], message });
    let own = &instance.interfaces[index];
    let card = own.network_card.unwrap_or(0);
    let kind = limits.name;
    if card >= limits.cards {
        let accepted = match limits.cards {
            1 => "0 only".to_owned(),
            cards => format!("0 to {}", cards - 1),
        };
        let message = format!("`network-card` is `{card}`; an instance of type `{kind}` has {accepted}");
        return at(place(index, "network-card"), message);
    }
    let before = &instance.interfaces[..index];
    let on_card = before.iter().filter(|other| other.network_card.unwrap_or(0) == card).count() + 1;
    if on_card > limits.interfaces_per_card {
        let message = format!(
            "interface {} is one too many: an instance of type `{kind}` has at most {}{}",
            index + 1,
            limits.interfaces_per_card,
            if limits.cards > 1 { " on each network card" } else { "" }
        );
        return at(vec!["interfaces".into(), index.into()], message);
    }
    let counts = [
        ("local-ipv4s", "ipv4-prefix", own.local_ipv4s.len() + own.ipv4_prefix.len()),
        ("ipv6s", "ipv6-prefix", own.ipv6s.len() + own.ipv6_prefix.len()),
    ];
    for (member, prefix, count) in counts {
        if count > limits.addresses_per_interface {
            let message = format!(
                "`{member}` and `{prefix}` are {count}; an interface of an instance of type `{kind}` has at most {}",
                limits.addresses_per_interface
            );
            return at(place(index, member), message);
        }
    }
    Ok(())
}

/// Whether both interfaces show blocks, and not the same: one without IPv6 shows none.
fn both_differ(own: &[String], before: &[String]) -> bool {
    !own.is_empty() && !before.is_empty() && own != before
}

/// A subnet has the same blocks and the same VPC wherever it is named, and a VPC the same blocks.
fn subnets(interfaces: &[Interface]) -> Result<(), Flaw> {
    let differs = |index: usize, member: &str, what: &str, id: &str, other: usize| {
        let id = id.escape_debug();
        let message = format!(
            "`{member}` differs from that of interface {}, which is in the {what} `{id}`, too",
            other + 1
        );
        Err(at(index, member, message))
    };
    for (index, own) in interfaces.iter().enumerate() {
        for (other, before) in interfaces[..index].iter().enumerate() {
            if own.subnet_id == before.subnet_id {
                let id = &own.subnet_id;
                if both_differ(
                    own.subnet_ipv4_cidr_block.as_slice(),
                    before.subnet_ipv4_cidr_block.as_slice(),
                ) {
                    return differs(index, "subnet-ipv4-cidr-block", "subnet", id, other);
                }
                if both_differ(&own.subnet_ipv6_cidr_blocks, &before.subnet_ipv6_cidr_blocks) {
                    return differs(index, "subnet-ipv6-cidr-blocks", "subnet", id, other);
                }
                if own.vpc_id != before.vpc_id {
                    return differs(index, "vpc-id", "subnet", id, other);
                }
            }
            if own.vpc_id == before.vpc_id {
                let id = &own.vpc_id;
                if both_differ(&own.vpc_ipv4_cidr_blocks, &before.vpc_ipv4_cidr_blocks) {
                    return differs(index, "vpc-ipv4-cidr-blocks", "VPC", id, other);
                }
                if both_differ(&own.vpc_ipv6_cidr_blocks, &before.vpc_ipv6_cidr_blocks) {
                    return differs(index, "vpc-ipv6-cidr-blocks", "VPC", id, other);
                }
            }
        }
    }
    // A block is one subnet's.
    for (index, own) in interfaces.iter().enumerate() {
        let taken = |before: &&Interface| {
            own.subnet_ipv4_cidr_block.is_some()
                && own.subnet_ipv4_cidr_block == before.subnet_ipv4_cidr_block
                && own.vpc_id == before.vpc_id
                && own.subnet_id != before.subnet_id
        };
        if let Some(before) = interfaces[..index].iter().find(taken) {
            let message = format!(
                "`subnet-ipv4-cidr-block` is that of the subnet `{}`, too; each subnet of a VPC has its own",
                before.subnet_id.escape_debug()
            );
            return Err(at(index, "subnet-ipv4-cidr-block", message));
        }
    }
    Ok(())
}

fn check_mac(mac: &str) -> Result<(), String> {
    let parts: Vec<&str> = mac.split(':').collect();
    let pair = |part: &&str| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    if parts.len() == 6 && parts.iter().all(pair) {
        return Ok(());
    }
    Err(format!("`mac` is `{}`; six pairs of lower-case hexadecimal digits with colons", mac.escape_debug()))
}
