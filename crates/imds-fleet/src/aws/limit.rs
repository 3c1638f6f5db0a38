//! Token buckets on our side of the wire, so that a scan never uses up what the account's own
//! automation needs.
//!
//! Scanners that only back off once they are throttled have starved Auto Scaling in the accounts
//! they scanned (nccgroup/ScoutSuite#91): the limits are per account, Region and API, anyone who
//! calls.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::inventory::resource::AccountRegion;

/// An API call that this program makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is named exactly as AWS names it")]
pub enum Api {
    AssumeRole,
    GetCallerIdentity,
    ListAccounts,
    ListAccountsForParent,
    ListOrganizationalUnitsForParent,
    DescribeEffectivePolicy,
    DescribeRegions,
    DescribeInstances,
    DescribeLaunchTemplates,
    DescribeLaunchTemplateVersions,
    DescribeImages,
    GetInstanceMetadataDefaults,
    ModifyInstanceMetadataOptions,
    ModifyInstanceMetadataDefaults,
    CreateLaunchTemplateVersion,
    ModifyLaunchTemplate,
    DeleteLaunchTemplateVersions,
    DescribeFleets,
    DescribeSpotFleetRequests,
    DescribeSecurityGroups,
    DescribeAutoScalingGroups,
    DescribeWarmPool,
    UpdateAutoScalingGroup,
    DescribeLaunchConfigurations,
    GetMetricData,
    SelectAggregateResourceConfig,
}

impl Api {
    /// The name of the call.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::ListAccounts => "ListAccounts",
            Self::ListAccountsForParent => "ListAccountsForParent",
            Self::ListOrganizationalUnitsForParent => "ListOrganizationalUnitsForParent",
            Self::DescribeEffectivePolicy => "DescribeEffectivePolicy",
            Self::DescribeRegions => "DescribeRegions",
            Self::DescribeInstances => "DescribeInstances",
            Self::DescribeLaunchTemplates => "DescribeLaunchTemplates",
            Self::DescribeLaunchTemplateVersions => "DescribeLaunchTemplateVersions",
            Self::DescribeImages => "DescribeImages",
            Self::GetInstanceMetadataDefaults => "GetInstanceMetadataDefaults",
            Self::ModifyInstanceMetadataOptions => "ModifyInstanceMetadataOptions",
            Self::ModifyInstanceMetadataDefaults => "ModifyInstanceMetadataDefaults",
            Self::CreateLaunchTemplateVersion => "CreateLaunchTemplateVersion",
            Self::ModifyLaunchTemplate => "ModifyLaunchTemplate",
            Self::DeleteLaunchTemplateVersions => "DeleteLaunchTemplateVersions",
            Self::DescribeFleets => "DescribeFleets",
            Self::DescribeSpotFleetRequests => "DescribeSpotFleetRequests",
            Self::DescribeSecurityGroups => "DescribeSecurityGroups",
            Self::DescribeAutoScalingGroups => "DescribeAutoScalingGroups",
            Self::DescribeWarmPool => "DescribeWarmPool",
            Self::UpdateAutoScalingGroup => "UpdateAutoScalingGroup",
            Self::DescribeLaunchConfigurations => "DescribeLaunchConfigurations",
            Self::GetMetricData => "GetMetricData",
            Self::SelectAggregateResourceConfig => "SelectAggregateResourceConfig",
        }
    }

    /// Whether the call changes something: then an answer that got lost is looked into, not simply
    /// asked for again.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::ModifyInstanceMetadataOptions
                | Self::ModifyInstanceMetadataDefaults
                | Self::CreateLaunchTemplateVersion
                | Self::ModifyLaunchTemplate
                | Self::DeleteLaunchTemplateVersions
                | Self::UpdateAutoScalingGroup
        )
    }

    /// Bucket size and refill per second that AWS allows an account in a Region.
    ///
    /// EC2: "Request throttling for the Amazon EC2 API", User Guide. STS: 600 requests a second per
    /// account and Region, all its calls together ("IAM and AWS STS quotas", IAM User Guide). The
    /// other services publish no bucket for these calls; the figures stand for a modest share of
    /// what they are known to bear.
    #[must_use]
    pub const fn allowance(self) -> (f64, f64) {
        match self {
            Self::DescribeRegions
            | Self::DescribeInstances
            | Self::DescribeLaunchTemplates
            | Self::DescribeLaunchTemplateVersions
            | Self::DescribeImages
            | Self::DescribeFleets
            | Self::DescribeSpotFleetRequests
            | Self::DescribeSecurityGroups
            | Self::GetInstanceMetadataDefaults => (100.0, 20.0),
            Self::ModifyInstanceMetadataOptions
            | Self::CreateLaunchTemplateVersion
            | Self::ModifyLaunchTemplate
            | Self::DeleteLaunchTemplateVersions => (100.0, 5.0),
            Self::ModifyInstanceMetadataDefaults => (2.0, 2.0),
            Self::GetMetricData => (50.0, 50.0),
            Self::AssumeRole | Self::GetCallerIdentity => (600.0, 600.0),
            Self::ListAccounts
            | Self::ListAccountsForParent
            | Self::ListOrganizationalUnitsForParent
            | Self::DescribeEffectivePolicy => (8.0, 8.0),
            Self::DescribeAutoScalingGroups | Self::DescribeWarmPool | Self::DescribeLaunchConfigurations => {
                (40.0, 20.0)
            }
            Self::SelectAggregateResourceConfig | Self::UpdateAutoScalingGroup => (10.0, 5.0),
        }
    }
}

/// One bucket.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    size: f64,
    refill: f64,
    at: Instant,
}

impl Bucket {
    /// Takes a token: at once, or in debt and after the wait that is returned.
    fn take(&mut self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.at);
        self.at = now;
        self.tokens = (self.tokens + since.as_secs_f64() * self.refill).min(self.size) - 1.0;
        if self.tokens >= 0.0 {
            Duration::ZERO
        } else {
            Duration::try_from_secs_f64(-self.tokens / self.refill).unwrap_or(Duration::MAX)
        }
    }
}

/// All buckets of a run.
#[derive(Debug)]
pub struct Limits {
    share: f64,
    buckets: Mutex<HashMap<(AccountRegion, Api), Bucket>>,
}

impl Limits {
    /// Buckets that use this share (0 to 1) of what AWS allows.
    #[must_use]
    pub fn new(share: f64) -> Self {
        Self { share, buckets: Mutex::default() }
    }

    /// How long to wait before the next call; the call is counted.
    pub fn take(&self, place: &AccountRegion, api: Api) -> Duration {
        self.take_at(place, api, Instant::now())
    }

    fn take_at(&self, place: &AccountRegion, api: Api, now: Instant) -> Duration {
        self.with(place, api, now, |bucket| bucket.take(now))
    }

    /// Empties the bucket: the service has just said that it is empty on its side.
    pub fn drain(&self, place: &AccountRegion, api: Api) {
        let now = Instant::now();
        self.with(place, api, now, |bucket| {
            bucket.tokens = bucket.tokens.min(0.0);
            bucket.at = now;
        });
    }

    /// Forgets the buckets of a place that is done with: a fleet has tens of thousands of them.
    pub fn forget(&self, place: &AccountRegion) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.retain(|(of, _), _| of != place);
    }

    fn with<T>(
        &self,
        place: &AccountRegion,
        api: Api,
        now: Instant,
        then: impl FnOnce(&mut Bucket) -> T,
    ) -> T {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry((place.clone(), api)).or_insert_with(|| {
            let (size, refill) = api.allowance();
            let size = (size * self.share).max(1.0);
            Bucket { tokens: size, size, refill: refill * self.share, at: now }
        });
        then(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: &str) -> AccountRegion {
        AccountRegion { account: "111122223333".to_owned(), region: region.to_owned() }
    }

    #[test]
    fn half_of_what_aws_allows_and_no_more() {
        let limits = Limits::new(0.5);
        let here = place("us-east-1");
        let now = Instant::now();
        for n in 0..50 {
            let wait = limits.take_at(&here, Api::ModifyInstanceMetadataOptions, now);
            assert_eq!(wait, Duration::ZERO, "call {n}");
        }
        let wait = limits.take_at(&here, Api::ModifyInstanceMetadataOptions, now);
        assert_eq!(wait, Duration::from_millis(400));
        let later = now + wait;
        assert_eq!(
            limits.take_at(&here, Api::ModifyInstanceMetadataOptions, later),
            Duration::from_millis(400)
        );
    }

    #[test]
    fn every_account_region_and_api_has_its_own() {
        let limits = Limits::new(0.5);
        limits.drain(&place("us-east-1"), Api::DescribeInstances);
        assert!(limits.take(&place("us-east-1"), Api::DescribeInstances) > Duration::ZERO);
        assert_eq!(limits.take(&place("us-east-1"), Api::DescribeImages), Duration::ZERO);
        assert_eq!(limits.take(&place("eu-west-1"), Api::DescribeInstances), Duration::ZERO);
        limits.forget(&place("us-east-1"));
        assert_eq!(limits.take(&place("us-east-1"), Api::DescribeInstances), Duration::ZERO);
    }
}
