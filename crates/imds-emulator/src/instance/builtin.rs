//! The built-in instance: what the model's examples say. Written by `cargo xtask generate` from `model/ast.json`; edit
//! `model/*.smithy`, or `xtask/src/generate/instance.template` for which example goes where.

use std::net::Ipv4Addr;

use super::{
    Association, Instance, Interface, Lifecycle, Maintenance, Placement, PublicKey, Role, Services,
    TargetLifecycleState, UserData,
};
use crate::base::time::Timestamp;

impl Default for Instance {
    fn default() -> Self {
        Self {
            instance_id: "i-1234567890abcdef0".into(),
            ami_id: "ami-0abcdef1234567890".into(),
            ami_launch_index: 0,
            ami_manifest_path: "(unknown)".into(),
            ancestor_ami_ids: Vec::new(),
            account_id: "123456789012".into(),
            architecture: "x86_64".into(),
            instance_type: "m5.large".into(),
            instance_life_cycle: "on-demand".into(),
            instance_action: "none".into(),
            kernel_id: None,
            ramdisk_id: None,
            hibernation_configured: None,
            outpost_arn: None,
            reservation_id: "r-0efb4ffa7d1f9b3ab".into(),
            profile: "default-hvm".into(),
            system: Some("nitro".into()),
            pending_time: Timestamp::from_seconds(1768469400),
            product_codes: Vec::new(),
            billing_products: Vec::new(),
            monitoring: false,
            placement: Placement::default(),
            interfaces: vec![Interface::primary()],
            services: Services::default(),
            block_devices: [
                ("ami".into(), "/dev/xvda".into()),
                ("root".into(), "/dev/xvda".into()),
            ]
            .into(),
            public_keys: vec![PublicKey {
                name: "my-key".into(),
                openssh_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEKEYEXAMPLEKEYEXAMPLEKEYEXAMPLEKEYEXA my-key\n".into(),
            }],
            tags: [
                ("Name".into(), "my-instance".into()),
                ("aws:autoscaling:groupName".into(), "my-group".into()),
            ]
            .into(),
            role: Some(Role::named("my-role")),
            identity_credentials: true,
            user_data: Some(UserData("{\"autoScalingGroup\":\"my-group\",\"lifecycleHook\":\"my-hook\",\"environment\":\"test\"}".into())),
            maintenance: Maintenance::default(),
            lifecycle: Lifecycle {
                target_lifecycle_state: Some(TargetLifecycleState::InService),
                ..Lifecycle::default()
            },
            managed_ssh_keys: std::collections::BTreeMap::new(),
        }
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            region: "us-east-1".into(),
            availability_zone: "us-east-1a".into(),
            availability_zone_id: Some("use1-az4".into()),
            group_name: None,
            host_id: None,
            partition_number: None,
        }
    }
}

impl Default for Services {
    fn default() -> Self {
        Self { domain: "amazonaws.com".into(), partition: "aws".into() }
    }
}

impl Interface {
    /// The built-in instance's only interface.
    pub(crate) fn primary() -> Self {
        Self {
            mac: "02:29:96:8f:6a:2d".into(),
            interface_id: "eni-0a1b2c3d4e5f67890".into(),
            device_number: 0,
            network_card: None,
            owner_id: None,
            local_ipv4s: vec![Ipv4Addr::from([10, 0, 0, 157])],
            ipv6s: Vec::new(),
            local_hostname: "ip-10-0-0-157.ec2.internal".into(),
            public_hostname: Some("ec2-203-0-113-25.compute-1.amazonaws.com".into()),
            ipv4_associations: vec![Association {
                public_ipv4: Ipv4Addr::from([203, 0, 113, 25]),
                private_ipv4s: vec![Ipv4Addr::from([10, 0, 0, 157])],
            }],
            ipv4_prefix: Vec::new(),
            ipv6_prefix: Vec::new(),
            security_groups: vec!["default".into()],
            security_group_ids: vec!["sg-0123456789abcdef0".into()],
            subnet_id: "subnet-0bb1c79de3EXAMPLE".into(),
            subnet_ipv4_cidr_block: Some("10.0.0.0/24".into()),
            subnet_ipv6_cidr_blocks: Vec::new(),
            vpc_id: "vpc-0ee975135dEXAMPLE".into(),
            vpc_ipv4_cidr_blocks: vec!["10.0.0.0/16".into()],
            vpc_ipv6_cidr_blocks: Vec::new(),
        }
    }
}
