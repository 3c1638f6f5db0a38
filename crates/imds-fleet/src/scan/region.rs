//! Scans one account in one Region: page after page, each failed call a gap and no more than that.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::Sender;

use super::{Event, Wanted};
use crate::aws::groups::{self, LaunchesFrom};
use crate::aws::instances::{self, Selection};
use crate::aws::session::Member;
use crate::aws::{account, images, launch_sources};
use crate::fault::Fault;
use crate::inventory::effective::{Effective, Origin};
use crate::inventory::options::{Options, Posture};
use crate::inventory::resource::{
    AccountRegion, Gap, Image, LaunchConfiguration, LaunchTemplate, Resource, Scan,
};

/// Scans the place and sends what it finds; the last event is the scan's own record.
///
/// # Errors
///
/// Returns an error if nobody listens any more.
pub async fn scan(
    member: &Member,
    place: &AccountRegion,
    wanted: &Wanted,
    selection: &Selection,
    to: &Sender<Event>,
) -> Result<(), Gone> {
    let mut scan = Scan { place: place.clone(), instances: 0, gaps: Vec::new() };
    let ec2 = member.ec2(&place.region);
    let caller = &member.caller;

    if wanted.instances {
        let mut token = None;
        loop {
            match instances::page(&ec2, caller, place, selection, token).await {
                Ok(page) => {
                    let found: Vec<Resource> = page
                        .instances
                        .into_iter()
                        .filter(|it| !selection.v1_only || it.posture == Posture::V1Allowed)
                        .map(|it| Resource::Instance(Box::new(it)))
                        .collect();
                    scan.instances += found.len() as u64;
                    send(to, found).await?;
                    token = page.next;
                    if token.is_none() {
                        break;
                    }
                }
                Err(fault) => {
                    scan.gaps.push(fault.gap());
                    break;
                }
            }
        }
    }
    // A Region that is refused as a whole is refused six times over: once is enough.
    let refused = scan.gaps.iter().any(|gap| !worth_going_on(gap));
    if wanted.launch_sources && !refused {
        launch_sources_of(member, &ec2, place, &mut scan.gaps, to).await?;
    }
    caller.forget(place);
    to.send(Event::Scanned(scan)).await.map_err(|_closed| Gone)
}

/// Nobody listens any more.
#[derive(Debug)]
pub struct Gone;

async fn send(to: &Sender<Event>, found: Vec<Resource>) -> Result<(), Gone> {
    if found.is_empty() {
        return Ok(());
    }
    to.send(Event::Found(found)).await.map_err(|_closed| Gone)
}

fn worth_going_on(gap: &Gap) -> bool {
    use crate::inventory::resource::Reason;
    !matches!(gap.reason, Reason::Expired | Reason::OptedOut | Reason::Unreachable)
}

/// The answer, or a gap in its place.
fn noted<T: Default>(result: Result<T, Fault>, gaps: &mut Vec<Gap>) -> (T, bool) {
    match result {
        Ok(value) => (value, true),
        Err(fault) => {
            gaps.push(fault.gap());
            (T::default(), false)
        }
    }
}

async fn launch_sources_of(
    member: &Member,
    ec2: &aws_sdk_ec2::Client,
    place: &AccountRegion,
    gaps: &mut Vec<Gap>,
    to: &Sender<Event>,
) -> Result<(), Gone> {
    let caller = &member.caller;
    let scaling = member.auto_scaling(&place.region);
    let (defaults, defaults_known) = noted(account::defaults(ec2, caller, place).await.map(Some), gaps);
    let (groups, groups_known) = noted(groups::groups(&scaling, caller, place).await, gaps);
    let read = launch_sources::template_versions(ec2, caller, place, &groups, gaps).await;
    let (versions, _) = noted(read, gaps);
    let owners = if versions.is_empty() {
        BTreeMap::new()
    } else {
        noted(launch_sources::template_owners(ec2, caller, place).await, gaps).0
    };
    let (configurations, _) = noted(launch_sources::configurations(&scaling, caller, place).await, gaps);
    let mut versions = versions;
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
        .filter(|id| id.starts_with("ami-"))
        .collect();
    let (images, images_known) = noted(images::images(ec2, caller, place, &named).await, gaps);

    let account = defaults.as_ref().map_or(Options::NONE, |defaults| defaults.options);
    let enforced = defaults.as_ref().is_some_and(|defaults| defaults.http_tokens_enforced);
    let by_id: BTreeMap<&str, &Image> = images.iter().map(|image| (image.id.as_str(), image)).collect();
    let judge = |launch: &Options, image_id: Option<&str>| {
        let image = image_id.and_then(|id| by_id.get(id));
        let requires_v2 = image.is_some_and(|image| image.imds_support.as_deref() == Some("v2.0"));
        let mut assumed = Vec::new();
        if !defaults_known {
            assumed.push("no account default: it could not be read".to_owned());
        }
        match image_id {
            None => assumed.push("an image without `ImdsSupport`: none is named".to_owned()),
            Some(id) if id.starts_with("resolve:") => {
                assumed.push(format!("an image without `ImdsSupport`: `{id}` could not be resolved"));
            }
            Some(id) if image.is_none() => {
                let why = if images_known { "is not found" } else { "could not be read" };
                assumed.push(format!("an image without `ImdsSupport`: `{id}` {why}"));
            }
            Some(_) => {}
        }
        let effective = Effective::of(launch, &account, requires_v2);
        // What the launch or the account decides needs no assumption about what comes after it.
        let sure = |from: Origin| from == Origin::Launch || from == Origin::Account && defaults_known;
        if sure(effective.http_tokens.from) && sure(effective.http_put_response_hop_limit.from) {
            assumed.clear();
        }
        (effective, assumed)
    };

    let mut found = Vec::new();
    for (version, users) in versions {
        let (effective, assumed) = judge(&version.options, version.image_id.as_deref());
        let mut instance_tags = version.instance_tags;
        instance_tags.extend(users.instance_tags);
        instance_tags.sort();
        instance_tags.dedup();
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
            options: version.options,
            image_id: version.image_id,
            operator: version.operator,
            users_unknown: !groups_known,
            instance_tags,
            enforced,
            effective,
            assumed,
        })));
    }
    for configuration in configurations {
        let (effective, assumed) = judge(&configuration.options, configuration.image_id.as_deref());
        let users: Vec<&groups::Launching> = groups
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
    found.extend(defaults.map(|defaults| Resource::AccountDefaults(Box::new(defaults))));
    found.extend(images.into_iter().map(|image| Resource::Image(Box::new(image))));
    send(to, found).await
}
