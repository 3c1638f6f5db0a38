$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// The mapped block devices.
resource BlockDevices {
    operations: [
        GetBlockDevice
        GetBlockDeviceAmi
        GetBlockDeviceRoot
        GetBlockDeviceSwap
        ListBlockDevices
    ]
}

/// Names the virtual devices that are mapped.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/block-device-mapping")
@bodyFormat("directory")
@category(since: "2007-12-15", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["ami", "ebs1", "ephemeral0", "root"]
        }
    }
])
operation ListBlockDevices {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Device that holds the boot file system.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/block-device-mapping/ami")
@bodyFormat("text")
@category(since: "2007-12-15", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "/dev/xvda" }
    }
])
operation GetBlockDeviceAmi {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Device or partition that holds the root file system.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/block-device-mapping/root")
@bodyFormat("text")
@category(since: "2007-12-15", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "/dev/xvda" }
    }
])
operation GetBlockDeviceRoot {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Swap device.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/block-device-mapping/swap")
@bodyFormat("text")
@category(since: "2007-12-15", presence: "conditional", requires: "A swap device", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "xvda3" }
    }
])
operation GetBlockDeviceSwap {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Device behind a virtual name: `ebs1` and up for EBS volumes, `ephemeral0` and up for instance store volumes
/// that are not NVMe.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/block-device-mapping/{virtualName}")
@bodyFormat("text")
@category(
    since: "2007-12-15"
    presence: "conditional"
    requires: "A device of that virtual name at launch or at the last start"
    mutability: "start"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", virtualName: "ebs1" }
        output: { value: "sdb" }
    }
])
operation GetBlockDevice {
    input := with [Versioned] {
        /// Virtual name of the device.
        @required
        @httpLabel
        virtualName: Text
    }

    output := with [TextAnswer] {}
}
