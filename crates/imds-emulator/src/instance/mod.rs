//! One typed model of an instance, from which every path, every listing and the identity document
//! follow.

#[rustfmt::skip]
mod builtin;
pub(crate) mod check;
mod events;
mod flaw;
mod interfaces;
mod network;
mod preset;
pub(crate) mod region;
mod role_credentials;
mod secret;
pub(crate) mod types;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use check::check_tag;
pub use events::{Lifecycle, Maintenance, MaintenanceEvent, MaintenanceState, Spot, SpotAction};
pub use imds_model::TargetLifecycleState;
pub use network::{Association, Interface};
pub use preset::Preset;
pub use role_credentials::RoleCredentials;
pub use secret::{Credentials, Role, UserData};

use crate::base::time::Timestamp;

/// An instance as its metadata shows it. The default is built in, out of the examples of the
/// service's model (`model/`): one with an instance role, a public address and an Auto Scaling
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Instance {
    /// Instance id.
    pub instance_id: String,
    /// Image id.
    pub ami_id: String,
    /// Place in the launch request, 0 first.
    pub ami_launch_index: u32,
    /// S3 path of the image's manifest; `(unknown)` for EBS-backed images.
    pub ami_manifest_path: String,
    /// Images that this image was made from.
    pub ancestor_ami_ids: Vec<String>,
    /// Account id, 12 digits.
    pub account_id: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Instance type.
    pub instance_type: String,
    /// `on-demand` or `spot`, or another purchasing option.
    pub instance_life_cycle: String,
    /// `none`, `shutdown` or `bundle-pending`.
    pub instance_action: String,
    /// Kernel id of a paravirtual image.
    pub kernel_id: Option<String>,
    /// RAM disk id of a paravirtual image.
    pub ramdisk_id: Option<String>,
    /// Whether hibernation was asked for at launch; `None`: the launch did not say.
    pub hibernation_configured: Option<bool>,
    /// ARN of the Outpost that the instance runs on.
    pub outpost_arn: Option<String>,
    /// Reservation id.
    pub reservation_id: String,
    /// Virtualization profile.
    pub profile: String,
    /// Hypervisor.
    pub system: Option<String>,
    /// When the instance was started.
    pub pending_time: Timestamp,
    /// AWS Marketplace product codes.
    pub product_codes: Vec<String>,
    /// Billing products.
    pub billing_products: Vec<String>,
    /// Whether detailed monitoring is on.
    pub monitoring: bool,
    /// Where the instance runs.
    pub placement: Placement,
    /// Network interfaces, the primary one first.
    pub interfaces: Vec<Interface>,
    /// DNS suffix and partition of the AWS services.
    pub services: Services,
    /// Virtual devices by name: `ami`, `root`, `ebs1`, `ephemeral0`, `swap`.
    pub block_devices: BTreeMap<String, String>,
    /// Launch keys, in their order.
    pub public_keys: Vec<PublicKey>,
    /// Instance tags, shown where the metadata options say so.
    pub tags: BTreeMap<String, String>,
    /// The role of the instance profile.
    pub role: Option<Role>,
    /// Whether the instance identity role's credentials are shown.
    pub identity_credentials: bool,
    /// User data.
    pub user_data: Option<UserData>,
    /// Scheduled and past maintenance.
    pub maintenance: Maintenance,
    /// What Spot and Auto Scaling have announced.
    pub lifecycle: Lifecycle,
    /// Keys that EC2 Instance Connect has pushed, by login name.
    pub managed_ssh_keys: BTreeMap<String, String>,
}

/// Where an instance runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Placement {
    /// Region.
    pub region: String,
    /// Availability Zone.
    pub availability_zone: String,
    /// Account-independent zone id.
    pub availability_zone_id: Option<String>,
    /// Placement group.
    pub group_name: Option<String>,
    /// Dedicated Host.
    pub host_id: Option<String>,
    /// Partition of a partition placement group.
    pub partition_number: Option<u32>,
}

/// DNS suffix and partition of the AWS services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Services {
    /// `amazonaws.com`.
    pub domain: String,
    /// `aws`.
    pub partition: String,
}

/// A launch key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PublicKey {
    /// Its name.
    pub name: String,
    /// The key in OpenSSH format.
    pub openssh_key: String,
}

impl Instance {
    /// Paths whose values reach more than the path: the identity document, listings.
    pub(crate) const TAKEN_OVER: [&str; 9] = [
        "meta-data/instance-id",
        "meta-data/ami-id",
        "meta-data/instance-type",
        "meta-data/kernel-id",
        "meta-data/ramdisk-id",
        "meta-data/product-codes",
        "meta-data/placement/region",
        "meta-data/placement/availability-zone",
        "meta-data/local-ipv4",
    ];

    /// Takes over a value that was set at a path, if the identity document or a listing follows
    /// from it; `false` for any other path, and for what is not text.
    pub(crate) fn take_over(&mut self, path: &str, value: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(value) else { return false };
        let own = text.to_owned();
        match path {
            "meta-data/instance-id" => self.instance_id = own,
            "meta-data/ami-id" => self.ami_id = own,
            "meta-data/instance-type" => self.instance_type = own,
            "meta-data/kernel-id" => self.kernel_id = Some(own),
            "meta-data/ramdisk-id" => self.ramdisk_id = Some(own),
            "meta-data/product-codes" => self.product_codes = text.lines().map(str::to_owned).collect(),
            "meta-data/placement/region" => {
                // The zone's letter stays.
                if let Some(letter) = self.placement.availability_zone.strip_prefix(&self.placement.region) {
                    self.placement.availability_zone = format!("{own}{letter}");
                }
                self.placement.region = own;
            }
            "meta-data/placement/availability-zone" => {
                if !own.starts_with(&self.placement.region) {
                    let region = own.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
                    region.clone_into(&mut self.placement.region);
                }
                self.placement.availability_zone = own;
            }
            "meta-data/local-ipv4" => match (text.parse(), self.interfaces.first_mut()) {
                (Ok(address), Some(interface)) => interface.set_primary_ipv4(address),
                _ => return false,
            },
            _ => return false,
        }
        true
    }
}
