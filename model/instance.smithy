$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// What the instance is.
resource Instance {
    operations: [
        GetAmiId
        GetAmiLaunchIndex
        GetAmiManifestPath
        GetAncestorAmiIds
        GetAutoScalingTargetLifecycleState
        GetHibernationConfigured
        GetHostname
        GetInstanceAction
        GetInstanceId
        GetInstanceLifeCycle
        GetInstanceMonitoring
        GetInstanceType
        GetKernelId
        GetLocalHostname
        GetMetricsVhostmd
        GetProductCodes
        GetProfile
        GetRamdiskId
        GetReservationId
        GetSecurityGroups
        GetServicesDomain
        GetServicesPartition
        GetSystem
        ListAutoScaling
        ListFws
        ListHibernation
        ListMetrics
        ListServices
    ]
}

/// Image that the instance was launched from.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ami-id")
@bodyFormat("text")
@category(since: "1.0", presence: "always", mutability: "launch", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "ami-0abcdef1234567890" }
    }
])
operation GetAmiId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Place of the instance among those that one launch request started, counted from 0.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ami-launch-index")
@bodyFormat("integer")
@category(since: "1.0", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "0" }
    }
])
operation GetAmiLaunchIndex {
    input := with [Versioned] {}
    output := with [IntegerAnswer] {}
}

/// Where the image's manifest lies in S3; `(unknown)` for an image that lives on EBS.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ami-manifest-path")
@bodyFormat("text")
@category(since: "1.0", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "(unknown)" }
    }
])
operation GetAmiManifestPath {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Images that this image was made from by bundling again.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ancestor-ami-ids")
@bodyFormat("lines")
@category(
    since: "2007-10-10"
    presence: "conditional"
    requires: "An image whose manifest names ancestors"
    mutability: "launch"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            values: ["ami-0123456789abcdef0", "ami-0fedcba9876543210"]
        }
    }
])
operation GetAncestorAmiIds {
    input := with [Versioned] {}
    output := with [LinesAnswer] {}
}

/// State that the Auto Scaling group is taking the instance to.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/autoscaling/target-lifecycle-state")
@bodyFormat("text")
@category(
    since: "2021-07-15"
    presence: "conditional"
    requires: "An Auto Scaling group that has moved the instance since the category came"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "InService" }
    }
])
operation GetAutoScalingTargetLifecycleState {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The value.
        @required
        @httpPayload
        value: TargetLifecycleState
    }

    errors: [
        NotFound
    ]
}

/// Lists what Auto Scaling announces to the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/autoscaling")
@bodyFormat("directory")
@category(
    since: "2021-07-15"
    presence: "conditional"
    requires: "An Auto Scaling group that has moved the instance since the category came"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["target-lifecycle-state"]
        }
    }
])
operation ListAutoScaling {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Private host name of the primary network interface, made from its address or from the instance id.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/hostname")
@bodyFormat("text")
@category(since: "1.0", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "ip-10-0-0-157.ec2.internal" }
    }
])
operation GetHostname {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Whether to shut down for bundling: `none`, `shutdown` or `bundle-pending`.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/instance-action")
@bodyFormat("text")
@category(since: "2008-09-01", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "none" }
    }
])
operation GetInstanceAction {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Id of the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/instance-id")
@bodyFormat("text")
@category(since: "1.0", presence: "always", mutability: "launch", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "i-1234567890abcdef0" }
    }
])
operation GetInstanceId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// How the instance was bought, such as `on-demand` or `spot`.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/instance-life-cycle")
@bodyFormat("text")
@category(since: "2019-10-01", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "on-demand" }
    }
])
operation GetInstanceLifeCycle {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Type of the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/instance-type")
@bodyFormat("text")
@category(since: "2007-08-29", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "m5.large" }
    }
])
operation GetInstanceType {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Kernel that the instance was launched with.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/kernel-id")
@bodyFormat("text")
@category(
    since: "2008-02-01"
    presence: "conditional"
    requires: "A paravirtual image with a kernel of its own"
    mutability: "launch"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "aki-5c21674b" }
    }
])
operation GetKernelId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Private DNS name of the primary network interface; may hold several names, with spaces between.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/local-hostname")
@bodyFormat("text")
@category(since: "2007-01-19", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "ip-10-0-0-157.ec2.internal" }
    }
])
operation GetLocalHostname {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// AWS Marketplace product codes of the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/product-codes")
@bodyFormat("lines")
@category(
    since: "2007-03-01"
    presence: "conditional"
    requires: "An image with Marketplace product codes"
    mutability: "start"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            values: ["25tsrio99gmj4uxdjkn1q9fxn"]
        }
    }
])
operation GetProductCodes {
    input := with [Versioned] {}
    output := with [LinesAnswer] {}
}

/// Kind of virtualisation the instance was set up for.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/profile")
@bodyFormat("text")
@category(presence: "always", mutability: "start", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "default-hvm" }
    }
])
operation GetProfile {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// RAM disk that the instance was launched with.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/ramdisk-id")
@bodyFormat("text")
@category(
    since: "2007-10-10"
    presence: "conditional"
    requires: "A paravirtual image with a RAM disk of its own"
    mutability: "launch"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "ari-01bb5768" }
    }
])
operation GetRamdiskId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Id of the reservation that the launch made.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/reservation-id")
@bodyFormat("text")
@category(since: "1.0", presence: "always", mutability: "launch", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "r-0efb4ffa7d1f9b3ab" }
    }
])
operation GetReservationId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Names of the instance's security groups.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/security-groups")
@bodyFormat("lines")
@category(since: "1.0", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            values: ["default"]
        }
    }
])
operation GetSecurityGroups {
    input := with [Versioned] {}
    output := with [LinesAnswer] {}
}

/// Hypervisor that runs the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/system")
@bodyFormat("text")
@category(since: "2022-09-24", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "nitro" }
    }
])
operation GetSystem {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Lists what there is about hibernation.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/hibernation")
@bodyFormat("directory")
@category(
    presence: "conditional"
    requires: "A launch that said whether the instance may hibernate"
    mutability: "launch"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["configured"]
        }
    }
])
operation ListHibernation {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Whether the instance was launched with hibernation: `true` or `false`. Amazon's hibernation agent reads it
/// (aws/amazon-ec2-hibinit-agent).
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/hibernation/configured")
@bodyFormat("text")
@category(
    presence: "conditional"
    requires: "A launch that said whether the instance may hibernate"
    mutability: "launch"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "true" }
    }
])
operation GetHibernationConfigured {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Names the metrics of the host; the name is still listed where nothing is behind it.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/metrics")
@bodyFormat("directory")
@category(since: "2011-05-01", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["vhostmd"]
        }
    }
])
operation ListMetrics {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Metrics of the host, no longer given.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/metrics/vhostmd")
@bodyFormat("text")
@category(since: "2011-05-01", presence: "retired", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>" }
    }
])
operation GetMetricsVhostmd {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Lists what there is about the AWS partition.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/services")
@bodyFormat("directory")
@category(since: "2014-02-25", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["domain", "partition"]
        }
    }
])
operation ListServices {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// DNS suffix of the AWS services in this Region.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/services/domain")
@bodyFormat("text")
@category(since: "2014-02-25", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "amazonaws.com" }
    }
])
operation GetServicesDomain {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// AWS partition that the Region belongs to.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/services/partition")
@bodyFormat("text")
@category(since: "2015-10-20", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "aws" }
    }
])
operation GetServicesPartition {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Whether detailed CloudWatch monitoring is on: `enabled` or `disabled`.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/fws/instance-monitoring")
@bodyFormat("text")
@category(since: "2009-04-04", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "disabled" }
    }
])
operation GetInstanceMonitoring {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Lists what there is about monitoring.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/fws")
@bodyFormat("directory")
@category(since: "2009-04-04", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["instance-monitoring"]
        }
    }
])
operation ListFws {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}
