$version: "2.0"

metadata suppressions = [
    {
        id: "UnstableTrait"
        namespace: "imds"
        reason: "Endpoint rules and malformed-request tests have no stable form yet; both are data for our own tools, which change with them."
    }
]

// What this model asks of itself, beyond Smithy's own rules.
metadata validators = [
    {
        name: "EmitEachSelector"
        id: "EveryReadIsDescribed"
        severity: "DANGER"
        message: "An operation that reads must say its body format, its category and an example."
        configuration: {
            selector: "operation[trait|readonly] :not([trait|imds.traits#bodyFormat][trait|imds.traits#category][trait|examples])"
        }
    }
    {
        name: "EmitEachSelector"
        id: "EveryShapeIsDocumented"
        severity: "DANGER"
        message: "A public shape must be documented."
        configuration: {
            selector: ":is(service, resource, operation, simpleType, list, structure[trait|error]) [id|namespace^='imds'] :not([trait|documentation])"
        }
    }
    {
        name: "EmitEachSelector"
        id: "ConditionIsSaid"
        severity: "DANGER"
        message: "A category that is not on every instance must say what it requires."
        configuration: {
            selector: "operation[trait|imds.traits#category|presence='conditional'] :not([trait|imds.traits#category|requires])"
        }
    }
]

namespace imds

use imds.traits#imds
use imds.traits#imdsv2

/// The EC2 instance metadata service, as an instance sees it at its link-local address.
///
/// The service has no AWS signature, no query parameters and no request bodies. One operation stands for each path
/// that is publicly known; `GetMetadata` and `GetDynamicData` read the rest.
@imds(
    apiVersions: [
        "1.0"
        "2007-01-19"
        "2007-03-01"
        "2007-08-29"
        "2007-10-10"
        "2007-12-15"
        "2008-02-01"
        "2008-09-01"
        "2009-04-04"
        "2011-01-01"
        "2011-05-01"
        "2012-01-12"
        "2014-02-25"
        "2014-11-05"
        "2015-10-20"
        "2016-04-19"
        "2016-06-30"
        "2016-09-02"
        "2018-03-28"
        "2018-08-17"
        "2018-09-24"
        "2019-10-01"
        "2020-10-27"
        "2021-01-03"
        "2021-03-23"
        "2021-07-15"
        "2022-07-09"
        "2022-09-24"
        "2024-04-11"
        "latest"
    ]
)
@imdsv2(tokenHeader: "X-Aws-Ec2-Metadata-Token", tokenOperation: CreateToken)
@httpApiKeyAuth(name: "X-Aws-Ec2-Metadata-Token", in: "header")
@auth([imdsv2, httpApiKeyAuth])
@title("EC2 instance metadata service")
service InstanceMetadata {
    version: "latest"
    operations: [
        CreateToken
    ]
    resources: [
        Accelerators
        Access
        Addresses
        Announcements
        BlockDevices
        IamRole
        Identity
        Instance
        InstanceTag
        LoginUser
        Network
        NetworkInterface
        OcspResponse
        Placement
        PublicKey
        Trees
    ]
    errors: [
        Unauthorized
        Forbidden
        NotFound
        InternalError
        ServiceUnavailable
    ]
}
