//! Scans one account in one Region: page after page, each failed call a gap and no more than that.

use std::collections::BTreeSet;

use tokio::sync::mpsc::Sender;

use super::found::{Gone, send};
use super::{Event, Wanted, launches};
use crate::aws::call::Caller;
use crate::aws::instances::{self, Selection};
use crate::aws::launch_sources::Launched;
use crate::aws::security_groups::{self, Open};
use crate::aws::session::Member;
use crate::inventory::end_state::Asked;
use crate::inventory::options::Posture;
use crate::inventory::resource::{AccountRegion, Gap, Instance, Resource, Scan};

/// Scans the place and sends what it finds; the last event is the scan's own record.
///
/// # Errors
///
/// Returns an error if nobody listens any more.
pub async fn scan(
    member: &Member,
    place: &AccountRegion,
    (wanted, selection): (&Wanted, &Selection),
    (asked, unread): &(Asked, Option<Gap>),
    to: &Sender<Event>,
) -> Result<(), Gone> {
    let mut scan = Scan { place: place.clone(), instances: 0, gaps: Vec::new() };
    let ec2 = member.ec2(&place.region);
    let caller = &member.caller;

    let (mut launched, mut groups) = (Launched::new(), SecurityGroups::default());
    if wanted.instances {
        let mut token = None;
        loop {
            match instances::page(&ec2, caller, place, selection, token).await {
                Ok(mut page) => {
                    if wanted.security_groups {
                        groups.read(&ec2, caller, place, &mut page.instances, &mut scan.gaps).await;
                    }
                    page.instances.iter().for_each(|it| count(&mut launched, it));
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
    scan.gaps.extend(unread.clone());
    if wanted.launch_sources && !refused {
        launches::read(member, place, (&launched, wanted.user_data, asked), &mut scan.gaps, to).await?;
    }
    caller.forget(place);
    to.send(Event::Scanned(scan)).await.map_err(|_closed| Gone)
}

/// The security groups of a place whose rules were read, or could not be.
#[derive(Default)]
struct SecurityGroups {
    open: Open,
    failed: bool,
}

impl SecurityGroups {
    /// Reads the rules of the groups of those that answer IMDSv1, each group once, and says on each
    /// instance what is open.
    async fn read(
        &mut self,
        ec2: &aws_sdk_ec2::Client,
        caller: &Caller,
        place: &AccountRegion,
        instances: &mut [Instance],
        gaps: &mut Vec<Gap>,
    ) {
        let exposed = |it: &&Instance| it.risk.is_some();
        let named = instances.iter().filter(exposed).filter_map(|it| it.exposure.as_ref());
        let missing: BTreeSet<String> = named
            .flat_map(|it| &it.security_groups)
            .filter(|id| !self.open.contains_key(*id))
            .cloned()
            .collect();
        if !missing.is_empty() && !self.failed {
            let missing: Vec<String> = missing.into_iter().collect();
            match security_groups::open(ec2, caller, place, &missing).await {
                Ok(read) => self.open.extend(read),
                Err(fault) => {
                    gaps.push(fault.gap());
                    self.failed = true;
                }
            }
        }
        for it in instances.iter_mut().filter(|it| it.risk.is_some()) {
            let Some(exposure) = &mut it.exposure else { continue };
            let mut open = Vec::new();
            let mut known = true;
            for id in &exposure.security_groups {
                match self.open.get(id) {
                    Some(ports) if ports.is_empty() => {}
                    Some(ports) => open.push(format!("{id} ({})", ports.join(", "))),
                    None => known = false,
                }
            }
            // What is open is known even where another group is not.
            exposure.open = (known || !open.is_empty()).then_some(open);
            it.assess();
        }
    }
}

/// Counts the template version that an instance carries in its tags. What its Auto Scaling group
/// launches from is read of the group.
fn count(launched: &mut Launched, it: &Instance) {
    if it.auto_scaling_group.is_some() {
        return;
    }
    let tag = |name: &str| it.tags.get(&format!("aws:ec2launchtemplate:{name}"));
    let number = tag("version").and_then(|number| number.parse().ok());
    let (Some(id), Some(number)) = (tag("id"), number) else { return };
    let (instances, owner) = launched.entry((id.clone(), number)).or_default();
    *instances += 1;
    *owner = owner.or_else(|| it.owner());
}

fn worth_going_on(gap: &Gap) -> bool {
    use crate::inventory::resource::Reason;
    !matches!(gap.reason, Reason::Expired | Reason::OptedOut | Reason::Unreachable)
}
