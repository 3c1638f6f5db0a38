//! Reads what the instances of an account in a Region are launched from, and judges what the next
//! launch would get.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::Sender;

use super::Event;
use super::found::{Gone, noted, send};
use crate::aws::groups::{self, Groups, Launcher, LaunchesFrom, Launching};
use crate::aws::launch_sources::{Launched, Version};
use crate::aws::session::Member;
use crate::aws::{account, fleets, images, launch_sources, warm_pools};
use crate::inventory::effective::{Effective, Origin};
use crate::inventory::end_state::{Asked, EndState};
use crate::inventory::options::Options;
use crate::inventory::owner::Owner;
use crate::inventory::requests::{FleetRequest, WarmPool};
use crate::inventory::resource::{
    AccountDefaults, AccountRegion, Gap, Image, LaunchConfiguration, LaunchTemplate, Reason, Resource,
};
use crate::user_data;

/// Reads the launch sources and sends them.
///
/// # Errors
///
/// Returns an error if nobody listens any more.
pub(super) async fn read(
    member: &Member,
    place: &AccountRegion,
    (launched, user_data, asked): (&Launched, bool, &Asked),
    gaps: &mut Vec<Gap>,
    to: &Sender<Event>,
) -> Result<(), Gone> {
    let (caller, ec2) = (&member.caller, &member.ec2(&place.region));
    let scaling = member.auto_scaling(&place.region);
    let (defaults, defaults_known) = noted(account::defaults(ec2, caller, place).await.map(Some), gaps);
    let (groups, groups_known) = noted(groups::groups(&scaling, caller, place).await, gaps);
    let Groups { mut launching, warm } = groups;
    let (mut requests, fleets_known) = noted(fleets::ec2_fleets(ec2, caller, place).await, gaps);
    let (spot, spot_known) = noted(fleets::spot_fleets(ec2, caller, place).await, gaps);
    requests.extend(spot);
    launching.extend(requests.iter().flat_map(launches_of));
    let read = launch_sources::template_versions(ec2, caller, place, &launching, launched, gaps).await;
    let (mut versions, _) = noted(read, gaps);
    let owners = if versions.is_empty() {
        BTreeMap::new()
    } else {
        noted(launch_sources::template_owners(ec2, caller, place).await, gaps).0
    };
    let (configurations, _) = noted(launch_sources::configurations(&scaling, caller, place).await, gaps);
    let pools = warm_pools_of(member, place, &warm, gaps).await;
    for (version, _) in &mut versions {
        if !version.image_id.as_deref().is_some_and(|id| id.starts_with("resolve:")) {
            continue;
        }
        // Who may read the parameter is another question than who may read the template.
        let resolved =
            launch_sources::resolved_image(ec2, caller, place, (&version.id, version.number)).await;
        if let Ok(Some(image)) = resolved {
            version.image_id = Some(image);
        }
    }
    let named: BTreeSet<String> = versions
        .iter()
        .filter_map(|(version, _)| version.image_id.clone())
        .chain(configurations.iter().filter_map(|configuration| configuration.image_id.clone()))
        .chain(requests.iter().flat_map(|it| &it.sources).filter_map(|source| source.image_id.clone()))
        .filter(|id| id.starts_with("ami-"))
        .collect();
    let (images, images_known) = noted(images::images(ec2, caller, place, &named).await, gaps);
    let judge = Judge {
        defaults: defaults.as_ref().filter(|_| defaults_known),
        images: images.iter().map(|image| (image.id.as_str(), image)).collect(),
        images_known,
    };
    let enforced = defaults.as_ref().is_some_and(|defaults| defaults.http_tokens_enforced);
    let users_unknown = !groups_known || !fleets_known || !spot_known;

    for request in &mut requests {
        request.enforced = enforced;
        judge.request(request, &versions);
    }
    let mut found = Vec::new();
    for (version, users) in versions {
        let (effective, assumed) = judge.launch(&version.options, version.image_id.as_deref());
        let mut instance_tags = version.instance_tags;
        instance_tags.extend(users.instance_tags);
        instance_tags.sort();
        instance_tags.dedup();
        let linted = version.user_data.as_ref().filter(|_| user_data).map(user_data::lint);
        for reason in linted.iter().flat_map(|it| &it.not_checked) {
            gaps.push(Gap {
                call: "imds-lint".to_owned(),
                reason: Reason::Other,
                message: format!(
                    "user data of `{}` version {} not checked: {reason}",
                    version.id, version.number
                ),
            });
        }
        found.push(Resource::LaunchTemplate(Box::new(LaunchTemplate {
            place: place.clone(),
            owner: owners.get(&version.id).copied().or(users.owner),
            id: version.id,
            name: version.name,
            version: version.number,
            is_default: version.is_default,
            used_by: users.used_by,
            pinned_by: users.pinned_by,
            latest_of: users.latest_of,
            fleets: users.fleets,
            launched: users.launched,
            options: version.options,
            image_id: version.image_id,
            operator: version.operator,
            users_unknown,
            instance_tags,
            enforced,
            effective,
            assumed,
            user_data: linted,
        })));
    }
    for configuration in configurations {
        let (effective, assumed) = judge.launch(&configuration.options, configuration.image_id.as_deref());
        let users: Vec<&Launching> = launching
            .iter()
            .filter(|it| it.from == LaunchesFrom::Configuration(configuration.name.clone()))
            .collect();
        found.push(Resource::LaunchConfiguration(Box::new(LaunchConfiguration {
            place: place.clone(),
            id: configuration.name,
            used_by: users.iter().map(|it| it.group.clone()).collect(),
            options: configuration.options,
            image_id: configuration.image_id,
            owner: users.iter().find_map(|it| it.owner),
            users_unknown: !groups_known,
            enforced,
            effective,
            assumed,
        })));
    }
    found.extend(requests.into_iter().map(|it| Resource::FleetRequest(Box::new(it))));
    found.extend(pools.into_iter().map(|it| Resource::WarmPool(Box::new(it))));
    found.extend(defaults.map(|mut defaults| {
        if let Asked::Says(declared) = asked {
            defaults.declared.clone_from(declared);
        }
        let (enforced, by) = (defaults.http_tokens_enforced, defaults.managed_by.as_deref());
        defaults.end_state = EndState::of(&defaults.options, enforced, by, asked);
        Resource::AccountDefaults(Box::new(defaults))
    }));
    found.extend(images.into_iter().map(|image| Resource::Image(Box::new(image))));
    send(to, found).await
}

/// The templates that a request launches from, as a group's are.
fn launches_of(request: &FleetRequest) -> Vec<Launching> {
    let of = |template: &String, version: &String| Launching {
        launcher: Launcher::Fleet,
        group: request.id.clone(),
        from: LaunchesFrom::Template { template: template.clone(), version: version.clone() },
        owner: request.owner,
        instance_tags: Vec::new(),
    };
    let sources = request.sources.iter();
    sources.filter_map(|it| Some(of(it.template.as_ref()?, it.version.as_ref()?))).collect()
}

/// Reads the warm pools of these groups. A call that is denied once is denied to all of them.
async fn warm_pools_of(
    member: &Member,
    place: &AccountRegion,
    groups: &[(String, Option<Owner>)],
    gaps: &mut Vec<Gap>,
) -> Vec<WarmPool> {
    let (scaling, ec2) = (member.auto_scaling(&place.region), member.ec2(&place.region));
    let mut pools = Vec::new();
    for (group, owner) in groups {
        match warm_pools::warm_pool(&scaling, &ec2, &member.caller, place, (group, *owner)).await {
            Ok(pool) => pools.push(pool),
            Err(fault) => {
                let mut gap = fault.gap();
                gap.message = format!("warm pool of `{group}`: {}", gap.message);
                gaps.push(gap);
                if fault.reason == Reason::Denied {
                    break;
                }
            }
        }
    }
    pools
}

/// What decides a launch besides what the launch itself says.
struct Judge<'a> {
    /// The account defaults, where they could be read.
    defaults: Option<&'a AccountDefaults>,
    images: BTreeMap<&'a str, &'a Image>,
    images_known: bool,
}

impl Judge<'_> {
    /// What a launch would get, and what had to be assumed of it.
    fn launch(&self, launch: &Options, image_id: Option<&str>) -> (Effective, Vec<String>) {
        let image = image_id.and_then(|id| self.images.get(id));
        let requires_v2 = image.is_some_and(|image| image.imds_support.as_deref() == Some("v2.0"));
        let mut assumed = Vec::new();
        if self.defaults.is_none() {
            assumed.push("no account default: it could not be read".to_owned());
        }
        match image_id {
            None => assumed.push("an image without `ImdsSupport`: none is named".to_owned()),
            Some(id) if id.starts_with("resolve:") => {
                assumed.push(format!("an image without `ImdsSupport`: `{id}` could not be resolved"));
            }
            Some(id) if image.is_none() => {
                let why = if self.images_known { "is not found" } else { "could not be read" };
                assumed.push(format!("an image without `ImdsSupport`: `{id}` {why}"));
            }
            Some(_) => {}
        }
        let account = self.defaults.map_or(Options::NONE, |defaults| defaults.options);
        let effective = Effective::of(launch, &account, requires_v2);
        // What the launch or the account decides needs no assumption about what comes after it.
        let sure =
            |from: Origin| from == Origin::Launch || from == Origin::Account && self.defaults.is_some();
        if sure(effective.http_tokens.from) && sure(effective.http_put_response_hop_limit.from) {
            assumed.clear();
        }
        (effective, assumed)
    }

    /// What each launch of a fleet request would get.
    fn request(&self, request: &mut FleetRequest, versions: &[(Version, launch_sources::Users)]) {
        for source in &mut request.sources {
            let version = match (&source.template, &source.version) {
                (Some(template), Some(version)) => {
                    let found = versions.iter().find(|(it, users)| {
                        (it.id == *template || it.name.as_ref() == Some(template))
                            && users
                                .fleets
                                .iter()
                                .any(|it| it.request == request.id && it.version == *version)
                    });
                    // One that could not be read is a gap of the scan already.
                    let Some((version, _)) = found else { continue };
                    Some(version)
                }
                _ => None,
            };
            source.options = version.map_or(Options::NONE, |version| version.options);
            let image = source.image_id.as_deref().or(version.and_then(|it| it.image_id.as_deref()));
            let (effective, assumed) = self.launch(&source.options, image);
            (source.effective, source.assumed) = (Some(effective), assumed);
        }
    }
}
