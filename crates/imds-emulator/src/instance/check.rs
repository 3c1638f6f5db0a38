//! What an instance has to be: the rules of EC2 that a file can break.

use super::Instance;
use super::flaw::Flaw;
use crate::base::limits::USER_DATA_BYTES;
use crate::base::span::Step;

/// Places a message at a member.
fn at<const N: usize>(place: [Step; N]) -> impl FnOnce(String) -> Flaw {
    move |message| Flaw { places: vec![place.to_vec()], message }
}

impl Instance {
    /// Whether this instance can be.
    ///
    /// # Errors
    /// Returns an error that says which value cannot be, and what is accepted.
    pub fn check(&self) -> Result<(), String> {
        self.flaw().map_err(|flaw| flaw.message)
    }

    /// The same, with the place of what is wrong.
    pub(crate) fn flaw(&self) -> Result<(), Flaw> {
        check_id("instance-id", &self.instance_id, "i-").map_err(at(["instance-id".into()]))?;
        check_id("ami-id", &self.ami_id, "ami-").map_err(at(["ami-id".into()]))?;
        if self.account_id.len() != 12 || !self.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("`account-id` is `{}`; twelve digits", self.account_id.escape_debug());
            return Err(at(["account-id".into()])(message));
        }
        self.zone_flaw()?;
        self.region_flaw()?;
        super::interfaces::flaw(self)?;
        for (key, value) in &self.tags {
            check_tag(key, value).map_err(at(["tags".into(), key.as_str().into()]))?;
        }
        for name in self.block_devices.keys() {
            check_segment("block device", name)
                .map_err(at(["block-devices".into(), name.as_str().into()]))?;
        }
        for name in self.managed_ssh_keys.keys() {
            check_segment("login name", name)
                .map_err(at(["managed-ssh-keys".into(), name.as_str().into()]))?;
        }
        if let Some(role) = &self.role {
            check_segment("role name", &role.name).map_err(at(["role".into(), "name".into()]))?;
            if !(1..=43_200).contains(&role.lifetime_seconds) {
                let message =
                    format!("`lifetime-seconds` is `{}`; a number from 1 to 43200", role.lifetime_seconds);
                return Err(at(["role".into(), "lifetime-seconds".into()])(message));
            }
        }
        match &self.user_data {
            Some(data) if data.0.len() > USER_DATA_BYTES => {
                let length = data.0.len();
                let message =
                    format!("`user-data` is {length} bytes long; EC2 takes at most {USER_DATA_BYTES}");
                Err(at(["user-data".into()])(message))
            }
            _ => Ok(()),
        }
    }

    /// What contradicts the Region or the instance type.
    fn region_flaw(&self) -> Result<(), Flaw> {
        let region = &self.placement.region;
        if let (Some(id), Some(prefix)) =
            (&self.placement.availability_zone_id, super::region::zone_id_prefix(region))
            && !id.starts_with(&format!("{prefix}-"))
        {
            let id = id.escape_debug();
            let message = format!(
                "`availability-zone-id` is `{id}`, which is not in `region` `{region}`; such as `{prefix}-az1`"
            );
            return Err(at(["placement".into(), "availability-zone-id".into()])(message));
        }
        let (_, partition) = super::region::services(region);
        if self.services.partition != partition {
            let own = self.services.partition.escape_debug();
            let message =
                format!("`partition` is `{own}`, but `region` `{region}` is in the partition `{partition}`");
            return Err(at(["services".into(), "partition".into()])(message));
        }
        match super::region::known_architecture(&self.instance_type) {
            Some(expected) if expected != self.architecture => {
                let (own, kind) = (self.architecture.escape_debug(), self.instance_type.escape_debug());
                let message =
                    format!("`architecture` is `{own}`, but `instance-type` `{kind}` is of `{expected}`");
                Err(Flaw { places: vec![vec!["architecture".into()], vec!["instance-type".into()]], message })
            }
            _ => Ok(()),
        }
    }

    fn zone_flaw(&self) -> Result<(), Flaw> {
        let (zone, region) = (&self.placement.availability_zone, &self.placement.region);
        if zone.starts_with(region) {
            return Ok(());
        }
        let (zone, region) = (zone.escape_debug(), region.escape_debug());
        Err(Flaw {
            // One of them may be a preset's.
            places: ["availability-zone", "region"]
                .map(|name| vec!["placement".into(), name.into()])
                .to_vec(),
            message: format!(
                "`availability-zone` is `{zone}`, which is not in `region` `{region}`; the Region's name and what follows \
                 it, such as `{region}a`"
            ),
        })
    }
}

/// Rules for tags that are shown in the metadata (EC2 User Guide, "Tag your Amazon EC2 resources").
///
/// # Errors
/// Returns an error that says which rule is broken.
pub fn check_tag(key: &str, value: &str) -> Result<(), String> {
    check_tag_key(key)?;
    check_tag_value(key, value)
}

/// The rules for keys.
pub(crate) fn check_tag_key(key: &str) -> Result<(), String> {
    let shown = key.escape_debug();
    if key.is_empty() || key.chars().count() > 255 {
        return Err(format!("tag key `{shown}` is not 1 to 255 characters long"));
    }
    if matches!(key, "." | ".." | "_index") {
        return Err(format!("tag key `{shown}` is one of `.`, `..`, `_index`, which metadata cannot show"));
    }
    let accepted = |character: &char| character.is_ascii_alphanumeric() || "+-=.,_:@".contains(*character);
    if let Some(wrong) = key.chars().find(|character| !accepted(character)) {
        return Err(format!(
            "tag key `{shown}` holds `{}`; letters, digits and `+ - = . , _ : @` are accepted while tags are shown in \
             metadata",
            wrong.escape_debug()
        ));
    }
    Ok(())
}

/// The rule for values.
pub(crate) fn check_tag_value(key: &str, value: &str) -> Result<(), String> {
    match value.chars().count() {
        0..=255 => Ok(()),
        _ => Err(format!("value of tag `{}` is longer than 255 characters", key.escape_debug())),
    }
}

fn check_id(name: &str, id: &str, prefix: &str) -> Result<(), String> {
    // Ids of a Snowball begin with `s.` (AWS Snowball Edge Developer Guide).
    let digits = id.strip_prefix("s.").unwrap_or(id).strip_prefix(prefix).unwrap_or_default();
    if !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format!("`{name}` is `{}`; `{prefix}` and hexadecimal digits", id.escape_debug()))
}

/// A name that becomes one segment of a path.
fn check_segment(what: &str, name: &str) -> Result<(), String> {
    let bad = name.is_empty() || name.len() > 255 || matches!(name, "." | "..") || name.contains('/');
    if bad || name.chars().any(char::is_control) {
        return Err(format!(
            "{what} `{}` cannot be part of a path; 1 to 255 characters without `/` and control characters, and not `.` or \
             `..`",
            name.escape_debug()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_instance_can_be() {
        assert_eq!(Instance::default().check(), Ok(()));
    }

    #[test]
    fn impossible_instances_are_named() {
        let with = |change: &dyn Fn(&mut Instance)| {
            let mut instance = Instance::default();
            change(&mut instance);
            instance.check().unwrap_err()
        };
        assert_eq!(
            with(&|instance| instance.instance_id = "1234".into()),
            "`instance-id` is `1234`; `i-` and hexadecimal digits"
        );
        assert_eq!(
            with(&|instance| instance.account_id = "12".into()),
            "`account-id` is `12`; twelve digits"
        );
        assert_eq!(
            with(&|instance| instance.placement.region = "eu-west-1".into()),
            "`availability-zone` is `us-east-1a`, which is not in `region` `eu-west-1`; the Region's name and what follows \
             it, such as `eu-west-1a`"
        );
        assert_eq!(
            with(&|instance| instance.interfaces[0].mac = "02:29".into()),
            "`mac` is `02:29`; six pairs of lower-case hexadecimal digits with colons"
        );
        assert_eq!(
            with(&|instance| drop(instance.tags.insert("_index".into(), String::new()))),
            "tag key `_index` is one of `.`, `..`, `_index`, which metadata cannot show"
        );
        assert_eq!(
            with(&|instance| instance.user_data = Some(crate::instance::UserData(vec![0; 16 * 1024 + 1]))),
            "`user-data` is 16385 bytes long; EC2 takes at most 16384"
        );
        assert_eq!(
            with(&|instance| instance.role = Some(crate::instance::Role::named("a/b"))),
            "role name `a/b` cannot be part of a path; 1 to 255 characters without `/` and control characters, and not `.` \
             or `..`"
        );
    }
}
