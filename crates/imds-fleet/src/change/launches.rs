//! What a plan does about where instances are launched from: launch templates, the groups that pin a version of one,
//! launch configurations.

use std::collections::BTreeMap;

use super::plan::{Change, Planned, Rules, Target, left_out};
use crate::inventory::options::Options;
use crate::inventory::resource::{AccountRegion, LaunchConfiguration, LaunchTemplate, Pin};

/// What is found of them in a scan.
#[derive(Debug, Default)]
pub struct Launches {
    templates: BTreeMap<(AccountRegion, String), Vec<LaunchTemplate>>,
    configurations: Vec<LaunchConfiguration>,
}

impl Launches {
    /// Adds a version of a template.
    pub fn template(&mut self, it: &LaunchTemplate) {
        self.templates.entry((it.place.clone(), it.id.clone())).or_default().push(it.clone());
    }

    /// Adds a launch configuration.
    pub fn configuration(&mut self, it: &LaunchConfiguration) {
        self.configurations.push(it.clone());
    }

    /// What is to be done about them: the default versions if `templates`, the groups that pin a version if `pinned`;
    /// who asks for the one is told of the other.
    #[must_use]
    pub fn plan(&self, rules: &Rules, templates: bool, pinned: bool) -> Vec<Planned> {
        let mut planned = Vec::new();
        for versions in self.templates.values() {
            for version in versions {
                let new = rules.wanted.differing_from(&version.options);
                if !new.is_empty() {
                    let asked = Asked { version, versions, new };
                    if version.is_default && templates {
                        planned.push(asked.default());
                    }
                    planned.extend(version.pinned_by.iter().map(|pin| asked.pin(pin, pinned)));
                    planned.extend(asked.latest());
                }
            }
        }
        planned.extend(self.configurations.iter().filter_map(|it| configuration(rules, it)));
        planned
    }
}

/// A version that is not as wanted, among the others in use of its template.
struct Asked<'a> {
    version: &'a LaunchTemplate,
    versions: &'a [LaunchTemplate],
    new: Options,
}

impl Asked<'_> {
    fn left_out(&self, id: &str, reason: String) -> Planned {
        left_out(&self.version.place, id, reason)
    }

    fn change(&self, target: Target) -> Planned {
        Ok(Change {
            place: self.version.place.clone(),
            target,
            name: self.version.name.clone(),
            prior: self.version.options,
            new: self.new,
            http_tokens_enforced: None,
            usage: None,
        })
    }

    /// Why no version may be made from this one: it would be `$Latest` at once, and so what other groups launch from,
    /// all that it sets besides included.
    fn objection(&self) -> Option<String> {
        if let Some(operator) = &self.version.operator {
            return Some(format!("managed by {operator}: change it there"));
        }
        let latest = self.versions.iter().find(|it| !it.latest_of.is_empty())?;
        (latest.version != self.version.version).then(|| {
            format!(
                "a version made from version {} would become `$Latest`, which `{}` launches from, in place of \
                 version {}: make a version there that sets the options",
                self.version.version,
                latest.latest_of.join("`, `"),
                latest.version
            )
        })
    }

    /// A new version, and the default moved to it.
    fn default(&self) -> Planned {
        let id = &self.version.id;
        match self.objection() {
            Some(reason) => self.left_out(id, reason),
            None => self.change(Target::LaunchTemplate { id: id.clone(), version: self.version.version }),
        }
    }

    /// A group moved to a new version.
    fn pin(&self, pin: &Pin, told: bool) -> Planned {
        let (template, version) = (self.version.id.clone(), self.version.version);
        if let Some(by) = &pin.managed_by {
            return self.left_out(
                &pin.group,
                format!("pins version {version} of `{template}` for {by}: change it there"),
            );
        }
        if !told {
            let reason =
                format!("pins version {version} of `{template}`; `--pinned-groups` moves it to a new one");
            return self.left_out(&pin.group, reason);
        }
        match self.objection() {
            Some(reason) => self.left_out(&pin.group, reason),
            None => self.change(Target::AutoScalingGroup { id: pin.group.clone(), template, version }),
        }
    }

    /// A group that follows `$Latest` gets the new default only where that is made from what it follows.
    fn latest(&self) -> Option<Planned> {
        if self.version.is_default || self.version.latest_of.is_empty() {
            return None;
        }
        let reason = format!(
            "launches from `$Latest` of `{}`, which is version {} and not the default: make a version there that sets \
             the options",
            self.version.id, self.version.version
        );
        Some(self.left_out(&self.version.latest_of.join(" "), reason))
    }
}

/// A launch configuration is what it is: "You can't modify a launch configuration after you've created it" (Auto
/// Scaling User Guide).
fn configuration(rules: &Rules, it: &LaunchConfiguration) -> Option<Planned> {
    // It has no word for the other two.
    let wanted = Options { http_protocol_ipv6: None, instance_metadata_tags: None, ..rules.wanted };
    if wanted.differing_from(&it.options).is_empty() {
        return None;
    }
    let users = match it.used_by.as_slice() {
        [] => "no group launches from it: delete it".to_owned(),
        groups => format!("have `{}` launch from a launch template instead", groups.join("`, `")),
    };
    let reason = format!("a launch configuration cannot be changed; {users}");
    Some(left_out(&it.place, &it.id, reason))
}
