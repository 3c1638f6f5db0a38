//! `state`: every instance with its options.

use super::{End, scan};
use crate::cli::{StateArgs, StateOutput};
use crate::clock;
use crate::error::Error;
use crate::output::parquet::Dataset;
use crate::output::state::{Form, Writer};
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the scan cannot begin, or the output cannot be written.
pub async fn run(args: &StateArgs, out: Out<'_>) -> Result<End, Error> {
    if args.output == StateOutput::Parquet {
        return dataset(args, out).await;
    }
    let form = match args.output {
        StateOutput::Table => Form::Table,
        StateOutput::Json => Form::Json,
        StateOutput::Jsonl => Form::JsonLines,
        StateOutput::Csv => Form::Csv,
        StateOutput::Openmetrics | StateOutput::Parquet => Form::OpenMetrics,
    };
    let mut writer = Writer::new(form, out);
    let counts = scan::run_scan(&args.scope, &mut |event| writer.event(event)).await?;
    writer.finish(&counts)?;
    Ok(if counts.incomplete.is_empty() { End::Clean } else { End::Incomplete })
}

/// Writes a dataset instead of a stream.
async fn dataset(args: &StateArgs, out: Out<'_>) -> Result<End, Error> {
    let Some(directory) = &args.output_dir else {
        return Err(Error::Input("`--output parquet` needs `--output-dir`".to_owned()));
    };
    let mut dataset = Dataset::new(directory, &args.scope.shard.to_string(), clock::now())?;
    let counts = scan::run_scan(&args.scope, &mut |event| dataset.event(event)).await?;
    written(writeln!(out, "{}; dataset in `{}`", counts.line(), directory.display()))?;
    Ok(if counts.incomplete.is_empty() { End::Clean } else { End::Incomplete })
}
