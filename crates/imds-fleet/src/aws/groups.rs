//! Auto Scaling groups: what each launches from, and the one change that is made to them, another
//! template version.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types as scaling;

use super::call::Caller;
use super::limit::Api;
use crate::fault::Fault;
use crate::inventory::owner::Owner;
use crate::inventory::resource::AccountRegion;

/// What a group launches from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaunchesFrom {
    /// A version of a launch template: id or name, and `$Default`, `$Latest` or a number.
    Template {
        /// `lt-...`, or the name where only that is given.
        template: String,
        /// `$Default`, `$Latest` or a number.
        version: String,
    },
    /// A launch configuration.
    Configuration(String),
}

/// What launches: an Auto Scaling group, or a request that is not of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launcher {
    /// An Auto Scaling group.
    Group,
    /// An EC2 Fleet or Spot Fleet request.
    Fleet,
}

/// A group or request, and one of the things it launches from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launching {
    /// What it is.
    pub launcher: Launcher,
    /// The name of the group, the id of the request.
    pub group: String,
    /// What it launches from.
    pub from: LaunchesFrom,
    /// Whose group it is, by its tags or name: it would set back what is changed.
    pub owner: Option<Owner>,
    /// The keys of the tags that it gives to its instances.
    pub instance_tags: Vec<String>,
}

/// What every Auto Scaling group launches from, and the groups that have a warm pool.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    /// What each launches from.
    pub launching: Vec<Launching>,
    /// Those that have a warm pool, and who owns each.
    pub warm: Vec<(String, Option<Owner>)>,
}

/// Reads what every Auto Scaling group launches from.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn groups(
    client: &aws_sdk_autoscaling::Client,
    caller: &Caller,
    place: &AccountRegion,
) -> Result<Groups, Fault> {
    let (mut groups, mut warm) = (Vec::new(), Vec::new());
    let mut token = None;
    loop {
        let request = client
            .describe_auto_scaling_groups()
            .max_records(100)
            .include_instances(false)
            .set_next_token(token);
        let answer = caller.call(place, Api::DescribeAutoScalingGroups, || request.clone().send()).await?;
        for group in answer.auto_scaling_groups() {
            let Some(name) = group.auto_scaling_group_name() else { continue };
            let tags =
                group.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
            let owner = Owner::of_tags(tags).or_else(|| Owner::of_name(name));
            let given = group.tags().iter().filter(|tag| tag.propagate_at_launch() == Some(true));
            let instance_tags: Vec<String> = given.filter_map(|tag| tag.key().map(str::to_owned)).collect();
            if group.warm_pool_configuration().is_some() {
                warm.push((name.to_owned(), owner));
            }
            groups.extend(sources(group).into_iter().map(|from| Launching {
                launcher: Launcher::Group,
                group: name.to_owned(),
                from,
                owner,
                instance_tags: instance_tags.clone(),
            }));
        }
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(Groups { launching: groups, warm });
        }
    }
}

/// A group names its template directly, in its mixed instances policy, or in that policy's
/// overrides.
fn sources(group: &scaling::AutoScalingGroup) -> BTreeSet<LaunchesFrom> {
    let mut specifications = Vec::new();
    specifications.extend(group.launch_template());
    if let Some(mixed) =
        group.mixed_instances_policy().and_then(scaling::MixedInstancesPolicy::launch_template)
    {
        specifications.extend(mixed.launch_template_specification());
        specifications.extend(
            mixed
                .overrides()
                .iter()
                .filter_map(scaling::LaunchTemplateOverrides::launch_template_specification),
        );
    }
    let mut sources: BTreeSet<LaunchesFrom> = specifications
        .into_iter()
        .filter_map(|specification| {
            let template = specification.launch_template_id().or(specification.launch_template_name())?;
            // "If you do not specify a version, the default version is used"
            // (`LaunchTemplateSpecification`).
            let version = specification.version().unwrap_or("$Default");
            Some(LaunchesFrom::Template { template: template.to_owned(), version: version.to_owned() })
        })
        .collect();
    if let Some(name) = group.launch_configuration_name() {
        sources.insert(LaunchesFrom::Configuration(name.to_owned()));
    }
    sources
}

/// Reads one group; none when it is gone.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn group(
    client: &aws_sdk_autoscaling::Client,
    caller: &Caller,
    place: &AccountRegion,
    name: &str,
) -> Result<Option<scaling::AutoScalingGroup>, Fault> {
    let request =
        client.describe_auto_scaling_groups().auto_scaling_group_names(name).include_instances(false);
    let answer = caller.call(place, Api::DescribeAutoScalingGroups, || request.clone().send()).await?;
    Ok(answer.auto_scaling_groups.and_then(|groups| groups.into_iter().next()))
}

/// Whether a group launches from this version of this template, named by its number.
#[must_use]
pub fn pins(group: &scaling::AutoScalingGroup, template: &str, version: i64) -> bool {
    let wanted = LaunchesFrom::Template { template: template.to_owned(), version: version.to_string() };
    sources(group).contains(&wanted)
}

/// Has a group launch from version `to` of a template wherever it names version `from`. The rest of
/// a mixed instances policy is sent as it was read, so that nothing of it is lost.
///
/// # Errors
///
/// Returns the fault of the call.
pub async fn move_pins(
    client: &aws_sdk_autoscaling::Client,
    caller: &Caller,
    place: &AccountRegion,
    group: &scaling::AutoScalingGroup,
    template: &str,
    (from, to): (i64, i64),
) -> Result<(), Fault> {
    let moved = |specification: &scaling::LaunchTemplateSpecification| {
        let mut moved = specification.clone();
        if moved.launch_template_id.is_some() {
            // The answer holds both, and only one of them may be sent.
            moved.launch_template_name = None;
        }
        let is_it = moved.launch_template_id().or(moved.launch_template_name()) == Some(template);
        if is_it && moved.version() == Some(from.to_string().as_str()) {
            moved.version = Some(to.to_string());
        }
        moved
    };
    let mixed = group.mixed_instances_policy().map(|policy| {
        let mut policy = policy.clone();
        if let Some(launch_template) = &mut policy.launch_template {
            let specification = launch_template.launch_template_specification.as_ref().map(moved);
            launch_template.launch_template_specification = specification;
            for own in launch_template.overrides.iter_mut().flatten() {
                own.launch_template_specification = own.launch_template_specification.as_ref().map(moved);
            }
        }
        policy
    });
    let request = client
        .update_auto_scaling_group()
        .set_auto_scaling_group_name(group.auto_scaling_group_name().map(str::to_owned))
        .set_launch_template(group.launch_template().filter(|_| mixed.is_none()).map(moved))
        .set_mixed_instances_policy(mixed);
    caller.call(place, Api::UpdateAutoScalingGroup, || request.clone().send()).await.map(|_| ())
}
