//! What a plan does about where instances are launched from: launch templates, the groups that pin
//! a version of one, launch configurations.

use std::collections::BTreeMap;

use imds_model::options::HttpTokens;

use super::plan::{Change, Planned, Rules, Target, left_out};
use super::readiness::{Readiness, UsageStatuses};
use crate::inventory::effective::{Effective, Origin};
use crate::inventory::options::Options;
use crate::inventory::requests::FleetRequest;
use crate::inventory::resource::{AccountRegion, LaunchConfiguration, LaunchTemplate, Pin};

/// What is found of them in a scan.
#[derive(Debug, Default)]
pub struct Launches {
    templates: BTreeMap<(AccountRegion, String), Vec<LaunchTemplate>>,
    configurations: Vec<LaunchConfiguration>,
    requests: Vec<FleetRequest>,
}

/// Which launch sources are to be changed.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The default versions.
    pub templates: bool,
    /// The groups that pin a version.
    pub pinned: bool,
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

    /// Adds a fleet request.
    pub fn request(&mut self, it: &FleetRequest) {
        self.requests.push(it.clone());
    }

    /// The groups that launch from something that was found.
    pub fn groups(&self) -> impl Iterator<Item = (&AccountRegion, &String)> {
        let templates = self.templates.values().flatten().map(|it| (&it.place, &it.used_by));
        let configurations = self.configurations.iter().map(|it| (&it.place, &it.used_by));
        templates
            .chain(configurations)
            .flat_map(|(place, groups)| groups.iter().map(move |name| (place, name)))
    }

    /// Plans what is to be done about them; what is not asked for is named.
    #[must_use]
    pub fn plan(&self, rules: &Rules, scope: Scope, statuses: &UsageStatuses) -> Vec<Planned> {
        let mut planned = Vec::new();
        for versions in self.templates.values() {
            for version in versions {
                let new = rules.differing_of_launch(&version.options, &version.effective);
                if !new.is_empty() {
                    let asked = Asked { rules, statuses, version, versions, new };
                    if version.is_default && scope.templates {
                        planned.push(asked.default());
                    }
                    planned.extend(version.pinned_by.iter().map(|pin| asked.pin(pin, scope.pinned)));
                    planned.extend(asked.latest());
                    planned.extend(asked.fleets());
                }
            }
        }
        planned.extend(self.configurations.iter().filter_map(|it| configuration(rules, it)));
        planned.extend(self.requests.iter().filter_map(|it| request(rules, it)));
        planned
    }

    /// What the next launches of an account and Region would fail from, were launches refused there
    /// that allow IMDSv1, and these changes made before.
    ///
    /// Each comes with whether it is the account default that decides there.
    #[must_use]
    pub fn refused_launches(&self, place: &AccountRegion, changes: &[Change]) -> Vec<(bool, String)> {
        let here = changes.iter().filter(|change| change.place == *place);
        let fixed: Vec<&Target> = here
            .filter(|change| change.new.http_tokens == Some(HttpTokens::Required))
            .map(|change| &change.target)
            .collect();
        let mut refused = Vec::new();
        for version in self.templates.values().flatten() {
            if version.place != *place || !version.effective.allows_v1() {
                continue;
            }
            let is_fixed = |group: &Pin| {
                fixed.iter().any(|target| {
                    matches!(target, Target::AutoScalingGroup { id, template, version: of }
                        if *id == group.group && *template == version.id && *of == version.version)
                })
            };
            let default_fixed = fixed.iter().any(|target| {
                matches!(target, Target::LaunchTemplate { id, version: of } if *id == version.id && *of == version.version)
            });
            let pins = version.pinned_by.iter().filter(|pin| !is_fixed(pin)).map(|pin| pin.group.as_str());
            let pinned: Vec<&str> = pins.collect();
            let follows = version
                .used_by
                .iter()
                .map(String::as_str)
                .filter(|name| !default_fixed && !version.pinned_by.iter().any(|pin| pin.group == *name));
            let groups: Vec<&str> = pinned.into_iter().chain(follows).collect();
            // A request that names the version by its number does not follow the default.
            let fleets = version.fleets.iter().filter(|it| !default_fixed || it.is_pinned());
            let fleets: Vec<&str> = fleets.map(|it| it.request.as_str()).collect();
            if groups.is_empty() && fleets.is_empty() && (default_fixed || !version.is_default) {
                continue;
            }
            let text = named("launch template", &version.id, Some(version.version), &groups, &fleets);
            refused.push((by_default(&version.effective), text));
        }
        for it in self.configurations.iter().filter(|it| it.place == *place && it.effective.allows_v1()) {
            let groups: Vec<&str> = it.used_by.iter().map(String::as_str).collect();
            refused
                .push((by_default(&it.effective), named("launch configuration", &it.id, None, &groups, &[])));
        }
        for request in self.requests.iter().filter(|it| it.place == *place) {
            for source in request.sources.iter().filter(|source| source.is_own()) {
                let Some(effective) = source.effective.filter(Effective::allows_v1) else { continue };
                let text = format!("{} request `{}`: {}", request.service.name(), request.id, source.label());
                refused.push((by_default(&effective), text));
            }
        }
        refused
    }
}

/// Whether the launch source leaves tokens to the account default.
fn by_default(effective: &Effective) -> bool {
    effective.http_tokens.from != Origin::Launch
}

fn named(kind: &str, id: &str, version: Option<i64>, groups: &[&str], fleets: &[&str]) -> String {
    let version = version.map(|number| format!(" version {number}")).unwrap_or_default();
    let list = |what: &str, names: &[&str]| format!("{what} `{}`", names.join("`, `"));
    match (groups, fleets) {
        ([], []) => format!("{kind} `{id}`{version}"),
        (groups, []) => format!("{kind} `{id}`{version} ({})", list("groups", groups)),
        ([], fleets) => format!("{kind} `{id}`{version} ({})", list("fleet requests", fleets)),
        (groups, fleets) => {
            let (groups, fleets) = (list("groups", groups), list("fleet requests", fleets));
            format!("{kind} `{id}`{version} ({groups}, {fleets})")
        }
    }
}

/// A version that is not as wanted, among the others in use of its template.
struct Asked<'a> {
    rules: &'a Rules,
    statuses: &'a UsageStatuses,
    version: &'a LaunchTemplate,
    versions: &'a [LaunchTemplate],
    new: Options,
}

impl Asked<'_> {
    fn left_out(&self, id: &str, reason: String) -> Planned {
        left_out(&self.version.place, id, reason)
    }

    /// The change, unless what is launched so is not known to be ready for it.
    fn change(&self, target: Target, groups: &[String]) -> Planned {
        let place = &self.version.place;
        let turns_off = self.rules.wanted.http_tokens == Some(HttpTokens::Required)
            && self.new.http_tokens.is_some()
            && self.version.effective.allows_v1();
        let usage: Option<Readiness> =
            turns_off.then(|| self.statuses.of_source(place, Some(&self.version.id), groups));
        if let Some(reason) = usage.as_ref().and_then(|usage| self.rules.include.objection(usage)) {
            let mut left = self.left_out(target.id(), reason);
            if let Err(left) = &mut left {
                left.usage = usage;
            }
            return left;
        }
        Ok(Change {
            place: place.clone(),
            target,
            name: self.version.name.clone(),
            prior: self.version.options,
            new: self.new,
            http_tokens_enforced: None,
            usage,
            used_by: groups.to_vec(),
        })
    }

    /// Why no version may be made from this one: it would be `$Latest` at once, and so what other
    /// groups launch from, all that it sets besides included.
    fn objection(&self) -> Option<String> {
        let version = self.version;
        if let Some(operator) = &version.operator {
            return Some(format!("managed by {operator}: change it there"));
        }
        if let Some(reason) = self.rules.owner_objection(version.owner) {
            return Some(reason);
        }
        if version.users_unknown {
            return Some(
                "which groups launch from it could not be read, or which fleet requests: one that follows `$Latest` \
                 would launch from the new version"
                    .to_owned(),
            );
        }
        if let Some(reason) = self.rules.tags_objection(&self.new, version.instance_tags.iter()) {
            return Some(reason);
        }
        let (latest, followers) = self.versions.iter().find_map(|it| {
            let fleets = it.fleets.iter().filter(|it| it.version == "$Latest").map(|it| &it.request);
            let followers: Vec<&str> = it.latest_of.iter().chain(fleets).map(String::as_str).collect();
            (!followers.is_empty()).then_some((it, followers))
        })?;
        (latest.version != version.version).then(|| {
            format!(
                "a version made from version {} would become `$Latest`, which `{}` launches from, instead of version \
                 {}: make a version there that sets the options",
                version.version,
                followers.join("`, `"),
                latest.version
            )
        })
    }

    /// A new version, and the default moved to it.
    fn default(&self) -> Planned {
        let id = &self.version.id;
        let pinned = |group: &String| self.version.pinned_by.iter().any(|pin| pin.group == *group);
        let follows: Vec<String> = self.version.used_by.iter().filter(|it| !pinned(it)).cloned().collect();
        match self.objection() {
            Some(reason) => self.left_out(id, reason),
            None => {
                let target = Target::LaunchTemplate { id: id.clone(), version: self.version.version };
                self.change(target, &follows)
            }
        }
    }

    /// A group moved to a new version.
    fn pin(&self, pin: &Pin, told: bool) -> Planned {
        let (template, version) = (self.version.id.clone(), self.version.version);
        if let Some(reason) = self.rules.owner_objection(pin.owner) {
            return self.left_out(&pin.group, format!("pins version {version} of `{template}`; {reason}"));
        }
        if !told {
            let reason =
                format!("pins version {version} of `{template}`; `--pinned-groups` moves it to a new one");
            return self.left_out(&pin.group, reason);
        }
        match self.objection() {
            Some(reason) => self.left_out(&pin.group, reason),
            None => {
                let target = Target::AutoScalingGroup { id: pin.group.clone(), template, version };
                self.change(target, std::slice::from_ref(&pin.group))
            }
        }
    }

    /// A fleet request that names a version by its number goes on with it: it is not changed here.
    fn fleets(&self) -> Vec<Planned> {
        let (template, version) = (&self.version.id, self.version.version);
        let pinned = self.version.fleets.iter().filter(|it| it.is_pinned());
        pinned
            .map(|it| {
                let reason = format!(
                    "launches from version {version} of `{template}` by its number: make the request anew from a \
                     version that sets the options"
                );
                self.left_out(&it.request, reason)
            })
            .collect()
    }

    /// A group that follows `$Latest` gets the new default only where that is made from what it
    /// follows.
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

/// What a fleet request launches of its own is not changed here.
fn request(rules: &Rules, it: &FleetRequest) -> Option<Planned> {
    // It sets nothing: what it would get is all there is to compare.
    let differs =
        |effective: &Effective| !rules.differing_of_launch(&effective.options(), effective).is_empty();
    let mut own = it.sources.iter().filter(|source| source.is_own() && source.template.is_none());
    let source = own.find(|source| source.effective.as_ref().is_some_and(differs))?;
    let reason = format!(
        "{} request launches from a {}, which has no metadata options: make it anew from a launch template that sets \
         them, or set the account default",
        it.service.name(),
        source.label()
    );
    Some(left_out(&it.place, &it.id, reason))
}

/// A launch configuration is what it is: "You can't modify a launch configuration after you've
/// created it" (Auto Scaling User Guide).
fn configuration(rules: &Rules, it: &LaunchConfiguration) -> Option<Planned> {
    // It has no word for the other two.
    let wanted = Options { http_protocol_ipv6: None, instance_metadata_tags: None, ..rules.wanted };
    let rules = Rules { wanted, ..rules.clone() };
    if rules.differing_of_launch(&it.options, &it.effective).is_empty() {
        return None;
    }
    let users = match (it.used_by.as_slice(), it.users_unknown) {
        (_, true) => "which groups launch from it could not be read".to_owned(),
        ([], false) => "no group launches from it: delete it".to_owned(),
        (groups, false) => format!("have `{}` launch from a launch template instead", groups.join("`, `")),
    };
    let reason = match rules.owner_objection(it.owner) {
        Some(reason) => format!("a launch configuration cannot be changed; {reason}"),
        None => format!("a launch configuration cannot be changed; {users}"),
    };
    Some(left_out(&it.place, &it.id, reason))
}

/// What the options of a launch source are to become.
impl Rules {
    /// Those of the wanted options that a launch source has to set: a hop limit only where the next
    /// launch would get a lower one.
    #[must_use]
    pub fn differing_of_launch(&self, options: &Options, effective: &Effective) -> Options {
        let hops = effective.http_put_response_hop_limit.value;
        self.wanted_above(Some(hops)).differing_from(options)
    }
}
