//! The launch template version that a plan makes: made once, found again by its description, used,
//! and deleted when the plan is undone.

use std::collections::BTreeSet;

use super::plan::{Change, Target};
use super::target::{Current, DriftState, Targets};
use crate::aws::groups::{self, LaunchesFrom};
use crate::aws::launch_sources::{self, Version};
use crate::aws::limit::Api;
use crate::aws::modify::{self, Mode};
use crate::aws::session::Member;
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Reason};

impl Targets {
    /// What the version bears that this plan makes from version `from`. A client token is not
    /// enough to know it by: how long EC2 remembers one is documented nowhere.
    fn description(&self, from: i64) -> String {
        format!("metadata options of version {from} changed by imds-fleet, plan {}", self.plan)
    }

    /// The version that this plan has made from version `from`, if it has.
    async fn made(
        &self,
        member: &Member,
        place: &AccountRegion,
        template: &str,
        from: i64,
    ) -> Result<Option<Version>, Fault> {
        let ec2 = member.ec2(&place.region);
        launch_sources::described(&ec2, &member.caller, place, template, from, &self.description(from)).await
    }

    /// How a template is now.
    pub(super) async fn current_template(
        &self,
        member: &Member,
        place: &AccountRegion,
        id: &str,
        version: i64,
    ) -> Result<Option<Current>, Fault> {
        let ec2 = member.ec2(&place.region);
        let wanted = ["$Default".to_owned()];
        let found = match launch_sources::versions(&ec2, &member.caller, place, Some(id), &wanted).await {
            Ok(found) => found,
            Err(fault) if fault.says_gone() => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let Some(default) = found.into_iter().next() else { return Ok(None) };
        let has_made = self.made(member, place, id, version).await?.is_some();
        Ok(Some(Current { version: Some(default.number), has_made, ..Current::of(default.options) }))
    }

    /// How a group that pins `version` of `template` is now.
    pub(super) async fn current_group(
        &self,
        member: &Member,
        change: &Change,
        id: &str,
        (template, version): (&str, i64),
    ) -> Result<Option<Current>, Fault> {
        let place = &change.place;
        let scaling = member.auto_scaling(&place.region);
        let Some(group) = groups::group(&scaling, &member.caller, place, id).await? else { return Ok(None) };
        let made = self.made(member, place, template, version).await?;
        let has_made = made.is_some();
        let pin = if groups::pins(&group, template, version) {
            DriftState::Prior
        } else if made.is_some_and(|made| groups::pins(&group, template, made.number)) {
            DriftState::New
        } else {
            DriftState::Other
        };
        Ok(Some(Current { pin: Some(pin), has_made, ..Current::of(change.prior) }))
    }

    /// Why versions may not be made in this account and Region as planned: a group has come to
    /// follow `$Latest` since, and would launch from a version that was not made from what it
    /// launches from now.
    ///
    /// # Errors
    ///
    /// Returns the fault of the call: which groups there are must be known.
    pub(super) async fn launch_objections(
        &self,
        place: &AccountRegion,
        open: &[&Change],
    ) -> Result<Vec<String>, Fault> {
        let sources: Vec<(&str, i64)> = open
            .iter()
            .filter_map(|change| match &change.target {
                Target::LaunchTemplate { id, version } => Some((id.as_str(), *version)),
                Target::AutoScalingGroup { template, version, .. } => Some((template.as_str(), *version)),
                Target::Instance { .. } | Target::AccountDefaults => None,
            })
            .collect();
        let mut objections = Vec::new();
        if sources.is_empty() {
            return Ok(objections);
        }
        let member = self.clients.member(&place.account).await?;
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        let groups = groups::groups(&member.auto_scaling(&place.region), caller, place).await?;
        let templates: BTreeSet<&str> = sources.iter().map(|(id, _)| *id).collect();
        for id in templates {
            let follows = |from: &LaunchesFrom| matches!(from, LaunchesFrom::Template { template, version } if template == id && version == "$Latest");
            let Some(group) = groups.launching.iter().find(|group| follows(&group.from)) else { continue };
            let wanted = ["$Latest".to_owned()];
            let latest = launch_sources::versions(&ec2, caller, place, Some(id), &wanted).await?;
            let Some(latest) = latest.first() else { continue };
            for (_, from) in sources.iter().filter(|(of, _)| *of == id) {
                let made = latest.description.as_deref() == Some(&self.description(*from));
                if latest.number != *from && !made {
                    objections.push(format!(
                        "`{}` in {place} has come to launch from `$Latest` of `{id}`, which is version {}: a version \
                         made from version {from} would replace it",
                        group.group, latest.number
                    ));
                }
            }
        }
        Ok(objections)
    }

    /// Makes the new version unless it is there, and gives its number; for a dry run, that of the
    /// source.
    pub(super) async fn make_version(
        &self,
        member: &Member,
        change: &Change,
        (template, from): (&str, i64),
        mode: Mode,
    ) -> Result<i64, Fault> {
        let place = &change.place;
        if mode == Mode::Real
            && let Some(made) = self.made(member, place, template, from).await?
        {
            return Ok(made.number);
        }
        let (ec2, options) = (member.ec2(&place.region), change.prior.overlaid(&change.new));
        // The same for every change that needs this version, so that EC2 makes it once only.
        let token = format!("{}-{template}-{from}", self.plan);
        let words = (token.as_str(), self.description(from));
        let made = modify::new_version(
            &ec2,
            &member.caller,
            place,
            (template, from),
            &options,
            (words.0, &words.1),
            mode,
        );
        Ok(made.await?.map_or(from, |made| made.number))
    }

    /// Has a group launch from version `to` where it pins version `from`.
    pub(super) async fn move_group(
        &self,
        member: &Member,
        place: &AccountRegion,
        id: &str,
        template: &str,
        (from, to): (i64, i64),
    ) -> Result<(), Fault> {
        let _one_at_a_time = self.group.lock().await;
        let (scaling, caller) = (member.auto_scaling(&place.region), &member.caller);
        let Some(group) = groups::group(&scaling, caller, place, id).await? else {
            return Err(Fault::new(Api::UpdateAutoScalingGroup.name(), Reason::Other, "the group is gone"));
        };
        if !groups::pins(&group, template, from) {
            return Ok(());
        }
        groups::move_pins(&scaling, caller, place, &group, template, (from, to)).await
    }

    /// Has a group launch from what it pinned before.
    pub(super) async fn move_group_back(
        &self,
        member: &Member,
        place: &AccountRegion,
        id: &str,
        template: &str,
        version: i64,
    ) -> Result<(), Fault> {
        match self.made(member, place, template, version).await? {
            Some(made) => self.move_group(member, place, id, template, (made.number, version)).await,
            None => Ok(()),
        }
    }

    /// Deletes the version that this plan has made from version `from`, once nothing uses it any
    /// more: left behind, it would be `$Latest`, and anyone who names it so would launch from it.
    pub(super) async fn delete_made(
        &self,
        member: &Member,
        place: &AccountRegion,
        template: &str,
        from: i64,
    ) -> Result<(), Fault> {
        let (ec2, caller) = (member.ec2(&place.region), &member.caller);
        let Some(made) = self.made(member, place, template, from).await? else { return Ok(()) };
        if made.is_default {
            return Ok(());
        }
        let groups = groups::groups(&member.auto_scaling(&place.region), caller, place).await?;
        let pinned =
            LaunchesFrom::Template { template: template.to_owned(), version: made.number.to_string() };
        if groups.launching.iter().any(|group| group.from == pinned) {
            return Ok(());
        }
        modify::delete_version(&ec2, caller, place, template, made.number).await
    }
}
