//! What some instance types can have: a small table, for the types that tests name.
//!
//! A type that is not in the table is accepted with anything.

/// The limits of an instance type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeLimits {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its architecture.
    pub(crate) architecture: &'static str,
    /// How many network cards it has.
    pub(crate) cards: u32,
    /// How many interfaces each card takes.
    pub(crate) interfaces_per_card: usize,
    /// How many IPv4 and how many IPv6 addresses an interface takes. A prefix counts as one.
    pub(crate) addresses_per_interface: usize,
}

const fn limits(
    name: &'static str,
    architecture: &'static str,
    cards: u32,
    interfaces_per_card: usize,
    addresses_per_interface: usize,
) -> TypeLimits {
    TypeLimits { name, architecture, cards, interfaces_per_card, addresses_per_interface }
}

/// The types, by name. Interfaces and addresses: EC2 User Guide, "Maximum IP addresses per network
/// interface"; cards: "Network cards"; both as `DescribeInstanceTypes` returns them
/// (aws/amazon-vpc-cni-k8s, `pkg/vpc/vpc_ip_resource_limit.go`). That a prefix counts as one
/// address: "Prefix delegation for Amazon EC2 network interfaces".
#[rustfmt::skip]
pub(crate) const TYPES: [TypeLimits; 64] = [
    limits("a1.medium", "arm64", 1, 2, 4),
    limits("c5.18xlarge", "x86_64", 1, 15, 50),
    limits("c5.large", "x86_64", 1, 3, 10),
    limits("c5.xlarge", "x86_64", 1, 4, 15),
    limits("c5n.18xlarge", "x86_64", 1, 15, 50),
    limits("c6g.large", "arm64", 1, 3, 10),
    limits("c6gn.large", "arm64", 1, 3, 10),
    limits("c6i.large", "x86_64", 1, 3, 10),
    limits("c6i.xlarge", "x86_64", 1, 4, 15),
    limits("c6in.32xlarge", "x86_64", 2, 8, 50),
    limits("c7g.4xlarge", "arm64", 1, 8, 30),
    limits("c7g.large", "arm64", 1, 3, 10),
    limits("c7g.xlarge", "arm64", 1, 4, 15),
    limits("c7gn.large", "arm64", 1, 3, 10),
    limits("c7i.large", "x86_64", 1, 3, 10),
    limits("c8g.large", "arm64", 1, 3, 10),
    limits("g4dn.xlarge", "x86_64", 1, 3, 10),
    limits("g5.xlarge", "x86_64", 1, 4, 15),
    limits("g5g.xlarge", "arm64", 1, 4, 15),
    limits("g6.xlarge", "x86_64", 1, 4, 15),
    limits("i3.large", "x86_64", 1, 3, 10),
    limits("i4i.large", "x86_64", 1, 3, 10),
    limits("m4.large", "x86_64", 1, 2, 10),
    limits("m5.24xlarge", "x86_64", 1, 15, 50),
    limits("m5.2xlarge", "x86_64", 1, 4, 15),
    limits("m5.4xlarge", "x86_64", 1, 8, 30),
    limits("m5.large", "x86_64", 1, 3, 10),
    limits("m5.xlarge", "x86_64", 1, 4, 15),
    limits("m5a.large", "x86_64", 1, 3, 10),
    limits("m6a.large", "x86_64", 1, 3, 10),
    limits("m6g.large", "arm64", 1, 3, 10),
    limits("m6g.medium", "arm64", 1, 2, 4),
    limits("m6i.large", "x86_64", 1, 3, 10),
    limits("m6i.xlarge", "x86_64", 1, 4, 15),
    limits("m6in.32xlarge", "x86_64", 2, 8, 50),
    limits("m7a.large", "x86_64", 1, 3, 10),
    limits("m7g.large", "arm64", 1, 3, 10),
    limits("m7g.medium", "arm64", 1, 2, 4),
    limits("m7i.large", "x86_64", 1, 3, 10),
    limits("m8g.large", "arm64", 1, 3, 10),
    limits("p4d.24xlarge", "x86_64", 4, 15, 50),
    limits("p5.48xlarge", "x86_64", 32, 2, 50),
    limits("r5.large", "x86_64", 1, 3, 10),
    limits("r6g.large", "arm64", 1, 3, 10),
    limits("r6i.large", "x86_64", 1, 3, 10),
    limits("r7g.large", "arm64", 1, 3, 10),
    limits("r7i.large", "x86_64", 1, 3, 10),
    limits("r8g.large", "arm64", 1, 3, 10),
    limits("t2.medium", "x86_64", 1, 3, 6),
    limits("t2.micro", "x86_64", 1, 2, 2),
    limits("t2.small", "x86_64", 1, 3, 4),
    limits("t3.large", "x86_64", 1, 3, 12),
    limits("t3.medium", "x86_64", 1, 3, 6),
    limits("t3.micro", "x86_64", 1, 2, 2),
    limits("t3.nano", "x86_64", 1, 2, 2),
    limits("t3.small", "x86_64", 1, 3, 4),
    limits("t3a.medium", "x86_64", 1, 3, 6),
    limits("t4g.large", "arm64", 1, 3, 12),
    limits("t4g.medium", "arm64", 1, 3, 6),
    limits("t4g.micro", "arm64", 1, 2, 2),
    limits("t4g.nano", "arm64", 1, 2, 2),
    limits("t4g.small", "arm64", 1, 3, 4),
    limits("trn1.32xlarge", "x86_64", 8, 5, 50),
    limits("x2gd.large", "arm64", 1, 3, 10),
];

/// The limits of a type, if it is in the table.
pub(crate) fn of(name: &str) -> Option<&'static TypeLimits> {
    TYPES.iter().find(|limits| limits.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_agrees_with_what_the_names_say() {
        for limits in &TYPES {
            if let Some(architecture) = super::super::region::architecture(limits.name) {
                assert_eq!(architecture, limits.architecture, "{}", limits.name);
            }
        }
        assert!(TYPES.windows(2).all(|pair| pair[0].name < pair[1].name), "sorted, each once");
        assert_eq!(of("m5.large").map(|limits| (limits.cards, limits.interfaces_per_card)), Some((1, 3)));
        assert_eq!(of("m99.large"), None);
    }
}
