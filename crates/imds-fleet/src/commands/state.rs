//! `state`: every instance with its options.

use super::{End, scan};
use crate::cli::{Order, StateArgs, StateOutput};
use crate::clock;
use crate::counts::Counts;
use crate::error::Error;
use crate::inventory::resource::Resource;
use crate::output::parquet::Dataset;
use crate::output::state::{Form, Writer};
use crate::output::{Out, written};
use crate::scan::Event;

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
    let counts = match args.sort {
        Order::Found => {
            scan::run_scan(&args.user_data.within(&args.scope), &mut |event| writer.event(event)).await?
        }
        Order::Risk => by_risk(args, &mut writer).await?,
    };
    writer.finish(&counts)?;
    Ok(if counts.incomplete.is_empty() { End::Clean } else { End::Incomplete })
}

/// Keeps everything until the end, and writes it in the order of the risk.
async fn by_risk(args: &StateArgs, writer: &mut Writer<'_>) -> Result<Counts, Error> {
    let (mut found, mut scans) = (Vec::new(), Vec::new());
    let counts = scan::run_scan(&args.user_data.within(&args.scope), &mut |event| {
        match event {
            Event::Found(resources) => found.extend(resources.iter().cloned()),
            Event::Scanned(_) => scans.push(event.clone()),
            Event::AccountRegions(_) | Event::NotLookedAt(_) => {}
        }
        Ok(())
    })
    .await?;
    // Instances first, the highest risk at the top; what has the same risk as it is called.
    found.sort_by(|a, b| {
        let key = |it: &Resource| match it {
            Resource::Instance(it) => (0, std::cmp::Reverse(it.risk.as_ref().map(|risk| risk.score))),
            _ => (1, std::cmp::Reverse(None)),
        };
        key(a).cmp(&key(b)).then_with(|| (a.place(), a.key()).cmp(&(b.place(), b.key())))
    });
    writer.event(&Event::Found(found))?;
    scans.iter().try_for_each(|scan| writer.event(scan))?;
    Ok(counts)
}

/// Writes a dataset instead of a stream.
async fn dataset(args: &StateArgs, out: Out<'_>) -> Result<End, Error> {
    let Some(directory) = &args.output_dir else {
        return Err(Error::Input("`--output parquet` needs `--output-dir`".to_owned()));
    };
    if args.sort != Order::Found {
        let text = "`--sort` cannot be used with `--output parquet`: a dataset is in one file for each account and Region";
        return Err(Error::Input(text.to_owned()));
    }
    let mut dataset = Dataset::new(directory, &args.scope.shard.to_string(), clock::now())?;
    let counts =
        scan::run_scan(&args.user_data.within(&args.scope), &mut |event| dataset.event(event)).await?;
    written(writeln!(out, "{}; dataset in `{}`", counts.line(), directory.display()))?;
    Ok(if counts.incomplete.is_empty() { End::Clean } else { End::Incomplete })
}
