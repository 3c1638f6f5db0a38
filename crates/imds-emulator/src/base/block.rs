//! Blocks of IP addresses: `10.0.0.0/24`, `2001:db8:1234:1a00::/64`.

use std::net::IpAddr;

/// A block of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    first: IpAddr,
    length: u32,
}

impl Block {
    /// Reads `ADDRESS/LENGTH`, where the address is the block's first. `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, length) = text.split_once('/')?;
        let first: IpAddr = first.parse().ok()?;
        // `+8` and `008` are no lengths.
        let plain = !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
        let length = length.parse().ok().filter(|length| plain && *length <= width(first))?;
        let block = Self { first, length };
        (bits(first) == bits(first) & block.mask()).then_some(block)
    }

    /// How many bits of the address are the same in the whole block.
    pub(crate) const fn length(self) -> u32 {
        self.length
    }

    /// Whether this is a block of IPv4 addresses.
    pub(crate) const fn is_ipv4(self) -> bool {
        self.first.is_ipv4()
    }

    /// Whether an address is in the block.
    pub(crate) fn has(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.first.is_ipv4() && bits(address) & self.mask() == bits(self.first)
    }

    /// Whether the whole of another block is in this one.
    pub(crate) fn holds(self, other: Self) -> bool {
        self.length <= other.length && self.has(other.first)
    }

    fn mask(self) -> u128 {
        let hosts = width(self.first) - self.length;
        u128::MAX.checked_shl(hosts).unwrap_or(0)
    }
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_what_is_in_them() {
        let block = |text: &str| Block::parse(text).unwrap();
        assert!(block("10.0.0.0/16").holds(block("10.0.1.0/24")));
        assert!(!block("10.0.1.0/24").holds(block("10.0.0.0/16")));
        assert!(!block("10.0.0.0/16").holds(block("10.1.0.0/24")));
        assert!(block("10.0.0.0/24").has("10.0.0.157".parse().unwrap()));
        assert!(!block("10.0.0.0/24").has("10.0.1.1".parse().unwrap()));
        assert!(block("2001:db8::/56").holds(block("2001:db8:0:1::/64")));
        assert!(!block("2001:db8::/56").has("10.0.0.1".parse().unwrap()));
        for text in
            ["", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/08", "x/8", "::1/64"]
        {
            assert_eq!(Block::parse(text), None, "{text}");
        }
        assert_eq!(block("10.0.0.0/28").length(), 28);
    }
}
