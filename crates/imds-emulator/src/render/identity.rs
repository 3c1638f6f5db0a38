//! `dynamic/`: the instance identity document and the monitoring switch.

use super::json::Json;
use super::json::object;
use crate::base::profile::Profile;
use crate::instance::Instance;

/// The instance identity document.
pub(crate) fn document(instance: &Instance, profile: Profile) -> String {
    let address = instance
        .interfaces
        .first()
        .and_then(|interface| interface.local_ipv4s.first())
        .map(std::string::ToString::to_string);
    let pending_time = instance.pending_time.to_string();
    let placement = &instance.placement;
    // On a Snowball four members have a value (AWS Snowball Edge Developer Guide, "Supported
    // instance metadata").
    let known = profile != Profile::Snowball;
    let text = |value| if known { Json::Text(value) } else { Json::Null };
    object(&[
        ("accountId", text(&instance.account_id)),
        ("architecture", text(&instance.architecture)),
        ("availabilityZone", text(&placement.availability_zone)),
        ("billingProducts", if known { (&instance.billing_products).into() } else { Json::Null }),
        ("devpayProductCodes", Json::Null),
        ("marketplaceProductCodes", if known { (&instance.product_codes).into() } else { Json::Null }),
        ("imageId", (&instance.ami_id).into()),
        ("instanceId", (&instance.instance_id).into()),
        ("instanceType", (&instance.instance_type).into()),
        ("kernelId", if known { (&instance.kernel_id).into() } else { Json::Null }),
        ("pendingTime", text(&pending_time)),
        ("privateIp", (&address).into()),
        ("ramdiskId", if known { (&instance.ramdisk_id).into() } else { Json::Null }),
        ("region", text(&placement.region)),
        ("version", text("2017-09-30")),
    ])
}
