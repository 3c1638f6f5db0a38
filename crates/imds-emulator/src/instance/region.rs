//! What follows from a Region and an instance type: partition, zone ids, host names, architecture.

use std::net::Ipv4Addr;

use super::Instance;

/// DNS suffix and partition of a Region (AWS General Reference, "AWS service endpoints").
pub(super) fn services(region: &str) -> (&'static str, &'static str) {
    [
        ("cn-", "amazonaws.com.cn", "aws-cn"),
        ("us-gov-", "amazonaws.com", "aws-us-gov"),
        ("us-isob-", "sc2s.sgov.gov", "aws-iso-b"),
        ("us-iso-", "c2s.ic.gov", "aws-iso"),
        ("eusc-", "amazonaws.eu", "aws-eusc"),
    ]
    .iter()
    .find(|(prefix, ..)| region.starts_with(prefix))
    .map_or(("amazonaws.com", "aws"), |(_, domain, partition)| (domain, partition))
}

/// What the zone ids of a Region begin with: `use1` of `us-east-1`, `apne1` of `ap-northeast-1`,
/// `usgw1` of `us-gov-west-1` (AWS Regions and Availability Zones). `None` for what is not named
/// like a Region.
pub(super) fn zone_id_prefix(region: &str) -> Option<String> {
    let mut parts = region.split('-');
    let mut prefix = parts.next()?.to_owned();
    let rest: Vec<&str> = parts.collect();
    let (number, directions) = rest.split_last()?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) || directions.is_empty() {
        return None;
    }
    for direction in directions {
        prefix.push_str(match *direction {
            "gov" => "g",
            "iso" => "i",
            "isob" => "ib",
            "north" => "n",
            "south" => "s",
            "east" => "e",
            "west" => "w",
            "central" => "c",
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            _ => return None,
        });
    }
    Some(prefix + number)
}

/// The id that a zone of this Region may have. Which id a name stands for differs by account, so
/// the letters are counted.
fn zone_id(region: &str, zone: &str) -> Option<String> {
    let letter = zone.bytes().last().filter(u8::is_ascii_lowercase)?;
    Some(format!("{}-az{}", zone_id_prefix(region)?, letter - b'a' + 1))
}

/// The private host name of an address (VPC User Guide, "DNS attributes for your VPC").
fn private_name(region: &str, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    match region {
        "us-east-1" => format!("ip-{a}-{b}-{c}-{d}.ec2.internal"),
        _ => format!("ip-{a}-{b}-{c}-{d}.{region}.compute.internal"),
    }
}

/// The private host name of an instance in a subnet without IPv4 (EC2 User Guide, "Amazon EC2
/// instance hostname types": the resource name).
fn resource_name(region: &str, instance_id: &str) -> String {
    match region {
        "us-east-1" => format!("{instance_id}.ec2.internal"),
        _ => format!("{instance_id}.{region}.compute.internal"),
    }
}

/// The public host name of an address.
fn public_name(region: &str, address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    let (domain, _) = services(region);
    match region {
        "us-east-1" => format!("ec2-{a}-{b}-{c}-{d}.compute-1.{domain}"),
        _ => format!("ec2-{a}-{b}-{c}-{d}.{region}.compute.{domain}"),
    }
}

/// The architecture of an instance type, if its name says so: a `g` behind the generation means
/// Graviton (EC2 Instance Types Guide, "Instance type naming conventions"). `None` for names of
/// another form.
pub(super) fn architecture(instance_type: &str) -> Option<&'static str> {
    let (family, _) = instance_type.split_once('.')?;
    let options = family.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
    let options = options.trim_start_matches(|digit: char| digit.is_ascii_digit());
    if family.starts_with("mac") || family.contains('-') || options.len() == family.len() {
        return None;
    }
    Some(if family == "a1" || options.contains('g') { "arm64" } else { "x86_64" })
}

/// The architecture of an instance type: that of the table, else what its name says.
pub(super) fn known_architecture(instance_type: &str) -> Option<&'static str> {
    match super::types::of(instance_type) {
        Some(limits) => Some(limits.architecture),
        None => architecture(instance_type),
    }
}

/// Which members a file gave itself: those are not derived.
pub(crate) type Given<'a> = &'a dyn Fn(&[&str]) -> bool;

impl Instance {
    /// Whether a text is named like a Region.
    pub(crate) fn is_region(text: &str) -> bool {
        zone_id_prefix(text).is_some()
    }

    /// The architecture of an instance type, where it is known.
    pub(crate) fn architecture_of(instance_type: &str) -> Option<&'static str> {
        known_architecture(instance_type)
    }

    /// Whether a zone id may be one of this Region.
    pub(crate) fn is_zone_id_of(id: &str, region: &str) -> bool {
        zone_id_prefix(region).is_none_or(|prefix| id.starts_with(&format!("{prefix}-")))
    }

    /// Moves the instance to the first zone of a Region.
    pub(crate) fn move_to(&mut self, region: &str) {
        if region == self.placement.region {
            return;
        }
        let before = self.clone();
        region.clone_into(&mut self.placement.region);
        self.placement.availability_zone = format!("{region}a");
        self.derive(&before, &|_| false);
    }

    /// Fills in what follows from the Region, the zone and the type, unless it was given.
    pub(crate) fn derive(&mut self, before: &Self, given: Given<'_>) {
        let region = self.placement.region.clone();
        let zone = &self.placement.availability_zone;
        let moved = region != before.placement.region || *zone != before.placement.availability_zone;
        if moved && !given(&["placement", "availability-zone-id"]) {
            self.placement.availability_zone_id = zone_id(&region, zone);
        }
        if region != before.placement.region {
            let (domain, partition) = services(&region);
            if !given(&["services", "domain"]) {
                self.services.domain = domain.to_owned();
            }
            if !given(&["services", "partition"]) {
                self.services.partition = partition.to_owned();
            }
        }
        if !given(&["interfaces"]) {
            self.rename_hosts(before);
        }
        if !given(&["architecture"])
            && let Some(architecture) = known_architecture(&self.instance_type)
        {
            self.architecture = architecture.to_owned();
        }
    }

    /// Gives the interfaces the host names that follow from Region, address and instance id; those
    /// that did not follow from the old ones stay.
    fn rename_hosts(&mut self, before: &Self) {
        let (region, old_region) = (&self.placement.region, &before.placement.region);
        for (interface, old) in self.interfaces.iter_mut().zip(&before.interfaces) {
            if interface.local_hostname == resource_name(old_region, &before.instance_id) {
                interface.local_hostname = resource_name(region, &self.instance_id);
            }
            if let (Some(address), Some(old_address)) =
                (interface.local_ipv4s.first(), old.local_ipv4s.first())
                && interface.local_hostname == private_name(old_region, *old_address)
            {
                interface.local_hostname = private_name(region, *address);
            }
            let public = interface.ipv4_associations.first().map(|one| one.public_ipv4);
            if let (Some(address), Some(name)) = (public, &mut interface.public_hostname)
                && *name == public_name(old_region, address)
            {
                *name = public_name(region, address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_ids_as_they_are_published() {
        for (region, prefix) in [
            ("us-east-1", "use1"),
            ("eu-west-1", "euw1"),
            ("ap-northeast-1", "apne1"),
            ("ap-southeast-2", "apse2"),
            ("us-gov-west-1", "usgw1"),
            ("cn-north-1", "cnn1"),
        ] {
            assert_eq!(zone_id_prefix(region).as_deref(), Some(prefix));
        }
        assert_eq!(zone_id_prefix("moon"), None);
        assert_eq!(zone_id("eu-west-1", "eu-west-1b").as_deref(), Some("euw1-az2"));
    }

    #[test]
    fn architectures_by_name() {
        for (instance_type, expected) in [
            ("m5.large", Some("x86_64")),
            ("c7g.4xlarge", Some("arm64")),
            ("c7gn.large", Some("arm64")),
            ("g4dn.xlarge", Some("x86_64")),
            ("g5g.xlarge", Some("arm64")),
            ("a1.medium", Some("arm64")),
            ("mac2.metal", None),
            ("u-6tb1.metal", None),
            ("sbe-c.large", None),
            ("large", None),
        ] {
            assert_eq!(architecture(instance_type), expected, "{instance_type}");
        }
    }
}
