//! What each category holds. The match is exhaustive: a category of the model without a decision
//! here does not compile. Paths, versions, media types and what a Snowball shows come from the
//! catalogue.

use imds_model::Category;

use super::sink::{Sink, lines};
use super::{Context, credentials, events, identity, json};
use crate::identity::SignatureKind;
use crate::instance::Interface;
use crate::tree::Leaf;

/// Puts the values that the instance has of a category, if it has any.
pub(super) fn put(category: Category, context: &Context<'_>, sink: &mut Sink<'_>) {
    let instance = context.instance;
    let placement = &instance.placement;
    let primary = instance.interfaces.first();
    match category {
        // A directory is there when something is in it.
        Category::ActiveKeyUsersDirectory
        | Category::AutoScalingDirectory
        | Category::BlockDevicesDirectory
        | Category::DynamicDataDirectory
        | Category::ElasticGpuAssociationsDirectory
        | Category::ElasticGpusDirectory
        | Category::ElasticInferenceAssociationsDirectory
        | Category::ElasticInferenceDirectory
        | Category::EventsDirectory
        | Category::ExtendedIamRolesDirectory
        | Category::FwsDirectory
        | Category::HibernationDirectory
        | Category::IamDirectory
        | Category::IamRolesDirectory
        | Category::IdentityCredentialsDirectory
        | Category::IdentityCredentialsEc2Directory
        | Category::IdentitySecurityCredentialsDirectory
        | Category::InstanceIdentityDirectory
        | Category::InterfaceCategoriesDirectory
        | Category::InterfaceKeysDirectory
        | Category::InterfacesDirectory
        | Category::Ipv4AssociationsDirectory
        | Category::MaintenanceEventsDirectory
        | Category::ManagedSshKeysDirectory
        | Category::MetadataDirectory
        | Category::MetricsDirectory
        | Category::NetworkDirectory
        | Category::PlacementDirectory
        | Category::PublicKeyFormatsDirectory
        | Category::PublicKeysDirectory
        | Category::RecommendationsDirectory
        | Category::ServicesDirectory
        | Category::SignerOcspDirectory
        | Category::SpotDirectory
        | Category::TagTreesDirectory
        | Category::TagsDirectory => {}
        // Retired before this emulator's instances were launched.
        Category::ElasticGpu | Category::ElasticInferenceAccelerator => {}
        // EC2 Instance Connect's certificate, which nobody else can sign.
        Category::SignerCertificate | Category::SignerOcsp => {}
        // Named in some Regions' listings; nobody has read one (taskcluster/taskcluster).
        Category::IdentityDsa2048 => {}

        Category::AmiId => sink.text(instance.ami_id.as_str()),
        Category::AmiLaunchIndex => sink.text(instance.ami_launch_index.to_string()),
        Category::AmiManifestPath => sink.text(instance.ami_manifest_path.as_str()),
        Category::AncestorAmiIds => sink.lines(&instance.ancestor_ami_ids),
        Category::BlockDeviceAmi => sink.optional(context.block_device("ami")),
        Category::BlockDeviceRoot => sink.optional(context.block_device("root")),
        Category::BlockDeviceSwap => sink.optional(context.block_device("swap")),
        Category::BlockDevice => {
            let named = |name: &str| !matches!(name, "ami" | "root" | "swap");
            for (name, device) in instance.block_devices.iter().filter(|(name, _)| named(name)) {
                sink.labelled(&[name], device.as_str());
            }
        }
        Category::HibernationConfigured => {
            sink.optional(instance.hibernation_configured.map(|configured| configured.to_string()));
        }
        Category::Hostname | Category::LocalHostname => {
            sink.optional(primary.map(|interface| interface.local_hostname.as_str()));
        }
        Category::InstanceAction => sink.text(instance.instance_action.as_str()),
        Category::InstanceId => sink.text(instance.instance_id.as_str()),
        Category::InstanceLifeCycle => sink.text(instance.instance_life_cycle.as_str()),
        Category::InstanceType => sink.text(instance.instance_type.as_str()),
        Category::Ipv6 => {
            sink.optional(primary.and_then(|interface| interface.ipv6s.first()).map(ToString::to_string));
        }
        Category::KernelId => sink.optional(instance.kernel_id.as_deref()),
        Category::LocalIpv4 => {
            let address = primary.and_then(|interface| interface.local_ipv4s.first());
            sink.optional(address.map(ToString::to_string));
        }
        Category::Mac => sink.optional(primary.map(|interface| interface.mac.as_str())),
        // Documented as no longer available, yet `metrics/` stands in every listing (captures of
        // 2024 to 2026); what the leaf holds is unknown, so it holds an empty document.
        Category::MetricsVhostmd => sink.text("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
        Category::OutpostArn => sink.optional(instance.outpost_arn.as_deref()),
        Category::ProductCodes => sink.lines(&instance.product_codes),
        Category::Profile => sink.text(instance.profile.as_str()),
        Category::PublicHostname => {
            sink.optional(primary.and_then(|interface| interface.public_hostname.as_deref()));
        }
        Category::PublicIpv4 => {
            let association = primary.and_then(|interface| interface.ipv4_associations.first());
            sink.optional(association.map(|association| association.public_ipv4.to_string()));
        }
        Category::PublicKey => {
            for (index, key) in instance.public_keys.iter().enumerate() {
                sink.labelled(&[&index.to_string()], key.openssh_key.as_str());
            }
        }
        Category::RamdiskId => sink.optional(instance.ramdisk_id.as_deref()),
        Category::ReservationId => sink.text(instance.reservation_id.as_str()),
        Category::SecurityGroups => {
            sink.optional(primary.map(|interface| lines(&interface.security_groups)));
        }
        Category::System => sink.optional(instance.system.as_deref()),
        Category::UserData => sink.optional(instance.user_data.as_ref().map(|data| data.0.as_slice())),
        Category::ActiveKeys => {
            for (user, keys) in &instance.managed_ssh_keys {
                sink.labelled(&[user], keys.as_str());
            }
        }
        Category::Tag => {
            for (key, value) in instance.tags.iter().filter(|_| context.tags) {
                sink.labelled(&[key], value.as_str());
            }
        }

        Category::AvailabilityZone => sink.text(placement.availability_zone.as_str()),
        Category::AvailabilityZoneId => sink.optional(placement.availability_zone_id.as_deref()),
        Category::PlacementGroupName => sink.optional(placement.group_name.as_deref()),
        Category::PlacementHostId => sink.optional(placement.host_id.as_deref()),
        Category::PlacementPartitionNumber => {
            sink.optional(placement.partition_number.map(|number| number.to_string()));
        }
        Category::Region => sink.text(placement.region.as_str()),
        Category::ServicesDomain => sink.text(instance.services.domain.as_str()),
        Category::ServicesPartition => sink.text(instance.services.partition.as_str()),

        Category::RebalanceRecommendation
        | Category::SpotInstanceAction
        | Category::SpotTerminationTime
        | Category::AutoScalingTargetLifecycleState
        | Category::ScheduledMaintenance
        | Category::MaintenanceHistory => events::put(category, instance, sink),

        Category::IamInfo => sink.optional(credentials::info(context)),
        Category::RoleCredentials => credentials::put_role(context, sink, credentials::Form::Plain),
        Category::ExtendedRoleCredentials => {
            credentials::put_role(context, sink, credentials::Form::Extended);
        }
        Category::IdentityCredentialsInfo => {
            let issued = context.identity.issued.to_string();
            let info = json::object(&[
                ("Code", "Success".into()),
                ("LastUpdated", (&issued).into()),
                ("AccountId", (&instance.account_id).into()),
            ]);
            sink.optional(instance.identity_credentials.then_some(info));
        }
        Category::IdentityCredentials => {
            if instance.identity_credentials {
                sink.leaf(&[], credentials::identity(context));
            }
        }

        Category::InstanceMonitoring => {
            sink.text(if instance.monitoring { "enabled" } else { "disabled" });
        }
        Category::IdentityDocument => sink.text(identity::document(instance, context.profile)),
        Category::IdentityRsa2048 => sink.leaf(&[], context.signature(SignatureKind::Rsa2048)),
        Category::IdentityPkcs7 => {
            sink.leaf(&[], context.signature(SignatureKind::pkcs7_of(&placement.region)));
        }
        Category::IdentitySignature => sink.leaf(&[], context.signature(SignatureKind::Signature)),

        Category::InterfaceDeviceNumber => {
            context.each_interface(sink, |one| Some(one.device_number.to_string()));
        }
        // The current EC2 User Guide says `network-card`, the one of 2023 `network-card-index`;
        // agents read either.
        Category::InterfaceNetworkCard | Category::InterfaceNetworkCardIndex => {
            context.each_interface(sink, |one| one.network_card.map(|card| card.to_string()));
        }
        Category::InterfaceId => context.each_interface(sink, |one| Some(one.interface_id.clone())),
        Category::InterfaceOwnerId => context
            .each_interface(sink, |one| Some(one.owner_id.as_ref().unwrap_or(&instance.account_id).clone())),
        Category::InterfaceMac => context.each_interface(sink, |one| Some(one.mac.clone())),
        Category::InterfaceLocalHostname => {
            context.each_interface(sink, |one| Some(one.local_hostname.clone()));
        }
        Category::InterfacePublicHostname => {
            context.each_interface(sink, |one| one.public_hostname.clone());
        }
        Category::InterfaceSubnetId => context.each_interface(sink, |one| Some(one.subnet_id.clone())),
        Category::InterfaceSubnetIpv4Cidr => {
            context.each_interface(sink, |one| one.subnet_ipv4_cidr_block.clone());
        }
        Category::InterfaceVpcId => context.each_interface(sink, |one| Some(one.vpc_id.clone())),
        Category::InterfaceVpcIpv4Cidr => {
            context.each_interface(sink, |one| one.vpc_ipv4_cidr_blocks.first().cloned());
        }
        Category::InterfaceLocalIpv4s => context.each_interface(sink, |one| list(&one.local_ipv4s)),
        Category::InterfaceIpv6s => context.each_interface(sink, |one| list(&one.ipv6s)),
        Category::InterfaceIpv4Prefixes => context.each_interface(sink, |one| list(&one.ipv4_prefix)),
        Category::InterfaceIpv6Prefixes => context.each_interface(sink, |one| list(&one.ipv6_prefix)),
        Category::InterfaceSecurityGroups => {
            context.each_interface(sink, |one| list(&one.security_groups));
        }
        Category::InterfaceSecurityGroupIds => {
            context.each_interface(sink, |one| list(&one.security_group_ids));
        }
        Category::InterfaceSubnetIpv6Cidrs => {
            context.each_interface(sink, |one| list(&one.subnet_ipv6_cidr_blocks));
        }
        Category::InterfaceVpcIpv4Cidrs => {
            context.each_interface(sink, |one| list(&one.vpc_ipv4_cidr_blocks));
        }
        Category::InterfaceVpcIpv6Cidrs => {
            context.each_interface(sink, |one| list(&one.vpc_ipv6_cidr_blocks));
        }
        Category::InterfacePublicIpv4s => context.each_interface(sink, |one| {
            list(&one.ipv4_associations.iter().map(|one| one.public_ipv4).collect::<Vec<_>>())
        }),
        Category::Ipv4Association => {
            for interface in &instance.interfaces {
                for association in &interface.ipv4_associations {
                    let public = association.public_ipv4.to_string();
                    sink.labelled(&[&interface.mac, &public], lines(&association.private_ipv4s));
                }
            }
        }
    }
}

/// One value per line; `None` for a list with nothing in it, which is not found.
fn list<T: std::fmt::Display>(values: &[T]) -> Option<String> {
    (!values.is_empty()).then(|| lines(values))
}

impl Context<'_> {
    fn block_device(&self, name: &str) -> Option<&str> {
        self.instance.block_devices.get(name).map(String::as_str)
    }

    fn signature(&self, kind: SignatureKind) -> Leaf {
        Leaf::signature(kind, identity::document(self.instance, self.profile))
    }

    /// The value that each interface has, if it has one.
    fn each_interface(&self, sink: &mut Sink<'_>, value: impl Fn(&Interface) -> Option<String>) {
        for interface in &self.instance.interfaces {
            if let Some(value) = value(interface) {
                sink.labelled(&[&interface.mac], value);
            }
        }
    }
}
