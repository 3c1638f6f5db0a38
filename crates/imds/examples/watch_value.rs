//! Watches one value and reports each change of it.
//!
//! On an instance: `cargo run --features tokio --example watch_value`. A Spot Instance is given two
//! minutes, so that a poll every five seconds is enough; `imds watch` and `imds-lifecycle` do more.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use imds::{AsyncClient, Error, ErrorKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let imds = AsyncClient::from_env()?;
    watch(&imds, "spot/instance-action", Duration::from_secs(5), |value| {
        let told = match value {
            Some(value) => writeln!(std::io::stdout(), "{value}"),
            None => writeln!(std::io::stdout(), "nothing is announced"),
        };
        // A reader that has gone away ends the watch.
        if told.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
    .await
}

/// Reads the path at this interval and calls back for the first value and each change of it.
pub(crate) async fn watch(
    imds: &AsyncClient,
    path: &str,
    interval: Duration,
    mut changed: impl FnMut(Option<&str>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut last: Option<Option<String>> = None;
    loop {
        let value = match imds.get(path).await {
            Ok(value) => Some(Some(value.text()?.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Some(None),
            // The service is busy or not there: that is no change, and the next poll may succeed.
            Err(error) if error.is_retryable() => None,
            Err(error) => return Err(error),
        };
        if let Some(value) = value.filter(|value| last.as_ref() != Some(value)) {
            if changed(value.as_deref()).is_break() {
                return Ok(());
            }
            last = Some(value);
        }
        tokio::time::sleep(interval).await;
    }
}
