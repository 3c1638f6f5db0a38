$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// Versions, trees and the reads of any path.
resource Trees {
    operations: [
        GetDynamicData
        GetMetadata
        GetUserData
        ListDynamicData
        ListMetadata
        ListTrees
        ListVersions
    ]
}

/// Names the schema versions, oldest first; `latest` is the last.
@readonly
@http(method: "GET", uri: "/")
@bodyFormat("directory")
@category(presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: {}
        output: {
            names: ["1.0", "2021-03-23", "latest"]
        }
    }
])
operation ListVersions {
    input := {}
    output := with [DirectoryAnswer] {}
}

/// Names what a schema version holds. These names have no trailing `/`, though two of them are directories.
@readonly
@http(method: "GET", uri: "/{apiVersion}")
@bodyFormat("directory")
@category(since: "1.0", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["dynamic", "meta-data", "user-data"]
        }
    }
])
operation ListTrees {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the top of the metadata tree.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data")
@bodyFormat("directory")
@category(since: "1.0", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["ami-id", "ami-launch-index", "hostname", "network/", "placement/"]
        }
    }
])
operation ListMetadata {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the top of the dynamic tree.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic")
@bodyFormat("directory")
@category(since: "2009-04-04", presence: "always", mutability: "running", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["fws/", "instance-identity/"]
        }
    }
])
operation ListDynamicData {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Reads any path of the metadata tree, leaf or directory, byte for byte. A typed operation, where there is one,
/// is the better choice.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/{path+}")
@bodyFormat("opaque")
@category(presence: "conditional", requires: "Depends on the path", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", path: "ami-id" }
        output: { data: "ami-0abcdef1234567890" }
    }
])
operation GetMetadata {
    input := with [Versioned] {
        /// Path below the tree.
        @required
        @httpLabel
        path: MetadataPath
    }

    output := with [SessionAnswer] {
        /// The bytes.
        @required
        @httpPayload
        data: Bytes
    }
}

/// Reads any path of the dynamic tree, leaf or directory, byte for byte.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/{path+}")
@bodyFormat("opaque")
@category(presence: "conditional", requires: "Depends on the path", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", path: "fws/instance-monitoring" }
        output: { data: "disabled" }
    }
])
operation GetDynamicData {
    input := with [Versioned] {
        /// Path below the tree.
        @required
        @httpLabel
        path: MetadataPath
    }

    output := with [SessionAnswer] {
        /// The bytes.
        @required
        @httpPayload
        data: Bytes
    }
}

/// Reads the user data: at most 16 KiB, exactly as they were given at launch, whatever form they have.
@readonly
@http(method: "GET", uri: "/{apiVersion}/user-data")
@bodyFormat("opaque")
@category(
    since: "1.0"
    presence: "conditional"
    requires: "User data given at launch"
    mutability: "start"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { data: "{\"autoScalingGroup\":\"my-group\",\"lifecycleHook\":\"my-hook\",\"environment\":\"test\"}" }
    }
])
operation GetUserData {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The bytes.
        @required
        @httpPayload
        data: UserData
    }
}
