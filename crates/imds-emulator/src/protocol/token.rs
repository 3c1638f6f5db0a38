//! Session tokens that carry their own proof: nothing is stored, so there is no table to fill and
//! none to race on.
//!
//! A token is 40 bytes in base64url, 56 characters with padding, as on EC2: four bytes that every
//! token of a wire profile begins with, the expiry, a serial number, and an HMAC over these and the
//! instance id. Another instance, and a service that was started anew without the same key, refuses
//! it.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::base::profile::Profile;
use crate::base::time::Timestamp;

const PREFIX: usize = 4;
const EXPIRY: usize = 8;
const SERIAL: usize = 4;
const CLEAR: usize = PREFIX + EXPIRY + SERIAL;
/// Longest token of any profile: 42 bytes.
const LONGEST: usize = 42;

/// Issues and checks session tokens of one instance.
pub(crate) struct TokenIssuer {
    mac: Hmac<Sha256>,
    profile: Profile,
    serial: u32,
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenIssuer").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl TokenIssuer {
    /// Issues tokens for this instance under a key that only this run knows, unless the caller
    /// shares it.
    #[must_use]
    pub(crate) fn new(key: &[u8; 32], instance_id: &str, profile: Profile) -> Self {
        // A key shorter than a block is filled up with zeros (RFC 2104), which gives an array that
        // cannot be refused.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(instance_id.as_bytes());
        mac.update(&[0]);
        Self { mac, profile, serial: 0 }
    }

    /// A fresh token that is good until `expires`.
    pub(crate) fn issue(&mut self, expires: Timestamp) -> String {
        self.serial = self.serial.wrapping_add(1);
        let mut token = [0; LONGEST];
        token[..PREFIX].copy_from_slice(self.profile.token_prefix());
        token[PREFIX..PREFIX + EXPIRY].copy_from_slice(&expires.millis().to_be_bytes());
        token[PREFIX + EXPIRY..CLEAR].copy_from_slice(&self.serial.to_be_bytes());
        let tag = self.tag(&token[..CLEAR]);
        let length = self.length();
        token[CLEAR..length].copy_from_slice(&tag[..length - CLEAR]);
        if self.profile == Profile::Snowball {
            URL_SAFE_NO_PAD.encode(&token[..length])
        } else {
            URL_SAFE.encode(&token[..length])
        }
    }

    /// When this token expires, if it is one of this instance's own and still good.
    #[must_use]
    pub(crate) fn check(&self, token: &[u8], now: Timestamp) -> Option<Timestamp> {
        let mut bytes = [0; LONGEST];
        let length = if self.profile == Profile::Snowball {
            URL_SAFE_NO_PAD.decode_slice(token, &mut bytes)
        } else {
            URL_SAFE.decode_slice(token, &mut bytes)
        };
        if length.ok()? != self.length() {
            return None;
        }
        let tag = self.tag(&bytes[..CLEAR]);
        let given = &bytes[CLEAR..self.length()];
        // Compared without an early end, so that the time taken says nothing about the right tag.
        let difference = given.iter().zip(&tag).fold(0, |acc, (a, b)| acc | (a ^ b));
        let mut millis = [0; EXPIRY];
        millis.copy_from_slice(&bytes[PREFIX..PREFIX + EXPIRY]);
        let expires = Timestamp::from_millis(i64::from_be_bytes(millis));
        (difference == 0 && now < expires).then_some(expires)
    }

    fn tag(&self, clear: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(clear);
        mac.finalize().into_bytes().into()
    }

    /// 56 characters on every profile: with padding on EC2, without on a Snowball (AWS Snowball
    /// Edge Developer Guide, "Using the Instance Metadata Service").
    const fn length(&self) -> usize {
        match self.profile {
            Profile::Nitro | Profile::Xen => 40,
            Profile::Snowball => 42,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_800_000_060);

    fn issuer(profile: Profile) -> TokenIssuer {
        TokenIssuer::new(&[7; 32], "i-1234567890abcdef0", profile)
    }

    #[test]
    fn looks_like_the_real_one() {
        let nitro = issuer(Profile::Nitro).issue(LATER);
        assert_eq!((nitro.len(), nitro.starts_with("AQAEA"), nitro.ends_with("==")), (56, true, true));
        let xen = issuer(Profile::Xen).issue(LATER);
        assert_eq!((xen.len(), xen.starts_with("AQAAA"), xen.ends_with("==")), (56, true, true));
        let snowball = issuer(Profile::Snowball).issue(LATER);
        assert_eq!((snowball.len(), snowball.starts_with("MDA"), snowball.contains('=')), (56, true, false));
    }

    #[test]
    fn good_until_its_expiry() {
        let mut issuer = issuer(Profile::Nitro);
        let token = issuer.issue(LATER);
        assert_eq!(issuer.check(token.as_bytes(), NOW), Some(LATER));
        assert_eq!(issuer.check(token.as_bytes(), Timestamp::from_millis(LATER.millis() - 1)), Some(LATER));
        assert_eq!(issuer.check(token.as_bytes(), LATER), None);
        assert_ne!(issuer.issue(LATER), token, "each token is its own");
    }

    #[test]
    fn refused_elsewhere() {
        let token = issuer(Profile::Nitro).issue(LATER);
        let elsewhere = TokenIssuer::new(&[7; 32], "i-0598c7d356eba48d7", Profile::Nitro);
        assert_eq!(elsewhere.check(token.as_bytes(), NOW), None);
        let restarted = TokenIssuer::new(&[8; 32], "i-1234567890abcdef0", Profile::Nitro);
        assert_eq!(restarted.check(token.as_bytes(), NOW), None);
        let same_key = TokenIssuer::new(&[7; 32], "i-1234567890abcdef0", Profile::Nitro);
        assert_eq!(same_key.check(token.as_bytes(), NOW), Some(LATER));
    }

    proptest! {
        #[test]
        fn no_changed_token_is_taken(at in 0_usize..54, byte in any::<u8>()) {
            let mut issuer = issuer(Profile::Nitro);
            let mut token = issuer.issue(LATER).into_bytes();
            let before = std::mem::replace(&mut token[at], byte);
            prop_assert_eq!(issuer.check(&token, NOW), (before == byte).then_some(LATER));
        }

        #[test]
        fn any_bytes_are_refused(token in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(issuer(Profile::Nitro).check(&token, NOW), None);
        }
    }
}
