$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// Where the instance runs.
resource Placement {
    operations: [
        GetAvailabilityZone
        GetAvailabilityZoneId
        GetOutpostArn
        GetPlacementGroupName
        GetPlacementHostId
        GetPlacementPartitionNumber
        GetRegion
        ListPlacement
    ]
}

/// Lists what there is about the placement.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement")
@bodyFormat("directory")
@category(since: "2008-02-01", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["availability-zone", "availability-zone-id", "region"]
        }
    }
])
operation ListPlacement {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Availability Zone, by the name that this account knows.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/availability-zone")
@bodyFormat("text")
@category(since: "2008-02-01", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "us-east-1a" }
    }
])
operation GetAvailabilityZone {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Availability Zone, by the id that is the same in every account.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/availability-zone-id")
@bodyFormat("text")
@category(since: "2019-10-01", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "use1-az4" }
    }
])
operation GetAvailabilityZoneId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Placement group of the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/group-name")
@bodyFormat("text")
@category(since: "2020-08-24", presence: "conditional", requires: "A placement group", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "cluster-a" }
    }
])
operation GetPlacementGroupName {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// ARN of the Outpost that the instance runs on. The EBS CSI driver reads it (kubernetes-sigs/aws-ebs-csi-driver).
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/outpost-arn")
@bodyFormat("text")
@category(presence: "conditional", requires: "An AWS Outpost", mutability: "start", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "arn:aws:outposts:us-east-1:123456789012:outpost/op-1234567890abcdef0" }
    }
])
operation GetOutpostArn {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Dedicated Host that the instance runs on.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/host-id")
@bodyFormat("text")
@category(since: "2020-08-24", presence: "conditional", requires: "A Dedicated Host", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "h-0123456789abcdef0" }
    }
])
operation GetPlacementHostId {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Number of the partition within the placement group.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/partition-number")
@bodyFormat("integer")
@category(since: "2020-08-24", presence: "conditional", requires: "A partition placement group", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "2" }
    }
])
operation GetPlacementPartitionNumber {
    input := with [Versioned] {}
    output := with [IntegerAnswer] {}
}

/// AWS Region.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/placement/region")
@bodyFormat("text")
@category(since: "2020-08-24", presence: "always", mutability: "launch")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "us-east-1" }
    }
])
operation GetRegion {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}
