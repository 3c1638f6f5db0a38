//! The launch template version that a plan makes: made once, found again by its description, used, and deleted when the
//! plan is undone.

use super::plan::Change;
use super::target::{Current, DriftState, Targets};
use crate::aws::fault::Fault;
use crate::aws::groups;
use crate::aws::launch_sources::{self, Version};
use crate::aws::limit::Api;
use crate::aws::modify::{self, Mode};
use crate::aws::session::Member;
use crate::inventory::resource::{AccountRegion, Reason};

impl Targets {
    /// What the version bears that this plan makes from version `from`. A client token is not enough to know it by: how
    /// long EC2 remembers one is documented nowhere.
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
        let found = launch_sources::versions(&ec2, &member.caller, place, Some(id), &wanted).await?;
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

    /// Makes the new version unless it is there, and gives its number; for a dry run, that of the source.
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

    /// Deletes the version that this plan has made from version `from`, once nothing uses it any more: left behind, it
    /// would be `$Latest`, and whoever names it so would launch from it.
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
        let pinned = groups::LaunchesFrom::Template {
            template: template.to_owned(),
            version: made.number.to_string(),
        };
        if groups.iter().any(|group| group.from == pinned) {
            return Ok(());
        }
        modify::delete_version(&ec2, caller, place, template, made.number).await
    }
}
