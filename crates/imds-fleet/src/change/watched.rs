//! Whose IMDSv1 calls tell whether a wave may begin, and whether it did harm: the instances that it
//! changes, and the groups and instances behind the launch templates and defaults that it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::apply::Run;
use super::journal::Progress;
use super::plan::Target;
use super::readiness::{Readiness, TEMPLATE_TAG};
use crate::aws::instances::{self, NAMED, Selection};
use crate::aws::metrics::Subject;
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Instance};
use crate::usage::UsageStatus;

/// One instance or group, for the sake of a change.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// Whose metrics.
    pub subject: Subject,
    /// What was known of its usage, or of that of all that its launch source launches, when the
    /// plan was made.
    pub usage: Readiness,
    /// The launch source that is changed, where it is not the instance itself.
    pub source: Option<String>,
    /// The number of the change, where the instance itself is changed.
    pub number: Option<usize>,
}

impl Watched {
    /// What it is called in messages.
    pub fn label(&self, place: &AccountRegion) -> String {
        let name = match &self.subject {
            Subject::Instance(id) => format!("`{id}`"),
            Subject::Group(name) => format!("group `{name}`"),
        };
        let known = format!("{name} in {place}");
        self.source.as_ref().map_or(known.clone(), |source| format!("{known} (of `{source}`)"))
    }

    /// Whether it must have data: where there was none, that was accepted when the plan was made.
    pub fn is_expected(&self) -> bool {
        let known = matches!(self.usage.status, UsageStatus::Ready | UsageStatus::InUse);
        known && (self.number.is_some() || matches!(self.subject, Subject::Group(_)))
    }
}

/// By account and Region.
pub(super) type Places = BTreeMap<AccountRegion, Vec<Watched>>;

/// Which instances behind a launch source are watched.
#[derive(Clone, Copy, Debug)]
pub(super) enum Behind {
    /// Those that answer IMDSv1 now: what the source launched may not be ready any more.
    AnsweringV1,
    /// Those that were launched since: they are as the source makes them now.
    LaunchedSince(i64),
}

/// What launches instances, and is changed.
struct Source {
    /// The template; without one, the defaults of the account.
    template: Option<String>,
    label: String,
    usage: Readiness,
}

impl Run<'_> {
    /// Returns whom the changes of a wave that turn IMDSv1 off are about.
    pub(super) async fn watched(
        &self,
        wave: &[usize],
        wanted: impl Fn(&Readiness) -> bool,
        behind: Behind,
    ) -> Result<Places, (AccountRegion, Fault)> {
        let (mut places, mut sources) = (Places::new(), BTreeMap::<AccountRegion, Vec<Source>>::new());
        for number in wave {
            let Some(change) = self.change(*number) else { continue };
            let Some(usage) = change.usage.as_ref().filter(|usage| wanted(usage)) else { continue };
            if self.journal.lock().await.of(*number) == Some(Progress::Gone) {
                continue;
            }
            let here = places.entry(change.place.clone()).or_default();
            let of = |subject, source: Option<&str>, number| Watched {
                subject,
                usage: usage.clone(),
                source: source.map(str::to_owned),
                number,
            };
            let id = change.target.id();
            let template = match &change.target {
                Target::Instance { id } => {
                    here.push(of(Subject::Instance(id.clone()), None, Some(*number)));
                    continue;
                }
                Target::LaunchTemplate { id, .. } => Some(id.clone()),
                Target::AutoScalingGroup { template, .. } => Some(template.clone()),
                Target::AccountDefaults => None,
            };
            here.extend(change.used_by.iter().map(|group| of(Subject::Group(group.clone()), Some(id), None)));
            sources.entry(change.place.clone()).or_default().push(Source {
                template,
                label: id.to_owned(),
                usage: usage.clone(),
            });
        }
        let mut running = JoinSet::new();
        for (place, sources) in sources {
            let (targets, permits) = (Arc::clone(&self.targets), Arc::clone(&self.permits));
            running.spawn(async move {
                // A closed semaphore cannot be: nobody closes it.
                let _permit = permits.acquire().await;
                let read = async {
                    let member = targets.clients.member(&place.account).await?;
                    let ec2 = member.ec2(&place.region);
                    let mut found = Vec::new();
                    for selection in selections(&sources, behind) {
                        found.extend(instances::all(&ec2, &member.caller, &place, &selection).await?);
                    }
                    Ok(found)
                };
                let read: Result<Vec<Instance>, Fault> = read.await;
                (place, sources, read)
            });
        }
        for (place, sources, read) in running.join_all().await {
            let found = read.map_err(|fault| (place.clone(), fault))?;
            let here = places.entry(place).or_default();
            here.extend(found.iter().filter_map(|it| launched(it, &sources, behind)));
        }
        for here in places.values_mut() {
            let mut seen = BTreeSet::new();
            // The instance that is changed itself comes before what stands behind a source.
            here.retain(|it| seen.insert(it.subject.clone()));
        }
        Ok(places)
    }
}

/// Which instances to ask for: those of the templates, or all where the defaults change.
fn selections(sources: &[Source], behind: Behind) -> Vec<Selection> {
    let v1_only = matches!(behind, Behind::AnsweringV1);
    let templates: Option<BTreeSet<&String>> =
        sources.iter().map(|source| source.template.as_ref()).collect();
    let Some(templates) = templates else {
        return vec![Selection { filters: Vec::new(), v1_only }];
    };
    let ids: Vec<String> = templates.into_iter().cloned().collect();
    let of =
        |ids: &[String]| Selection { filters: vec![(format!("tag:{TEMPLATE_TAG}"), ids.to_vec())], v1_only };
    ids.chunks(NAMED).map(of).collect()
}

/// The instance, if one of the sources is behind it.
fn launched(it: &Instance, sources: &[Source], behind: Behind) -> Option<Watched> {
    if let Behind::LaunchedSince(since) = behind
        && it.launched_at.is_none_or(|at| at < since)
    {
        return None;
    }
    let template = it.tags.get(TEMPLATE_TAG);
    let source =
        sources.iter().find(|source| source.template.as_ref().is_none_or(|id| Some(id) == template))?;
    Some(Watched {
        subject: Subject::Instance(it.id.clone()),
        usage: source.usage.clone(),
        source: Some(source.label.clone()),
        number: None,
    })
}
