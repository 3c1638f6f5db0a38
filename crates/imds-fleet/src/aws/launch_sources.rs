//! Reads what future instances are launched from: the launch template versions that are used,
//! launch configurations.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as ec2;
use imds_model::options::{HttpTokens, Switch};

use super::call::Caller;
use super::groups::{Launcher, LaunchesFrom, Launching};
use super::instances::hop_limit;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::options::Options;
use crate::inventory::owner::Owner;
use crate::inventory::requests::FleetUse;
use crate::inventory::resource::{AccountRegion, Gap, Pin};
use crate::user_data::Encoded;

/// A version of a launch template, as read.
#[derive(Clone, Debug)]
pub struct Version {
    /// `lt-...`
    pub id: String,
    /// The template's name.
    pub name: Option<String>,
    /// The version.
    pub number: i64,
    /// Whether it is the default.
    pub is_default: bool,
    /// What it sets.
    pub options: Options,
    /// The image, if it names one.
    pub image_id: Option<String>,
    /// The service that manages the template.
    pub operator: Option<String>,
    /// The keys of the tags that it gives to instances.
    pub instance_tags: Vec<String>,
    /// What anyone who made it says of it.
    pub description: Option<String>,
    /// Its user data.
    pub user_data: Option<Encoded>,
}

/// The groups that launch from a version.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// All of them.
    pub used_by: Vec<String>,
    /// Those that name it by its number.
    pub pinned_by: Vec<Pin>,
    /// Those that name it as `$Latest`.
    pub latest_of: Vec<String>,
    /// The fleet requests that launch from it.
    pub fleets: Vec<FleetUse>,
    /// How many instances carry it in their tags, besides those of groups.
    pub launched: u64,
    /// Who owns one of them.
    pub owner: Option<Owner>,
    /// The keys of the tags that they give to instances.
    pub instance_tags: Vec<String>,
}

/// How many instances carry each template version in their tags, and who owns one of them.
pub type Launched = BTreeMap<(String, i64), (u64, Option<Owner>)>;

/// Reads the default version of every template, and the versions besides that groups and fleet
/// requests use, or that instances were launched from.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn template_versions(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    groups: &[Launching],
    launched: &Launched,
    gaps: &mut Vec<Gap>,
) -> Result<Vec<(Version, Users)>, Fault> {
    let mut found: BTreeMap<(String, i64), (Version, Users)> = BTreeMap::new();
    // All templates at once when none is named (API reference, `DescribeLaunchTemplateVersions`).
    for version in versions(client, caller, place, None, &["$Default".to_owned()]).await? {
        found.insert((version.id.clone(), version.number), (version, Users::default()));
    }
    let mut wanted: BTreeMap<&str, BTreeMap<&str, Vec<&Launching>>> = BTreeMap::new();
    for group in groups {
        if let LaunchesFrom::Template { template, version } = &group.from {
            wanted.entry(template).or_default().entry(version).or_default().push(group);
        }
    }
    for (template, by_version) in wanted {
        for (version, groups) in by_version {
            let known = found.iter().find(|(_, (known, _))| {
                (known.id == template || known.name.as_deref() == Some(template))
                    && (version == "$Default" && known.is_default || version == known.number.to_string())
            });
            let key = match known {
                Some((key, _)) => key.clone(),
                None => {
                    let read = versions(client, caller, place, Some(template), &[version.to_owned()]).await;
                    // One template that is gone, or may not be read, hides no other.
                    let read = match read {
                        Ok(read) => read,
                        Err(fault) => {
                            let mut gap = fault.gap();
                            gap.message = format!("`{template}` version {version}: {}", gap.message);
                            gaps.push(gap);
                            continue;
                        }
                    };
                    let Some(read) = read.into_iter().next() else { continue };
                    let key = (read.id.clone(), read.number);
                    found.entry(key.clone()).or_insert((read, Users::default()));
                    key
                }
            };
            let Some((_, users)) = found.get_mut(&key) else { continue };
            for group in groups {
                if group.launcher == Launcher::Fleet {
                    users.fleets.push(FleetUse { request: group.group.clone(), version: version.to_owned() });
                    continue;
                }
                users.used_by.push(group.group.clone());
                match version {
                    "$Default" => {}
                    "$Latest" => users.latest_of.push(group.group.clone()),
                    _ => users.pinned_by.push(Pin { group: group.group.clone(), owner: group.owner }),
                }
                // A group that names a number is not touched by a change of the template itself.
                if version.starts_with('$') {
                    users.owner = users.owner.or(group.owner);
                }
                users.instance_tags.extend(group.instance_tags.iter().cloned());
            }
            users.used_by.sort();
            users.used_by.dedup();
            users.fleets.sort();
            users.fleets.dedup();
            users.pinned_by.sort_by(|a, b| a.group.cmp(&b.group));
        }
    }
    launched_versions(client, caller, place, launched, &mut found, gaps).await;
    Ok(found.into_values().collect())
}

/// Adds the versions that instances were launched from. A template or version that is deleted
/// launches nothing any more.
async fn launched_versions(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    launched: &Launched,
    found: &mut BTreeMap<(String, i64), (Version, Users)>,
    gaps: &mut Vec<Gap>,
) {
    let mut missing: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (id, number) in launched.keys().filter(|key| !found.contains_key(*key)) {
        let (least, most) = missing.entry(id).or_insert((*number, *number));
        (*least, *most) = ((*least).min(*number), (*most).max(*number));
    }
    for (id, (least, most)) in missing {
        // By range: a list fails as a whole when one of its versions is gone.
        match between(client, caller, place, id, (least, most)).await {
            Ok(read) => found.extend(read.into_iter().filter_map(|version| {
                let key = (version.id.clone(), version.number);
                launched.contains_key(&key).then(|| (key, (version, Users::default())))
            })),
            Err(fault) if fault.says_gone() => {}
            Err(fault) => {
                let mut gap = fault.gap();
                gap.message = format!("`{id}` versions {least} to {most}: {}", gap.message);
                gaps.push(gap);
            }
        }
    }
    for (key, (version, users)) in found {
        let Some((count, owner)) = launched.get(key) else { continue };
        users.launched = *count;
        // The default version is also everyone else's.
        if !version.is_default {
            users.owner = users.owner.or(*owner);
        }
    }
}

async fn between(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    id: &str,
    (least, most): (i64, i64),
) -> Result<Vec<Version>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = client
            .describe_launch_template_versions()
            .launch_template_id(id)
            .min_version(least.to_string())
            .max_version(most.to_string())
            .max_results(200)
            .set_next_token(token);
        let answer =
            caller.call(place, Api::DescribeLaunchTemplateVersions, || request.clone().send()).await?;
        found.extend(answer.launch_template_versions().iter().filter_map(read_version));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Reads versions of one template, or of all.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn versions(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    template: Option<&str>,
    wanted: &[String],
) -> Result<Vec<Version>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let mut request = client
            .describe_launch_template_versions()
            .set_versions(Some(wanted.to_vec()))
            .max_results(200)
            .set_next_token(token);
        match template {
            Some(id) if id.starts_with("lt-") => request = request.launch_template_id(id),
            Some(name) => request = request.launch_template_name(name),
            None => request = request.include_managed_resources(true),
        }
        let answer =
            caller.call(place, Api::DescribeLaunchTemplateVersions, || request.clone().send()).await?;
        found.extend(answer.launch_template_versions().iter().filter_map(read_version));
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Reads the versions of a template from `least` on: the first that is described so.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn described(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    id: &str,
    least: i64,
    description: &str,
) -> Result<Option<Version>, Fault> {
    let mut token = None;
    loop {
        let request = client
            .describe_launch_template_versions()
            .launch_template_id(id)
            .min_version(least.to_string())
            .max_results(200)
            .set_next_token(token);
        let answer =
            caller.call(place, Api::DescribeLaunchTemplateVersions, || request.clone().send()).await?;
        let mut versions = answer.launch_template_versions().iter().filter_map(read_version);
        if let Some(version) = versions.find(|it| it.description.as_deref() == Some(description)) {
            return Ok(Some(version));
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(None);
        }
    }
}

/// A version as the API tells it.
#[must_use]
pub fn read_version(from: &ec2::LaunchTemplateVersion) -> Option<Version> {
    let data = from.launch_template_data();
    let options =
        data.and_then(ec2::ResponseLaunchTemplateData::metadata_options).map_or(Options::NONE, |from| {
            Options {
                http_tokens: from.http_tokens().and_then(|value| HttpTokens::parse(value.as_str())),
                http_endpoint: from.http_endpoint().and_then(|value| Switch::parse(value.as_str())),
                http_put_response_hop_limit: hop_limit(from.http_put_response_hop_limit()),
                http_protocol_ipv6: from.http_protocol_ipv6().and_then(|value| Switch::parse(value.as_str())),
                instance_metadata_tags: from
                    .instance_metadata_tags()
                    .and_then(|value| Switch::parse(value.as_str())),
            }
        });
    Some(Version {
        id: from.launch_template_id()?.to_owned(),
        name: from.launch_template_name().map(str::to_owned),
        number: from.version_number()?,
        is_default: from.default_version() == Some(true),
        options,
        image_id: data.and_then(ec2::ResponseLaunchTemplateData::image_id).map(str::to_owned),
        instance_tags: data.map(instance_tags).unwrap_or_default(),
        operator: from
            .operator()
            .filter(|operator| operator.managed() == Some(true))
            .map(|operator| operator.principal().unwrap_or("unnamed").to_owned()),
        description: from.version_description().map(str::to_owned),
        user_data: data
            .and_then(ec2::ResponseLaunchTemplateData::user_data)
            .filter(|text| !text.is_empty())
            .map(|text| Encoded(text.to_owned())),
    })
}

fn instance_tags(data: &ec2::ResponseLaunchTemplateData) -> Vec<String> {
    let of_instances = data
        .tag_specifications()
        .iter()
        .filter(|it| it.resource_type() == Some(&ec2::ResourceType::Instance))
        .flat_map(ec2::LaunchTemplateTagSpecification::tags);
    of_instances.filter_map(|tag| tag.key().map(str::to_owned)).collect()
}

/// Reads which image a version names by a parameter of Systems Manager (`resolve:ssm:...`): EC2
/// resolves it for a caller who may read the parameter.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn resolved_image(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
    (id, version): (&str, i64),
) -> Result<Option<String>, Fault> {
    let request = client
        .describe_launch_template_versions()
        .launch_template_id(id)
        .versions(version.to_string())
        .resolve_alias(true);
    let answer = caller.call(place, Api::DescribeLaunchTemplateVersions, || request.clone().send()).await?;
    let image = answer.launch_template_versions().first().and_then(read_version).and_then(|it| it.image_id);
    Ok(image.filter(|id| id.starts_with("ami-")))
}

/// Reads who owns each launch template, by its tags or name; the versions do not say.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn template_owners(
    client: &aws_sdk_ec2::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<BTreeMap<String, Owner>, Fault> {
    let mut owners = BTreeMap::new();
    let mut token = None;
    loop {
        let request = client.describe_launch_templates().max_results(200).set_next_token(token);
        let answer = caller.call(place, Api::DescribeLaunchTemplates, || request.clone().send()).await?;
        for template in answer.launch_templates() {
            let Some(id) = template.launch_template_id() else { continue };
            let tags = template.tags().iter();
            let tags = tags.filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
            let by_name = template.launch_template_name().and_then(Owner::of_name);
            if let Some(owner) = Owner::of_tags(tags).or(by_name) {
                owners.insert(id.to_owned(), owner);
            }
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(owners);
        }
    }
}

/// A launch configuration, as read.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Its name.
    pub name: String,
    /// What it sets; it has no word for the IPv6 endpoint and for tags.
    pub options: Options,
    /// The image.
    pub image_id: Option<String>,
}

/// Reads all launch configurations.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn configurations(
    client: &aws_sdk_autoscaling::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Vec<Configuration>, Fault> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = client.describe_launch_configurations().max_records(100).set_next_token(token);
        let answer = caller.call(place, Api::DescribeLaunchConfigurations, || request.clone().send()).await?;
        for from in answer.launch_configurations() {
            let Some(name) = from.launch_configuration_name() else { continue };
            let options = from.metadata_options().map_or(Options::NONE, |from| Options {
                http_tokens: from.http_tokens().and_then(|value| HttpTokens::parse(value.as_str())),
                http_endpoint: from.http_endpoint().and_then(|value| Switch::parse(value.as_str())),
                http_put_response_hop_limit: hop_limit(from.http_put_response_hop_limit()),
                ..Options::NONE
            });
            let image_id = from.image_id().filter(|id| !id.is_empty()).map(str::to_owned);
            found.push(Configuration { name: name.to_owned(), options, image_id });
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}
