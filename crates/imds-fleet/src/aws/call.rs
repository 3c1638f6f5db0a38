//! How every AWS call is made: counted against its bucket, retried by one rule, its failure named.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
use imds_model::backoff::full_jitter;

use super::limit::{Api, Limits};
use crate::fault::Fault;
use crate::inventory::resource::{AccountRegion, Reason};

/// Attempts at a call that is throttled, before it is given up.
const THROTTLED_ATTEMPTS: u32 = 8;
/// Attempts at a call that fails on the way or in the service.
const FAILED_ATTEMPTS: u32 = 4;

/// Makes calls. The SDK's own retries are off: they would not be counted.
#[derive(Clone, Debug)]
pub struct Caller {
    limits: Arc<Limits>,
    backoff: Duration,
}

impl Caller {
    /// Calls within these limits; `backoff` is the first pause after a failure, and doubles.
    #[must_use]
    pub fn new(limits: Arc<Limits>, backoff: Duration) -> Self {
        Self { limits, backoff }
    }

    /// Forgets what is counted for a place that is done with.
    pub fn forget(&self, place: &AccountRegion) {
        self.limits.forget(place);
    }

    /// Sends until there is an answer or a reason to give up.
    ///
    /// # Errors
    ///
    /// Returns the last fault.
    pub async fn call<O, E, F>(
        &self,
        place: &AccountRegion,
        api: Api,
        send: impl Fn() -> F + Send,
    ) -> Result<O, Fault>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<O, SdkError<E, Response>>> + Send,
    {
        let mut attempt = 1;
        loop {
            let wait = self.limits.take(place, api);
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let fault = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => Fault::of(api.name(), &error),
            };
            let attempts = match fault.reason {
                Reason::Throttled => {
                    self.limits.drain(place, api);
                    THROTTLED_ATTEMPTS
                }
                Reason::Unreachable | Reason::Service if !api.is_write() => FAILED_ATTEMPTS,
                _ => 1,
            };
            if attempt >= attempts {
                return Err(fault);
            }
            tokio::time::sleep(self.pause(attempt)).await;
            attempt += 1;
        }
    }

    fn pause(&self, attempt: u32) -> Duration {
        full_jitter(self.backoff, self.backoff.saturating_mul(64), attempt, fastrand::f64())
    }
}
