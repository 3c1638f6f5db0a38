//! Scans one account in one Region: page after page, each failed call a gap and no more than that.

use tokio::sync::mpsc::Sender;

use super::found::{Gone, send};
use super::{Event, Wanted, launches};
use crate::aws::instances::{self, Selection};
use crate::aws::launch_sources::Launched;
use crate::aws::session::Member;
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
    wanted: &Wanted,
    selection: &Selection,
    to: &Sender<Event>,
) -> Result<(), Gone> {
    let mut scan = Scan { place: place.clone(), instances: 0, gaps: Vec::new() };
    let ec2 = member.ec2(&place.region);
    let caller = &member.caller;

    let mut launched = Launched::new();
    if wanted.instances {
        let mut token = None;
        loop {
            match instances::page(&ec2, caller, place, selection, token).await {
                Ok(page) => {
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
    if wanted.launch_sources && !refused {
        launches::read(member, place, &launched, &mut scan.gaps, to).await?;
    }
    caller.forget(place);
    to.send(Event::Scanned(scan)).await.map_err(|_closed| Gone)
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
