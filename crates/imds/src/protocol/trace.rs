//! Spans and events for programs that use the crate `tracing` (feature `tracing`): a span for each
//! call, and inside it an event for each `ClientEvent`.

#[cfg(feature = "tracing")]
use recording as enabled;
#[cfg(not(feature = "tracing"))]
use silent as enabled;

#[cfg(feature = "tokio")]
pub(crate) use enabled::inside;
pub(crate) use enabled::{entered, is_on, record};

#[cfg(feature = "tracing")]
mod recording {
    use imds_model::MetadataPath;
    #[cfg(feature = "tokio")]
    use tracing::Instrument as _;
    use tracing::span::EnteredSpan;
    use tracing::{Level, Span, debug, debug_span, warn};

    use crate::protocol::events::ClientEvent;

    /// What events and spans are filtered by, such as `RUST_LOG=imds=debug`.
    const TARGET: &str = "imds";

    fn span(path: Option<&MetadataPath>) -> Span {
        match path {
            Some(path) => debug_span!(target: TARGET, "imds.read", path = &*path.redacted()),
            None => debug_span!(target: TARGET, "imds.token"),
        }
    }

    /// Enters the span of a call for this path, or of one for a session token.
    pub(crate) fn entered(path: Option<&MetadataPath>) -> EnteredSpan {
        span(path).entered()
    }

    /// Runs the future in the span of a call.
    #[cfg(feature = "tokio")]
    pub(crate) async fn inside<T>(path: Option<&MetadataPath>, call: impl Future<Output = T>) -> T {
        call.instrument(span(path)).await
    }

    /// Returns whether anything listens.
    pub(crate) fn is_on() -> bool {
        tracing::enabled!(target: TARGET, Level::WARN)
    }

    /// Records an event. A path is cut where a secret begins.
    pub(crate) fn record(event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Answered { method, path, status, elapsed, reused } => {
                let elapsed_ms = elapsed.as_secs_f64() * 1000.0;
                let path = &*redacted(path);
                debug!(target: TARGET, method, path, status, elapsed_ms, reused, "answered");
            }
            ClientEvent::Retry { method, path, attempt, reason, pause } => {
                let pause_ms = pause.as_secs_f64() * 1000.0;
                let path = &*redacted(path);
                warn!(target: TARGET, method, path, attempt, reason, pause_ms, "retrying");
            }
            ClientEvent::StoreUnavailable { .. }
            | ClientEvent::SettingIgnored { .. }
            | ClientEvent::TokenRefused
            | ClientEvent::TokenWithoutTtl => warn!(target: TARGET, "{event}"),
            _ => debug!(target: TARGET, "{event}"),
        }
    }

    fn redacted(path: &str) -> String {
        path.parse::<MetadataPath>().map_or_else(|_| "...".to_owned(), |path| path.redacted().into_owned())
    }
}

#[cfg(not(feature = "tracing"))]
mod silent {
    use imds_model::MetadataPath;

    use crate::protocol::events::ClientEvent;

    /// A span that nothing records.
    pub(crate) struct Entered;

    pub(crate) const fn entered(_: Option<&MetadataPath>) -> Entered {
        Entered
    }

    #[cfg(feature = "tokio")]
    pub(crate) async fn inside<T>(_: Option<&MetadataPath>, call: impl Future<Output = T>) -> T {
        call.await
    }

    pub(crate) const fn is_on() -> bool {
        false
    }

    pub(crate) fn record(_: &ClientEvent<'_>) {}
}
