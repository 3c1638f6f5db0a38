//! `audit`: what was found, judged by a policy.

use super::{End, scan};
use crate::cli::{AuditArgs, FindingsOutput};
use crate::clock;
use crate::error::Error;
use crate::output::Out;
use crate::output::findings::{Form, Writer};
use crate::rules::judge;
use crate::rules::policy::Policy;
use crate::scan::Event;

/// Runs it.
///
/// # Errors
///
/// Returns an error if the policy is wrong, the scan cannot begin, or the output cannot be written.
pub async fn run(args: &AuditArgs, out: Out<'_>) -> Result<End, Error> {
    let policy = match &args.policy {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    let form = match args.output {
        FindingsOutput::Table => Form::Table,
        FindingsOutput::Json => Form::Json,
        FindingsOutput::Jsonl => Form::JsonLines,
        FindingsOutput::Csv => Form::Csv,
        FindingsOutput::Sarif => Form::Sarif,
        FindingsOutput::Ocsf => Form::Ocsf,
        FindingsOutput::Junit => Form::Junit,
        FindingsOutput::Openmetrics => Form::OpenMetrics,
    };
    let now = clock::now();
    let today = args.as_of.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
    let mut writer = Writer::new(form, out, now);
    let mut failing = false;
    let counts = scan::run_scan(&args.user_data.within(&args.scope), &mut |event| match event {
        Event::AccountRegions(_) | Event::NotLookedAt(_) => Ok(()),
        Event::Found(resources) => resources.iter().try_for_each(|resource| {
            let findings = judge::judge(resource, &policy, today);
            failing |= findings
                .iter()
                .any(|finding| !finding.excepted && finding.severity >= args.fail_on.severity());
            writer.judged(resource, &findings)
        }),
        Event::Scanned(scan) => writer.scanned(scan),
    })
    .await?;
    writer.finish(&counts)?;
    // Not scanned weighs more than findings: there may be more of them.
    Ok(if !counts.incomplete.is_empty() {
        End::Incomplete
    } else if failing {
        End::Findings
    } else {
        End::Clean
    })
}
