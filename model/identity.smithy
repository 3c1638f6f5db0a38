$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// The instance identity document and its signatures.
resource Identity {
    operations: [
        GetIdentityDocument
        GetIdentityDsa2048
        GetIdentityPkcs7
        GetIdentityRsa2048
        GetIdentitySignature
        ListInstanceIdentity
    ]
}

/// Names the identity document and its signatures.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity")
@bodyFormat("directory")
@category(since: "2009-04-04", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["document", "pkcs7", "rsa2048", "signature"]
        }
    }
])
operation ListInstanceIdentity {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Facts about the instance, which the signatures beside it vouch for. On a Snowball Edge only the ids of
/// instance and image, the type and the private address are filled.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity/document")
@bodyFormat("json")
@category(since: "2009-04-04", presence: "always", mutability: "start", snowball: true)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { accountId: "123456789012", architecture: "x86_64", availabilityZone: "us-east-1a", imageId: "ami-0abcdef1234567890", instanceId: "i-1234567890abcdef0", instanceType: "m5.large", pendingTime: "2026-01-15T09:30:00Z", privateIp: "10.0.0.157", region: "us-east-1", version: "2017-09-30" }
        }
    }
])
operation GetIdentityDocument {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: IdentityDocument
    }
}

/// PKCS#7 signature with SHA-1 and DSA, in base64 without its PEM frame.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity/pkcs7")
@bodyFormat("text")
@category(since: "2009-04-04", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "MIAGCSqGSIb3DQEHAqCAMIACAQEEXAMPLE" }
    }
])
operation GetIdentityPkcs7 {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The value.
        @required
        @httpPayload
        value: Signature
    }
}

/// RSA signature over the SHA-256 digest of the document, in base64.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity/signature")
@bodyFormat("text")
@category(since: "2009-04-04", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "dExAMPLESIGNATUREdExAMPLESIGNATURE==" }
    }
])
operation GetIdentitySignature {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The value.
        @required
        @httpPayload
        value: Signature
    }
}

/// PKCS#7 signature with SHA-256 and RSA, in base64 without its PEM frame.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity/rsa2048")
@bodyFormat("text")
@category(presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "MIAGCSqGSIb3DQEHAqCAMIACAQEEXAMPLE" }
    }
])
operation GetIdentityRsa2048 {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The value.
        @required
        @httpPayload
        value: Signature
    }
}

/// PKCS#7 signature that some listings name.
@readonly
@http(method: "GET", uri: "/{apiVersion}/dynamic/instance-identity/dsa2048")
@bodyFormat("text")
@category(presence: "conditional", requires: "A Region that lists it", mutability: "start", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "MIAGCSqGSIb3DQEHAqCAMIACAQEEXAMPLE" }
    }
])
operation GetIdentityDsa2048 {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The value.
        @required
        @httpPayload
        value: Signature
    }
}
