//! Role credentials: which generation is current at a time, and what it looks like to readers of
//! each version.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::Context;
use super::json::object;
use super::sink::Sink;
use crate::base::time::Timestamp;
use crate::instance::{Role, RoleCredentials};
use crate::tree::Leaf;

/// New credentials are there at least this long before the old ones expire (EC2 User Guide,
/// "Retrieve security credentials from instance metadata").
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

/// Which of the two documents of a role's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `iam/security-credentials/ROLE`.
    Plain,
    /// `iam/security-credentials-extended/ROLE`, which has the account as well
    /// (aws/aws-sdk-java-v2#6176).
    Extended,
}

/// `iam/info`, if there is a role.
pub(super) fn info(context: &Context<'_>) -> Option<String> {
    let instance = context.instance;
    let role = instance.role.as_ref()?;
    let issued = context.role.issued.to_string();
    let profile = role.instance_profile_name.as_ref().unwrap_or(&role.name);
    let partition = &instance.services.partition;
    let arn = format!("arn:{partition}:iam::{}:instance-profile/{profile}", instance.account_id);
    Some(object(&[
        ("Code", "Success".into()),
        ("LastUpdated", (&issued).into()),
        ("InstanceProfileArn", (&arn).into()),
        ("InstanceProfileId", (&role.instance_profile_id).into()),
    ]))
}

/// Puts the role's credentials, if there is a role.
pub(super) fn put_role(context: &Context<'_>, sink: &mut Sink<'_>, form: Form) {
    let Some(role) = &context.instance.role else { return };
    let account = match form {
        Form::Plain => None,
        Form::Extended if role.extended => Some(context.instance.account_id.as_str()),
        Form::Extended => return,
    };
    if let Some(given) = context.given {
        sink.labelled(&[&role.name], given_document(given, account));
        return;
    }
    let document = |v2| role_document(role, context.role, context.rotations, v2, account);
    sink.leaf(&[&role.name], Leaf::by_version(document(false), document(true)));
}

/// Credentials that come from elsewhere, or the service's report that there are none.
fn given_document(given: &RoleCredentials, account: Option<&str>) -> String {
    match given {
        RoleCredentials::Ready { credentials, updated, expiration, account_id } => {
            let keys = Keys {
                access_key_id: credentials.access_key_id.clone(),
                secret_access_key: credentials.secret_access_key.clone(),
                token: credentials.token.clone(),
            };
            let account = account.map(|own| account_id.as_deref().unwrap_or(own));
            document(*updated, *expiration, keys, account)
        }
        RoleCredentials::Unavailable { updated } => object(&[
            ("Code", "AssumeRoleUnauthorizedAccess".into()),
            ("Message", "EC2 cannot assume the role of this instance.".into()),
            ("LastUpdated", (&updated.to_string()).into()),
        ]),
    }
}

/// The instance identity role's credentials.
pub(super) fn identity(context: &Context<'_>) -> Leaf {
    let generation = context.identity;
    let document = |v2| {
        let keys = fake("ec2-instance", generation.number | 1 << 63, v2);
        document(generation.issued, generation.expires, keys, None)
    };
    Leaf::by_version(document(false), document(true))
}

/// Credentials of a generation as the JSON leaf shows them to readers with (`v2`) or without a
/// session token; with `account`, in the extended form.
///
/// EC2 hands different sessions to the two (`ec2:RoleDelivery`). The first generation's are AWS's
/// public examples.
fn role_document(
    role: &Role,
    generation: Generation,
    rotations: u64,
    v2: bool,
    account: Option<&str>,
) -> String {
    let keys = match &role.credentials {
        Some(given) => Keys {
            access_key_id: given.access_key_id.clone(),
            secret_access_key: given.secret_access_key.clone(),
            token: given.token.clone(),
        },
        None => fake(&role.name, generation.number.wrapping_add(rotations << 32), v2),
    };
    document(generation.issued, generation.expires, keys, account)
}

/// What a request is signed with.
struct Keys {
    access_key_id: String,
    secret_access_key: String,
    token: String,
}

fn document(issued: Timestamp, expires: Timestamp, keys: Keys, account: Option<&str>) -> String {
    let (issued, expires) = (issued.to_string(), expires.to_string());
    let mut members = vec![
        ("Code", "Success".into()),
        ("LastUpdated", (&issued).into()),
        ("Type", "AWS-HMAC".into()),
        ("AccessKeyId", (&keys.access_key_id).into()),
        ("SecretAccessKey", (&keys.secret_access_key).into()),
        ("Token", (&keys.token).into()),
        ("Expiration", (&expires).into()),
    ];
    members.extend(account.map(|account| ("AccountId", account.into())));
    object(&members)
}

/// Credentials that no service accepts.
fn fake(name: &str, number: u64, v2: bool) -> Keys {
    let mut token = String::from("IQoJb3JpZ2luX2Vj");
    for part in 0..4_u8 {
        token.push_str(&STANDARD.encode(digest(name, number, v2, part)).replace('=', "A"));
    }
    if number == 0 && v2 {
        return Keys {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token,
        };
    }
    let unique = digest(name, number, v2, 255);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let id: String = unique[..9].iter().map(|byte| char::from(alphabet[usize::from(byte & 31)])).collect();
    let secret = STANDARD.encode(&unique[..24]);
    Keys {
        access_key_id: format!("ASIA{id}EXAMPLE"),
        secret_access_key: format!("{}EXAMPLEKEY", &secret[..30]),
        token,
    }
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
            serde_json::from_str(&role_document(&Role::named("my-role"), generation, 0, true, None)).unwrap();
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
            role_document(&role_named, first, 0, true, None),
            role_document(&role_named, first, 0, false, None),
            role_document(&role_named, first, 1, true, None),
            role_document(&role_named, second, 0, true, None),
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
