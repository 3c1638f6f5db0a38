//! Network interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A network interface. Addresses come primary first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interface {
    /// MAC address, lower case with colons.
    pub mac: String,
    /// Interface id.
    pub interface_id: String,
    /// Device index of the attachment.
    #[serde(default)]
    pub device_number: u32,
    /// Network card index, where the instance type has several.
    #[serde(default)]
    pub network_card: Option<u32>,
    /// Account that owns the interface; the instance's own by default.
    #[serde(default)]
    pub owner_id: Option<String>,
    /// Private IPv4 addresses.
    #[serde(default)]
    pub local_ipv4s: Vec<Ipv4Addr>,
    /// IPv6 addresses.
    #[serde(default)]
    pub ipv6s: Vec<Ipv6Addr>,
    /// Private DNS name.
    pub local_hostname: String,
    /// Public DNS name.
    #[serde(default)]
    pub public_hostname: Option<String>,
    /// Public IPv4 addresses, each with the private addresses behind it.
    #[serde(default)]
    pub ipv4_associations: Vec<Association>,
    /// Delegated IPv4 prefixes.
    #[serde(default)]
    pub ipv4_prefix: Vec<String>,
    /// Delegated IPv6 prefixes.
    #[serde(default)]
    pub ipv6_prefix: Vec<String>,
    /// Security groups by name.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Security groups by id.
    #[serde(default)]
    pub security_group_ids: Vec<String>,
    /// Subnet id.
    pub subnet_id: String,
    /// IPv4 block of the subnet.
    #[serde(default)]
    pub subnet_ipv4_cidr_block: Option<String>,
    /// IPv6 blocks of the subnet.
    #[serde(default)]
    pub subnet_ipv6_cidr_blocks: Vec<String>,
    /// VPC id.
    pub vpc_id: String,
    /// IPv4 blocks of the VPC, the primary one first.
    #[serde(default)]
    pub vpc_ipv4_cidr_blocks: Vec<String>,
    /// IPv6 blocks of the VPC.
    #[serde(default)]
    pub vpc_ipv6_cidr_blocks: Vec<String>,
}

impl Interface {
    /// Gives the interface another primary address, which keeps the public one.
    pub(super) fn set_primary_ipv4(&mut self, address: Ipv4Addr) {
        let Some(first) = self.local_ipv4s.first_mut() else {
            return self.local_ipv4s.push(address);
        };
        let old = std::mem::replace(first, address);
        for private in self.ipv4_associations.iter_mut().flat_map(|one| &mut one.private_ipv4s) {
            if *private == old {
                *private = address;
            }
        }
    }
}

/// A public IPv4 address and the private ones behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Association {
    /// The public address.
    pub public_ipv4: Ipv4Addr,
    /// The private addresses.
    pub private_ipv4s: Vec<Ipv4Addr>,
}
