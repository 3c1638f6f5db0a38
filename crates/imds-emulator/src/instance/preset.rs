//! Ready-made instances.

use imds_model::MetadataOptions;
use imds_model::options::{HttpTokens, Switch};

use super::{Association, Instance, Interface, Lifecycle, TargetLifecycleState, UserData};
use crate::base::profile::Profile;

/// A ready-made instance, with the options and the wire profile that go with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// The built-in instance.
    #[default]
    Default,
    /// A Spot Instance.
    Spot,
    /// An instance of an Auto Scaling group, named in a tag.
    Asg,
    /// Three interfaces: public addresses, delegated prefixes, IPv6, a second network card.
    MultiInterface,
    /// No IPv4 address; the IPv6 endpoint is on.
    Ipv6Only,
    /// No instance profile, no key, no user data.
    NoRole,
    /// An instance on a Snowball Edge, in its wire profile.
    Snowball,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 7] = [
        Self::Default,
        Self::Spot,
        Self::Asg,
        Self::MultiInterface,
        Self::Ipv6Only,
        Self::NoRole,
        Self::Snowball,
    ];

    /// The preset's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Spot => "spot",
            Self::Asg => "asg",
            Self::MultiInterface => "multi-interface",
            Self::Ipv6Only => "ipv6-only",
            Self::NoRole => "no-role",
            Self::Snowball => "snowball",
        }
    }

    /// The preset of this name, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// The wire profile that goes with it.
    #[must_use]
    pub const fn profile(self) -> Profile {
        match self {
            Self::Snowball => Profile::Snowball,
            _ => Profile::Nitro,
        }
    }

    /// The metadata options that go with it: session tokens are required, as new instances are
    /// launched today, but on a Snowball, whose older software knows none.
    #[must_use]
    pub fn options(self) -> MetadataOptions {
        let http_tokens = if self == Self::Snowball { HttpTokens::Optional } else { HttpTokens::Required };
        let ipv6 = if self == Self::Ipv6Only { Switch::Enabled } else { Switch::Disabled };
        MetadataOptions {
            http_tokens,
            instance_metadata_tags: Switch::Enabled,
            http_protocol_ipv6: ipv6,
            ..MetadataOptions::default()
        }
    }

    /// The instance.
    #[must_use]
    pub fn instance(self) -> Instance {
        let mut instance = Instance::default();
        match self {
            Self::Default => {}
            Self::Spot => {
                instance.instance_id = "i-0598c7d356eba48d7".into();
                instance.instance_life_cycle = "spot".into();
                instance.lifecycle = Lifecycle::default();
            }
            Self::Asg => {
                let hook = br#"{"autoScalingGroup":"my-group","lifecycleHook":"my-hook"}"#;
                instance.user_data = Some(UserData(hook.to_vec()));
                instance.lifecycle.target_lifecycle_state = Some(TargetLifecycleState::InService);
            }
            Self::MultiInterface => {
                // Two network cards, which an m5.large does not have.
                instance.instance_type = "c6in.32xlarge".into();
                instance.interfaces[0].network_card = Some(0);
                instance.interfaces.extend([second(), third()]);
            }
            Self::Ipv6Only => {
                let interface = &mut instance.interfaces[0];
                let address =
                    std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 0x1a00, 0x7c1d, 0x51c0, 0x2cfd, 0x3c9d);
                *interface = Interface {
                    local_ipv4s: Vec::new(),
                    ipv4_associations: Vec::new(),
                    public_hostname: None,
                    ipv6s: vec![address],
                    local_hostname: "i-1234567890abcdef0.ec2.internal".into(),
                    subnet_ipv4_cidr_block: None,
                    subnet_ipv6_cidr_blocks: vec!["2001:db8:1234:1a00::/64".into()],
                    vpc_ipv6_cidr_blocks: vec!["2001:db8:1234:1a00::/56".into()],
                    ..interface.clone()
                };
            }
            Self::NoRole => {
                instance.role = None;
                instance.public_keys.clear();
                instance.user_data = None;
            }
            Self::Snowball => {
                instance.instance_id = "s.i-8e0e4e2e6a5b1a1a1".into();
                instance.ami_id = "s.ami-8144e2b13711e662b".into();
                instance.instance_type = "sbe-c.large".into();
                instance.reservation_id = "s.r-80c8ee6b041b29eb4".into();
                instance.role = None;
                instance.identity_credentials = false;
                instance.lifecycle = Lifecycle::default();
            }
        }
        instance
    }
}

fn second() -> Interface {
    let primary = Interface::primary();
    let [first, next] = [[10, 0, 1, 20], [10, 0, 1, 21]].map(std::net::Ipv4Addr::from);
    Interface {
        mac: "02:29:96:8f:6a:2e".into(),
        interface_id: "eni-0b1b2c3d4e5f67891".into(),
        device_number: 1,
        network_card: Some(0),
        subnet_id: "subnet-0cc1c79de3EXAMPLE".into(),
        local_ipv4s: vec![first, next],
        local_hostname: "ip-10-0-1-20.ec2.internal".into(),
        public_hostname: None,
        ipv4_associations: vec![Association {
            public_ipv4: std::net::Ipv4Addr::new(203, 0, 113, 26),
            private_ipv4s: vec![first],
        }],
        ipv4_prefix: vec!["10.0.1.64/28".into()],
        ipv6_prefix: vec!["2001:db8:1234:1a01:9691::/80".into()],
        ipv6s: vec![std::net::Ipv6Addr::new(0x2001, 0xdb8, 0x1234, 0x1a01, 0x3304, 0x8879, 0x34cf, 0x4071)],
        subnet_ipv4_cidr_block: Some("10.0.1.0/24".into()),
        subnet_ipv6_cidr_blocks: vec!["2001:db8:1234:1a01::/64".into()],
        vpc_ipv6_cidr_blocks: vec!["2001:db8:1234:1a00::/56".into()],
        ..primary
    }
}

fn third() -> Interface {
    Interface {
        mac: "02:29:96:8f:6a:2f".into(),
        interface_id: "eni-0c1b2c3d4e5f67892".into(),
        // Device indexes are counted on each card; only the primary interface has 0.
        device_number: 1,
        network_card: Some(1),
        subnet_id: "subnet-0dd1c79de3EXAMPLE".into(),
        owner_id: Some("210987654321".into()),
        local_ipv4s: vec![std::net::Ipv4Addr::new(10, 0, 2, 30)],
        local_hostname: "ip-10-0-2-30.ec2.internal".into(),
        public_hostname: None,
        ipv4_associations: Vec::new(),
        subnet_ipv4_cidr_block: Some("10.0.2.0/24".into()),
        ..Interface::primary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_can_be() {
        for preset in Preset::ALL {
            assert_eq!(preset.instance().check(), Ok(()), "{}", preset.as_str());
            assert_eq!(Preset::parse(preset.as_str()), Some(preset));
        }
    }
}
