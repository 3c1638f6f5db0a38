//! Role credentials: which generation is current at a time, and what it looks like to readers of each version.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::json::object;
use crate::instance::Role;
use crate::time::Timestamp;

/// New credentials are there at least this long before the old ones expire (EC2 User Guide, "Retrieve security
/// credentials from instance metadata").
const OVERLAP: Duration = Duration::from_secs(300);

/// The generation of credentials that is current at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Its number, 0 first.
    pub(crate) number: u64,
    /// When it was issued.
    pub(crate) issued: Timestamp,
    /// When it expires.
    pub(crate) expires: Timestamp,
    /// When the next one takes its place.
    pub(crate) replaced: Timestamp,
}

impl Generation {
    /// The generation current at `now`, counted from `epoch`, when the first one was issued.
    pub(crate) fn at(now: Timestamp, epoch: Timestamp, lifetime: Duration) -> Self {
        let lifetime = lifetime.max(Duration::from_secs(1));
        let period = lifetime - OVERLAP.min(lifetime / 2);
        let period_millis = period.as_millis().max(1);
        let number = u64::try_from(now.since(epoch).as_millis() / period_millis).unwrap_or(u64::MAX);
        let issued_after =
            Duration::from_millis(u64::try_from(period_millis).unwrap_or(u64::MAX).saturating_mul(number));
        let issued = epoch.after(issued_after);
        Self { number, issued, expires: issued.after(lifetime), replaced: issued.after(period) }
    }
}

/// Credentials of a generation as the JSON leaf shows them to readers with (`v2`) or without a session token.
///
/// EC2 hands different sessions to the two (`ec2:RoleDelivery`). The first generation's are AWS's public examples.
pub(crate) fn role(role: &Role, generation: Generation, rotations: u64, v2: bool) -> String {
    let (access_key_id, secret_access_key, token) = match &role.credentials {
        Some(given) => (given.access_key_id.clone(), given.secret_access_key.clone(), given.token.clone()),
        None => made_up(&role.name, generation.number.wrapping_add(rotations << 32), v2),
    };
    document(generation, &access_key_id, &secret_access_key, &token)
}

/// The instance identity role's credentials.
pub(crate) fn identity(generation: Generation, v2: bool) -> String {
    let (access_key_id, secret_access_key, token) = made_up("ec2-instance", generation.number | 1 << 63, v2);
    document(generation, &access_key_id, &secret_access_key, &token)
}

fn document(generation: Generation, access_key_id: &str, secret_access_key: &str, token: &str) -> String {
    let (issued, expires) = (generation.issued.to_string(), generation.expires.to_string());
    object(&[
        ("Code", "Success".into()),
        ("LastUpdated", (&issued).into()),
        ("Type", "AWS-HMAC".into()),
        ("AccessKeyId", access_key_id.into()),
        ("SecretAccessKey", secret_access_key.into()),
        ("Token", token.into()),
        ("Expiration", (&expires).into()),
    ])
}

fn made_up(name: &str, number: u64, v2: bool) -> (String, String, String) {
    let mut token = String::from("IQoJb3JpZ2luX2Vj");
    for part in 0..4_u8 {
        token.push_str(&STANDARD.encode(digest(name, number, v2, part)).replace('=', "A"));
    }
    if number == 0 && v2 {
        return ("ASIAIOSFODNN7EXAMPLE".into(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), token);
    }
    let unique = digest(name, number, v2, 255);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let id: String = unique[..9].iter().map(|byte| char::from(alphabet[usize::from(byte & 31)])).collect();
    let secret = STANDARD.encode(&unique[..24]);
    (format!("ASIA{id}EXAMPLE"), format!("{}EXAMPLEKEY", &secret[..30]), token)
}

fn digest(name: &str, number: u64, v2: bool, part: u8) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(name);
    hash.update(number.to_be_bytes());
    hash.update([u8::from(v2), part]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EPOCH: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn first_generation_is_the_public_example() {
        let generation = Generation::at(EPOCH, EPOCH, Duration::from_secs(21_600));
        let json: serde_json::Value =
            serde_json::from_str(&role(&Role::named("my-role"), generation, 0, true)).unwrap();
        assert_eq!(json["AccessKeyId"], "ASIAIOSFODNN7EXAMPLE");
        assert_eq!(json["Expiration"], "2027-01-15T14:00:00Z");
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
        );
    }

    #[test]
    fn versions_and_generations_differ() {
        let lifetime = Duration::from_secs(3600);
        let first = Generation::at(EPOCH, EPOCH, lifetime);
        let second = Generation::at(first.replaced, EPOCH, lifetime);
        assert_eq!((first.number, second.number), (0, 1));
        let role_named = Role::named("my-role");
        let all = [
            role(&role_named, first, 0, true),
            role(&role_named, first, 0, false),
            role(&role_named, first, 1, true),
            role(&role_named, second, 0, true),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one));
            let json: serde_json::Value = serde_json::from_str(one).unwrap();
            assert_eq!(json["AccessKeyId"].as_str().unwrap().len(), 20);
            assert_eq!(json["SecretAccessKey"].as_str().unwrap().len(), 40);
        }
    }

    proptest! {
        #[test]
        fn new_ones_come_five_minutes_before_the_old_expire(
            after in 0_u64..100_000_000, lifetime in 601_u64..50_000,
        ) {
            let now = EPOCH.after(Duration::from_secs(after));
            let generation = Generation::at(now, EPOCH, Duration::from_secs(lifetime));
            prop_assert!(generation.issued <= now && now < generation.replaced);
            prop_assert!(generation.expires.since(generation.replaced) >= Duration::from_secs(300));
        }

        #[test]
        fn short_lives_still_overlap(after in 0_u64..1_000_000, lifetime in 1_u64..600) {
            let now = EPOCH.after(Duration::from_secs(after));
            let generation = Generation::at(now, EPOCH, Duration::from_secs(lifetime));
            prop_assert!(now < generation.replaced && generation.replaced < generation.expires);
        }
    }
}
