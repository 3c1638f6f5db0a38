$version: "2.0"

namespace imds

use imds.traits#bodyFormat
use imds.traits#category

/// What lets somebody in: the instance profile, credentials, launch and login keys.
resource Access {
    operations: [
        GetIamInfo
        GetIdentityCredentials
        GetIdentityCredentialsInfo
        GetSignerCertificate
        ListIam
        ListIdentityCredentials
        ListIdentityCredentialsEc2
        ListIdentitySecurityCredentials
        ListManagedSshKeys
        ListTagTrees
    ]
}

/// Lists what there is about the instance profile.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam")
@bodyFormat("directory")
@category(since: "2012-01-12", presence: "conditional", requires: "An instance profile", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["info", "security-credentials/"]
        }
    }
])
operation ListIam {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Tells which instance profile is attached, and since when.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam/info")
@bodyFormat("json")
@category(since: "2012-01-12", presence: "conditional", requires: "An instance profile", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { code: "Success", lastUpdated: "2026-01-15T10:00:00Z", instanceProfileArn: "arn:aws:iam::123456789012:instance-profile/my-role", instanceProfileId: "AIPAABCDEFGHIJKLMN123" }
        }
    }
])
operation GetIamInfo {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: IamInfo
    }
}

/// Names the role whose credentials the instance is given.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam/security-credentials")
@bodyFormat("directory")
@category(since: "2012-01-12", presence: "conditional", requires: "An instance profile", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["my-role"]
        }
    }
])
operation ListIamRoles {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Gives the role's temporary credentials. New ones are there at least five minutes before the old ones end.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam/security-credentials/{roleName}")
@bodyFormat("json")
@category(since: "2012-01-12", presence: "conditional", requires: "An instance profile", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", roleName: "my-role" }
        output: {
            document: { code: "Success", lastUpdated: "2026-01-15T10:00:00Z", type: "AWS-HMAC", accessKeyId: "ASIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token: "IQoJb3JpZ2luX2VjEXAMPLETOKEN", expiration: "2026-01-15T16:00:00Z" }
        }
    }
])
operation GetRoleCredentials {
    input := for IamRole with [Versioned] {
        /// Name of the role.
        @required
        @httpLabel
        $roleName
    }

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: Credentials
    }

    errors: [
        NotFound
    ]
}

/// Names the role whose credentials the extended form gives.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam/security-credentials-extended")
@bodyFormat("directory")
@category(presence: "conditional", requires: "An instance profile", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["my-role"]
        }
    }
])
operation ListExtendedIamRoles {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Gives the role's temporary credentials and the account that they belong to. Current AWS SDKs ask for these first
/// (aws/aws-sdk-java-v2#6176) and take a 404 to mean that the service has the older form alone.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/iam/security-credentials-extended/{roleName}")
@bodyFormat("json")
@category(presence: "conditional", requires: "An instance profile", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", roleName: "my-role" }
        output: {
            document: { code: "Success", lastUpdated: "2026-01-15T10:00:00Z", type: "AWS-HMAC", accessKeyId: "ASIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", token: "IQoJb3JpZ2luX2VjEXAMPLETOKEN", expiration: "2026-01-15T16:00:00Z", accountId: "123456789012" }
        }
    }
])
operation GetExtendedRoleCredentials {
    input := for IamRole with [Versioned] {
        /// Name of the role.
        @required
        @httpLabel
        $roleName
    }

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: Credentials
    }

    errors: [
        NotFound
    ]
}

/// Names whose identity credentials there are.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/identity-credentials")
@bodyFormat("directory")
@category(since: "2018-05-23", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["ec2/"]
        }
    }
])
operation ListIdentityCredentials {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Lists what there is about the instance's own identity role.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/identity-credentials/ec2")
@bodyFormat("directory")
@category(since: "2018-05-23", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["info", "security-credentials/"]
        }
    }
])
operation ListIdentityCredentialsEc2 {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Tells what the credentials of the instance's own identity role are for.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/identity-credentials/ec2/info")
@bodyFormat("json")
@category(since: "2018-05-23", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { code: "Success", lastUpdated: "2026-01-15T10:00:00Z", accountId: "123456789012" }
        }
    }
])
operation GetIdentityCredentialsInfo {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: IdentityCredentialsInfo
    }
}

/// Names the instance's own identity role.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/identity-credentials/ec2/security-credentials")
@bodyFormat("directory")
@category(since: "2018-05-23", presence: "always", mutability: "start")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["ec2-instance"]
        }
    }
])
operation ListIdentitySecurityCredentials {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Gives temporary credentials of the instance's own identity role, which EC2 features use and no policy is
/// attached to.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/identity-credentials/ec2/security-credentials/ec2-instance")
@bodyFormat("json")
@category(since: "2018-05-23", presence: "always", mutability: "running")
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            document: { code: "Success", lastUpdated: "2026-01-15T10:00:00Z", type: "AWS-HMAC", accessKeyId: "ASIAI44QH8DHBEXAMPLE", secretAccessKey: "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY", token: "IQoJb3JpZ2luX2VjIDENTITYEXAMPLE", expiration: "2026-01-15T16:00:00Z" }
        }
    }
])
operation GetIdentityCredentials {
    input := with [Versioned] {}

    output := with [SessionAnswer] {
        /// The document.
        @required
        @httpPayload
        document: Credentials
    }
}

/// Names the launch keys as `<index>=<key name>`. The index alone, with a `/`, leads on.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/public-keys")
@bodyFormat("directory")
@category(
    since: "1.0"
    presence: "conditional"
    requires: "A key pair given at launch"
    mutability: "launch"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["0=my-key"]
        }
    }
])
operation ListPublicKeys {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the forms in which a launch key is held.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/public-keys/{index}")
@bodyFormat("directory")
@category(
    since: "1.0"
    presence: "conditional"
    requires: "A key pair given at launch"
    mutability: "launch"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", index: "0" }
        output: {
            names: ["openssh-key"]
        }
    }
])
operation ListPublicKeyFormats {
    input := for PublicKey with [Versioned] {
        /// Index of the key, counted from 0.
        @required
        @httpLabel
        $index
    }

    output := with [DirectoryAnswer] {}
}

/// Launch key in the form of an OpenSSH `authorized_keys` line.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/public-keys/{index}/openssh-key")
@bodyFormat("text")
@category(
    since: "1.0"
    presence: "conditional"
    requires: "A key pair given at launch"
    mutability: "launch"
    snowball: true
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", index: "0" }
        output: { value: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLEKEYEXAMPLEKEYEXAMPLEKEYEXAMPLEKEYEXA my-key\n" }
    }
])
operation GetPublicKey {
    input := for PublicKey with [Versioned] {
        /// Index of the key, counted from 0.
        @required
        @httpLabel
        $index
    }

    output := with [TextAnswer] {}
}

/// Names whose tags there are.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/tags")
@bodyFormat("directory")
@category(
    since: "2021-03-23"
    presence: "conditional"
    requires: "Instance tags allowed in the metadata options"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["instance/"]
        }
    }
])
operation ListTagTrees {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the instance's tag keys.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/tags/instance")
@bodyFormat("directory")
@category(
    since: "2021-03-23"
    presence: "conditional"
    requires: "Instance tags allowed in the metadata options"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["Name", "aws:autoscaling:groupName"]
        }
    }
])
operation ListTags {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Value of one tag of the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/tags/instance/{key}")
@bodyFormat("text")
@category(
    since: "2021-03-23"
    presence: "conditional"
    requires: "Instance tags allowed in the metadata options"
    mutability: "running"
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", key: "Name" }
        output: { value: "my-instance" }
    }
    {
        title: "An instance of an Auto Scaling group"
        input: { apiVersion: "latest", key: "aws:autoscaling:groupName" }
        output: { value: "my-group" }
    }
])
operation GetTag {
    input := for InstanceTag with [Versioned] {
        /// Key of the tag.
        @required
        @httpLabel
        $key
    }

    output := with [TextAnswer] {}
}

/// Names what EC2 Instance Connect gives to the instance.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys")
@bodyFormat("directory")
@category(presence: "conditional", requires: "EC2 Instance Connect in use", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["active-keys/", "signer-cert", "signer-ocsp/"]
        }
    }
])
operation ListManagedSshKeys {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Names the login users that a key was pushed for.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys/active-keys")
@bodyFormat("directory")
@category(
    presence: "conditional"
    requires: "A key pushed by EC2 Instance Connect within the last minute"
    mutability: "running"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["ec2-user"]
        }
    }
])
operation ListActiveKeyUsers {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// Signed public keys that were pushed for one login user, each good for a short while.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys/active-keys/{user}")
@bodyFormat("text")
@category(
    presence: "conditional"
    requires: "A key pushed by EC2 Instance Connect within the last minute"
    mutability: "running"
    documented: false
)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", user: "ec2-user" }
        output: { value: "#Timestamp=1768467600\n#Instance=i-1234567890abcdef0\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVwBTEXAMPLEKEYEXAMPLEKEYEXAMPLEKEYEXAMPLEK\nc2lnbmF0dXJlEXAMPLE=" }
    }
])
operation GetActiveKeys {
    input := for LoginUser with [Versioned] {
        /// Login user.
        @required
        @httpLabel
        $user
    }

    output := with [TextAnswer] {}
}

/// Certificates, in PEM, of the signer of the pushed keys.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys/signer-cert")
@bodyFormat("text")
@category(presence: "conditional", requires: "EC2 Instance Connect in use", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: { value: "-----BEGIN CERTIFICATE-----\nMIIBEXAMPLE\n-----END CERTIFICATE-----" }
    }
])
operation GetSignerCertificate {
    input := with [Versioned] {}
    output := with [TextAnswer] {}
}

/// Names the OCSP responses for the signer's certificates by their SHA-1 fingerprints.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys/signer-ocsp")
@bodyFormat("directory")
@category(presence: "conditional", requires: "EC2 Instance Connect in use", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest" }
        output: {
            names: ["da39a3ee5e6b4b0d3255bfef95601890afd80709"]
        }
    }
])
operation ListSignerOcsp {
    input := with [Versioned] {}
    output := with [DirectoryAnswer] {}
}

/// One OCSP response, in base64.
@readonly
@http(method: "GET", uri: "/{apiVersion}/meta-data/managed-ssh-keys/signer-ocsp/{fingerprint}")
@bodyFormat("text")
@category(presence: "conditional", requires: "EC2 Instance Connect in use", mutability: "running", documented: false)
@examples([
    {
        title: "An instance"
        input: { apiVersion: "latest", fingerprint: "da39a3ee5e6b4b0d3255bfef95601890afd80709" }
        output: { value: "MIIBOCSPEXAMPLE=" }
    }
])
operation GetSignerOcsp {
    input := for OcspResponse with [Versioned] {
        /// SHA-1 fingerprint of the certificate.
        @required
        @httpLabel
        $fingerprint
    }

    output := with [TextAnswer] {}
}
