//! A network interface, put together from its values.

use imds_model::{Category, catalogue::Format};

use crate::client::response::Response;
use crate::error::{Error, ErrorKind};

/// An attached network interface. What the service does not say is `None` or empty; one that was
/// attached just now may be told of in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// MAC address, which names the interface in paths.
    pub mac: String,
    /// Index of the attachment; 0 also before the attachment is known
    /// (amazonlinux/amazon-ec2-net-utils).
    pub device_number: Option<u32>,
    /// Index of the network card, on instance types with several.
    pub network_card: Option<u32>,
    /// Id.
    pub interface_id: Option<String>,
    /// Account of the owner: twelve digits.
    pub owner_id: Option<String>,
    /// Private DNS name.
    pub local_hostname: Option<String>,
    /// Private IPv4 addresses, the primary one first.
    pub local_ipv4s: Vec<String>,
    /// IPv6 addresses.
    pub ipv6s: Vec<String>,
    /// Delegated IPv4 prefixes.
    pub ipv4_prefixes: Vec<String>,
    /// Delegated IPv6 prefixes.
    pub ipv6_prefixes: Vec<String>,
    /// Public DNS name.
    pub public_hostname: Option<String>,
    /// Public IPv4 addresses.
    pub public_ipv4s: Vec<String>,
    /// Public IPv4 addresses, each with the private ones behind it.
    pub ipv4_associations: Vec<(String, Vec<String>)>,
    /// Names of the security groups.
    pub security_groups: Vec<String>,
    /// Ids of the security groups.
    pub security_group_ids: Vec<String>,
    /// Subnet.
    pub subnet_id: Option<String>,
    /// IPv4 block of the subnet.
    pub subnet_ipv4_cidr_block: Option<String>,
    /// IPv6 blocks of the subnet.
    pub subnet_ipv6_cidr_blocks: Vec<String>,
    /// VPC.
    pub vpc_id: Option<String>,
    /// IPv4 blocks of the VPC.
    pub vpc_ipv4_cidr_blocks: Vec<String>,
    /// IPv6 blocks of the VPC.
    pub vpc_ipv6_cidr_blocks: Vec<String>,
}

impl Interface {
    pub(crate) fn new(mac: &str) -> Self {
        Self { mac: mac.to_owned(), ..Self::default() }
    }

    /// Takes in one of the interface's values. One of a category that has no place here is passed
    /// over.
    pub(crate) fn fill(&mut self, category: Category, value: &Response) -> Result<(), Error> {
        let text = || value.text().map(|text| Some(text.to_owned()));
        let lines = || value.lines().map(|lines| lines.map(str::to_owned).collect::<Vec<_>>());
        match category {
            Category::InterfaceDeviceNumber => self.device_number = Some(number(category, value)?),
            Category::InterfaceNetworkCard => self.network_card = Some(number(category, value)?),
            // The earlier name of the same.
            Category::InterfaceNetworkCardIndex => {
                self.network_card = self.network_card.or(Some(number(category, value)?))
            }
            Category::InterfaceId => self.interface_id = text()?,
            Category::InterfaceOwnerId => self.owner_id = text()?,
            Category::InterfaceLocalHostname => self.local_hostname = text()?,
            Category::InterfaceLocalIpv4s => self.local_ipv4s = lines()?,
            Category::InterfaceIpv6s => self.ipv6s = lines()?,
            Category::InterfaceIpv4Prefixes => self.ipv4_prefixes = lines()?,
            Category::InterfaceIpv6Prefixes => self.ipv6_prefixes = lines()?,
            Category::InterfacePublicHostname => self.public_hostname = text()?,
            Category::InterfacePublicIpv4s => self.public_ipv4s = lines()?,
            Category::Ipv4Association => {
                let public = value.path().as_str().rsplit('/').next().unwrap_or_default();
                self.ipv4_associations.push((public.to_owned(), lines()?));
                self.ipv4_associations.sort();
            }
            Category::InterfaceSecurityGroups => self.security_groups = lines()?,
            Category::InterfaceSecurityGroupIds => self.security_group_ids = lines()?,
            Category::InterfaceSubnetId => self.subnet_id = text()?,
            Category::InterfaceSubnetIpv4Cidr => self.subnet_ipv4_cidr_block = text()?,
            Category::InterfaceSubnetIpv6Cidrs => self.subnet_ipv6_cidr_blocks = lines()?,
            Category::InterfaceVpcId => self.vpc_id = text()?,
            Category::InterfaceVpcIpv4Cidrs => self.vpc_ipv4_cidr_blocks = lines()?,
            Category::InterfaceVpcIpv6Cidrs => self.vpc_ipv6_cidr_blocks = lines()?,
            _ => {}
        }
        Ok(())
    }
}

fn number(category: Category, value: &Response) -> Result<u32, Error> {
    debug_assert_eq!(category.format(), Format::Integer);
    value.text()?.trim_end().parse().map_err(|error: std::num::ParseIntError| {
        let message = format!("the value of `{}` is not a number", value.path());
        Error::new(ErrorKind::Protocol, message).path_context(value.path()).caused_by(error)
    })
}
