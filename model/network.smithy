$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// The network of the instance.
resource Network {
    operations: [
        ListInterfaceKeys
        ListNetwork
    ]
}

/// Lists what there is about the network.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network")
@bodyFormat("directory")
@category(since: "2011-01-01", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["interfaces/"]
        }
    }
])
operation ListNetwork {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names what network interfaces are found by.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces")
@bodyFormat("directory")
@category(since: "2011-01-01", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["macs/"]
        }
    }
])
operation ListInterfaceKeys {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the attached network interfaces by their MAC addresses. One that was just attached takes a while to
/// appear.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs")
@bodyFormat("directory")
@category(since: "2011-01-01", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["02:29:96:8f:6a:2d/"]
        }
    }
])
operation ListInterfaces {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Lists what there is about one network interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}")
@bodyFormat("directory")
@category(since: "2011-01-01", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            names: ["device-number", "interface-id", "mac"]
        }
    }
])
operation ListInterfaceCategories {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [DirectoryAnswer] {}
}

/// Index of the attachment; 0 also before the attachment is known.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/device-number")
@bodyFormat("integer")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "0" }
    }
])
operation GetInterfaceDeviceNumber {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [IntegerAnswer] {}
}

/// Id of the network interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/interface-id")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "eni-0a1b2c3d4e5f67890" }
    }
])
operation GetInterfaceId {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Names the public IPv4 addresses that lead to this interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/ipv4-associations")
@bodyFormat("directory")
@category(
    since: "2011-01-01"
    presence: "conditional"
    requires: "A public IPv4 address on this interface"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            names: ["203.0.113.25"]
        }
    }
])
operation ListIpv4Associations {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [DirectoryAnswer] {}
}

/// Private IPv4 addresses behind one public address.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/ipv4-associations/{publicIp}")
@bodyFormat("lines")
@category(
    since: "2011-01-01"
    presence: "conditional"
    requires: "That public IPv4 address on this interface"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d", publicIp: "203.0.113.25" }
        output: {
            values: ["10.0.0.157"]
        }
    }
])
operation GetIpv4Association {
    input := for Ipv4Association with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac

        /// Public IPv4 address.
        @required
        @httpLabel
        $publicIp
    }

    output := with [LinesAnswer] {}
}

/// IPv4 prefixes that are delegated to the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/ipv4-prefix")
@bodyFormat("lines")
@category(
    presence: "conditional"
    requires: "IPv4 prefixes delegated to this interface"
    mutability: "running"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["10.0.1.0/28"]
        }
    }
])
operation GetInterfaceIpv4Prefixes {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// IPv6 prefixes that are delegated to the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/ipv6-prefix")
@bodyFormat("lines")
@category(presence: "conditional", requires: "IPv6 prefixes delegated to this interface", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["2001:db8:1234:1a00:1::/80"]
        }
    }
])
operation GetInterfaceIpv6Prefixes {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// IPv6 addresses of the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/ipv6s")
@bodyFormat("lines")
@category(
    since: "2016-06-30"
    presence: "conditional"
    requires: "An IPv6 address on this interface"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["2001:db8:1234:1a00::10"]
        }
    }
])
operation GetInterfaceIpv6s {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

// The EC2 User Guide dates it 2007-01-19, which is the date of `local-hostname`; its directory came on 2011-01-01.
/// Private DNS name of the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/local-hostname")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "ip-10-0-0-157.ec2.internal" }
    }
])
operation GetInterfaceLocalHostname {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Private IPv4 addresses of the interface, the primary one first.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/local-ipv4s")
@bodyFormat("lines")
@category(
    since: "2011-01-01"
    presence: "conditional"
    requires: "A private IPv4 address on this interface"
    mutability: "running"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["10.0.0.157"]
        }
    }
])
operation GetInterfaceLocalIpv4s {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// MAC address of the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/mac")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "02:29:96:8f:6a:2d" }
    }
])
operation GetInterfaceMac {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Index of the network card that the interface is on.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/network-card")
@bodyFormat("integer")
@category(
    since: "2020-11-01"
    presence: "conditional"
    requires: "An instance type with more than one network card"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "0" }
    }
])
operation GetInterfaceNetworkCard {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [IntegerAnswer] {}
}

/// Index of the network card, by its earlier name.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/network-card-index")
@bodyFormat("integer")
@category(
    since: "2020-11-01"
    presence: "conditional"
    requires: "A service that still has the earlier name of `network-card`"
    mutability: "running"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "0" }
    }
])
operation GetInterfaceNetworkCardIndex {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [IntegerAnswer] {}
}

/// Account that owns the interface: twelve digits, and so a text, for zeros may lead.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/owner-id")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "123456789012" }
    }
])
operation GetInterfaceOwnerId {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Public DNS name of the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/public-hostname")
@bodyFormat("text")
@category(
    since: "2011-01-01"
    presence: "conditional"
    requires: "A public IPv4 address on this interface in a VPC with DNS host names"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "ec2-203-0-113-25.compute-1.amazonaws.com" }
    }
])
operation GetInterfacePublicHostname {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Public and Elastic IPv4 addresses of the interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/public-ipv4s")
@bodyFormat("lines")
@category(
    since: "2011-01-01"
    presence: "conditional"
    requires: "A public or Elastic IPv4 address on this interface"
    mutability: "running"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["203.0.113.25"]
        }
    }
])
operation GetInterfacePublicIpv4s {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// Names of the interface's security groups.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/security-groups")
@bodyFormat("lines")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["default"]
        }
    }
])
operation GetInterfaceSecurityGroups {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// Ids of the interface's security groups.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/security-group-ids")
@bodyFormat("lines")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["sg-0123456789abcdef0"]
        }
    }
])
operation GetInterfaceSecurityGroupIds {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// Subnet that the interface is in.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/subnet-id")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "subnet-0bb1c79de3EXAMPLE" }
    }
])
operation GetInterfaceSubnetId {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// IPv4 block of that subnet.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/subnet-ipv4-cidr-block")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "conditional", requires: "A subnet with an IPv4 block", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "10.0.0.0/24" }
    }
])
operation GetInterfaceSubnetIpv4Cidr {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// IPv6 blocks of that subnet.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/subnet-ipv6-cidr-blocks")
@bodyFormat("lines")
@category(since: "2016-06-30", presence: "conditional", requires: "A subnet with an IPv6 block", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["2001:db8:1234:1a00::/64"]
        }
    }
])
operation GetInterfaceSubnetIpv6Cidrs {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// VPC that the interface is in.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/vpc-id")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "vpc-0ee975135dEXAMPLE" }
    }
])
operation GetInterfaceVpcId {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// Primary IPv4 block of that VPC.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-block")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: { value: "10.0.0.0/16" }
    }
])
operation GetInterfaceVpcIpv4Cidr {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [TextAnswer] {}
}

/// All IPv4 blocks of that VPC.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/vpc-ipv4-cidr-blocks")
@bodyFormat("lines")
@category(since: "2016-06-30", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["10.0.0.0/16"]
        }
    }
])
operation GetInterfaceVpcIpv4Cidrs {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}

/// IPv6 blocks of that VPC.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/network/interfaces/macs/{mac}/vpc-ipv6-cidr-blocks")
@bodyFormat("lines")
@category(since: "2016-06-30", presence: "conditional", requires: "A VPC with an IPv6 block", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", mac: "02:29:96:8f:6a:2d" }
        output: {
            values: ["2001:db8:1234:1a00::/56"]
        }
    }
])
operation GetInterfaceVpcIpv6Cidrs {
    input := for NetworkInterface with [Versioned] {
        /// MAC address of the interface, in lower case with colons.
        @required
        @httpLabel
        $mac
    }

    output := with [LinesAnswer] {}
}
