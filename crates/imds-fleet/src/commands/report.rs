//! `report`: one HTML page.

use imds_files::{Mode, OutputFile};

use super::{End, scan};
use crate::cli::ReportArgs;
use crate::clock;
use crate::error::Error;
use crate::output::{Out, written};
use crate::report::page::Page;
use crate::rules::judge;
use crate::rules::policy::Policy;
use crate::scan::Event;
use crate::trace::Traces;

/// Runs it.
///
/// # Errors
///
/// Returns an error if the policy is wrong, the scan cannot begin, or the page cannot be written.
pub async fn run(args: &ReportArgs, out: Out<'_>) -> Result<End, Error> {
    let policy = match &args.policy {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    let traces = Traces::read(&args.traces.traces)?;
    let failed = |source| Error::file(&args.out, source);
    let now = clock::now();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    // A run that fails leaves an older page as it is: the new one takes its place when it is whole.
    let file = OutputFile::create(&args.out, Mode::Shared).map_err(|error| Error::unopened(&error))?;
    let mut file = std::io::BufWriter::new(file);
    let mut page = Page::new(&mut file, &traces).map_err(failed)?;
    let counts = scan::run_scan(&args.user_data.within(&args.scope), &mut |event| match event {
        Event::Found(resources) => resources.iter().try_for_each(|resource| {
            page.judged(resource, &judge::judge(resource, &policy, today)).map_err(failed)
        }),
        Event::AccountRegions(_) | Event::NotLookedAt(_) | Event::Scanned(_) => Ok(()),
    })
    .await?;
    page.finish(&counts, now).map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.commit().map_err(Error::from_file)?;
    written(writeln!(out, "{}; report in `{}`", counts.line(), args.out.display()))?;
    Ok(if counts.incomplete.is_empty() && traces.gaps.is_empty() { End::Clean } else { End::Incomplete })
}
