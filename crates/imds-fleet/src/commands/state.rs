//! `state`: every instance with its options.

use super::{End, gather};
use crate::cli::{StateArgs, StateOutput};
use crate::error::Error;
use crate::output::Out;
use crate::output::state::{Form, Writer};

/// Runs it.
///
/// # Errors
///
/// When the scan cannot begin, or the output cannot be written.
pub async fn run(args: &StateArgs, out: Out<'_>) -> Result<End, Error> {
    let form = match args.output {
        StateOutput::Table => Form::Table,
        StateOutput::Json => Form::Json,
        StateOutput::Jsonl => Form::JsonLines,
        StateOutput::Csv => Form::Csv,
        StateOutput::Openmetrics => Form::OpenMetrics,
    };
    let mut writer = Writer::new(form, out)?;
    let tally = gather::gather(&args.scope, &mut |event| writer.event(event)).await?;
    writer.finish(&tally)?;
    Ok(if tally.incomplete.is_empty() { End::Clean } else { End::Incomplete })
}
