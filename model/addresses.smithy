$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// Addresses and names of the instance.
resource Addresses {
    operations: [
        GetIpv6
        GetLocalIpv4
        GetMac
        GetPublicHostname
        GetPublicIpv4
    ]
}

/// First IPv6 address of the primary network interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ipv6")
@bodyFormat("text")
@category(since: "2021-01-03", presence: "conditional", requires: "An IPv6 address", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "2001:db8:1234:1a00::10" }
    }
])
operation GetIpv6 {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Private IPv4 address of the primary network interface.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/local-ipv4")
@bodyFormat("text")
@category(since: "1.0", presence: "conditional", requires: "An IPv4 address", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "10.0.0.157" }
    }
])
operation GetLocalIpv4 {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// MAC address of the primary network interface, which is the one that names it under `network/interfaces/macs/`.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/mac")
@bodyFormat("text")
@category(since: "2011-01-01", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "02:29:96:8f:6a:2d" }
    }
])
operation GetMac {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Public DNS name.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/public-hostname")
@bodyFormat("text")
@category(
    since: "2007-01-19"
    presence: "conditional"
    requires: "A public IPv4 address in a VPC with DNS host names"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "ec2-203-0-113-25.compute-1.amazonaws.com" }
    }
])
operation GetPublicHostname {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Public IPv4 address; the Elastic one where there is one.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/public-ipv4")
@bodyFormat("text")
@category(
    since: "2007-01-19"
    presence: "conditional"
    requires: "A public or Elastic IPv4 address"
    mutability: "running"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "203.0.113.25" }
    }
])
operation GetPublicIpv4 {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}
