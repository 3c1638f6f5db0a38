//! The token buckets of "Request throttling for the Amazon EC2 API" (EC2 User Guide), per account,
//! Region and action.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::account_region::AccountRegion;

/// All buckets, and how often each was found empty.
#[derive(Debug, Default)]
pub struct Throttle {
    /// Whether calls are counted at all.
    pub off: bool,
    buckets: BTreeMap<(AccountRegion, String), (f64, Option<Instant>)>,
    /// How often each bucket was found empty.
    pub trips: BTreeMap<(AccountRegion, String), u64>,
}

/// Size and refill per second.
fn allowance(bucket: &str) -> Option<(f64, f64)> {
    match bucket {
        "DescribeInstances/unpaginated" => Some((50.0, 10.0)),
        "ModifyInstanceMetadataOptions"
        | "CreateLaunchTemplateVersion"
        | "ModifyLaunchTemplate"
        | "DeleteLaunchTemplateVersions" => Some((100.0, 5.0)),
        "ModifyInstanceMetadataDefaults" => Some((2.0, 2.0)),
        name if name.starts_with("Describe") || name == "GetInstanceMetadataDefaults" => Some((100.0, 20.0)),
        _ => None,
    }
}

impl Throttle {
    /// Whether a call may go through now.
    pub fn admit(&mut self, place: &AccountRegion, bucket: &str) -> bool {
        let Some((size, refill)) = allowance(bucket) else { return true };
        if self.off {
            return true;
        }
        let now = Instant::now();
        let key = (place.clone(), bucket.to_owned());
        let (tokens, at) = self.buckets.entry(key.clone()).or_insert((size, None));
        if let Some(at) = at {
            *tokens = (*tokens + now.saturating_duration_since(*at).as_secs_f64() * refill).min(size);
        }
        *at = Some(now);
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return true;
        }
        *self.trips.entry(key).or_default() += 1;
        false
    }

    /// Empties a bucket, as other callers in the account would.
    pub fn drain(&mut self, place: &AccountRegion, bucket: &str) {
        self.buckets.insert((place.clone(), bucket.to_owned()), (0.0, Some(Instant::now())));
    }
}
