//! What an instance has to be: the rules of EC2 that a file can break.

use super::Instance;

/// Longest user data, before base64 (EC2 User Guide, "Work with instance user data").
const MAX_USER_DATA: usize = 16 * 1024;

impl Instance {
    /// Whether this instance can be.
    ///
    /// # Errors
    /// Says which value cannot be, and what is accepted.
    pub fn check(&self) -> Result<(), String> {
        check_id("instance-id", &self.instance_id, "i-")?;
        check_id("ami-id", &self.ami_id, "ami-")?;
        if self.account_id.len() != 12 || !self.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("`account-id` is `{}`; twelve digits", self.account_id.escape_debug()));
        }
        let placement = &self.placement;
        if !placement.availability_zone.starts_with(&placement.region) {
            return Err(format!(
                "`availability-zone` is `{}`, which is not in `region` `{}`",
                placement.availability_zone.escape_debug(),
                placement.region.escape_debug()
            ));
        }
        for interface in &self.interfaces {
            check_mac(&interface.mac)?;
        }
        let macs: std::collections::BTreeSet<_> = self.interfaces.iter().map(|one| &one.mac).collect();
        if macs.len() != self.interfaces.len() {
            return Err("two interfaces have one `mac`".to_owned());
        }
        for (key, value) in &self.tags {
            check_tag(key, value)?;
        }
        for name in self.block_devices.keys().chain(self.managed_ssh_keys.keys()) {
            check_segment("name", name)?;
        }
        if let Some(role) = &self.role {
            check_segment("role name", &role.name)?;
            if !(1..=43_200).contains(&role.lifetime_seconds) {
                return Err(format!(
                    "`lifetime-seconds` is `{}`; a number from 1 to 43200",
                    role.lifetime_seconds
                ));
            }
        }
        match &self.user_data {
            Some(data) if data.0.len() > MAX_USER_DATA => {
                Err(format!("`user-data` is {} bytes long; EC2 takes at most {MAX_USER_DATA}", data.0.len()))
            }
            _ => Ok(()),
        }
    }
}

/// Rules for tags that are shown in the metadata (EC2 User Guide, "Tag your Amazon EC2 resources").
///
/// # Errors
/// Says which rule is broken.
pub fn check_tag(key: &str, value: &str) -> Result<(), String> {
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
    if value.chars().count() > 255 {
        return Err(format!("value of tag `{shown}` is longer than 255 characters"));
    }
    Ok(())
}

fn check_id(name: &str, id: &str, prefix: &str) -> Result<(), String> {
    // Ids of a Snowball begin with `s.` (AWS Snowball Edge Developer Guide).
    let digits = id.strip_prefix("s.").unwrap_or(id).strip_prefix(prefix).unwrap_or_default();
    if !digits.is_empty() && digits.len() <= 32 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(format!("`{name}` is `{}`; `{prefix}` and hexadecimal digits", id.escape_debug()))
}

fn check_mac(mac: &str) -> Result<(), String> {
    let parts: Vec<&str> = mac.split(':').collect();
    let pair = |part: &&str| {
        part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    if parts.len() == 6 && parts.iter().all(pair) {
        return Ok(());
    }
    Err(format!("`mac` is `{}`; six pairs of lower-case hexadecimal digits with colons", mac.escape_debug()))
}

/// A name that becomes one segment of a path.
fn check_segment(what: &str, name: &str) -> Result<(), String> {
    let bad = name.is_empty() || name.len() > 255 || matches!(name, "." | "..") || name.contains('/');
    if bad || name.chars().any(char::is_control) {
        return Err(format!("{what} `{}` cannot be part of a path", name.escape_debug()));
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
            "`availability-zone` is `us-east-1a`, which is not in `region` `eu-west-1`"
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
            "role name `a/b` cannot be part of a path"
        );
    }
}
