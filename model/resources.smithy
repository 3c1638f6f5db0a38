$version: "2.0"

namespace imds

/// The role of the instance profile.
resource IamRole {
    identifiers: {
        roleName: Text
    }
    read: GetRoleCredentials
    list: ListIamRoles
    operations: [
        GetExtendedRoleCredentials
    ]
    collectionOperations: [
        ListExtendedIamRoles
    ]
}

/// A tag of the instance.
resource InstanceTag {
    identifiers: {
        key: Text
    }
    read: GetTag
    list: ListTags
}

/// A public IPv4 address that leads to an interface.
resource Ipv4Association {
    identifiers: {
        mac: MacAddress
        publicIp: Text
    }
    read: GetIpv4Association
    list: ListIpv4Associations
}

/// A login user that EC2 Instance Connect pushed keys for.
resource LoginUser {
    identifiers: {
        user: Text
    }
    read: GetActiveKeys
    list: ListActiveKeyUsers
}

/// An attached network interface.
resource NetworkInterface {
    identifiers: {
        mac: MacAddress
    }
    read: ListInterfaceCategories
    list: ListInterfaces
    operations: [
        GetInterfaceDeviceNumber
        GetInterfaceId
        GetInterfaceIpv4Prefixes
        GetInterfaceIpv6Prefixes
        GetInterfaceIpv6s
        GetInterfaceLocalHostname
        GetInterfaceLocalIpv4s
        GetInterfaceMac
        GetInterfaceNetworkCard
        GetInterfaceNetworkCardIndex
        GetInterfaceOwnerId
        GetInterfacePublicHostname
        GetInterfacePublicIpv4s
        GetInterfaceSecurityGroups
        GetInterfaceSecurityGroupIds
        GetInterfaceSubnetId
        GetInterfaceSubnetIpv4Cidr
        GetInterfaceSubnetIpv6Cidrs
        GetInterfaceVpcId
        GetInterfaceVpcIpv4Cidr
        GetInterfaceVpcIpv4Cidrs
        GetInterfaceVpcIpv6Cidrs
    ]
    resources: [
        Ipv4Association
    ]
}

/// An OCSP response for a certificate of the key signer.
resource OcspResponse {
    identifiers: {
        fingerprint: Text
    }
    read: GetSignerOcsp
    list: ListSignerOcsp
}

/// A key pair given at launch.
resource PublicKey {
    identifiers: {
        index: Digits
    }
    read: ListPublicKeyFormats
    list: ListPublicKeys
    operations: [
        GetPublicKey
    ]
}
