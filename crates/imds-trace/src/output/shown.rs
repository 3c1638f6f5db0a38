//! What a trace is shown as, chosen by the command line and by whether stdout is a terminal.

use std::io::Write as _;

use super::json_lines::JsonLines;
use super::metrics::Totals;
use super::table;
use super::terminal::Screen;
use crate::failure::{Exit, Failure};
use crate::report::line::Line;
use crate::trace::request::RequestKind;

/// Where lines and sums go.
pub(crate) enum Shown {
    /// One JSON object per line; requests too, unless only sums are wanted.
    Json { lines: JsonLines, requests: bool, v1_only: bool },
    /// The live table.
    Live { screen: Screen, title: String, shown_at: Option<u64> },
    /// A table at the end.
    Table,
}

/// How often the live table is drawn, at most, in nanoseconds.
const REDRAW: u64 = 500_000_000;

impl Shown {
    /// Takes a line of the trace.
    pub(crate) fn line(&mut self, line: &Line) -> Result<(), Failure> {
        let Self::Json { lines, requests, v1_only } = self else { return Ok(()) };
        if let Line::Request(request) = line
            && (!*requests || (*v1_only && request.kind != RequestKind::V1))
        {
            return Ok(());
        }
        lines.line(line)
    }

    /// Shows what there is, for nothing more comes for now. `now` is `CLOCK_MONOTONIC`.
    pub(crate) fn settle(&mut self, totals: &Totals, now: u64) -> Result<(), Failure> {
        match self {
            Self::Json { lines, .. } => lines.flush(),
            Self::Table => Ok(()),
            Self::Live { title, shown_at, .. } => {
                if shown_at.is_some_and(|then| now.saturating_sub(then) < REDRAW) {
                    return Ok(());
                }
                *shown_at = Some(now);
                let (width, height) = Screen::size();
                let head = format!("{title}   q quits\n{}\n\n", table::totals(&totals.counts));
                let body = table::render(&totals.summary, width, height.saturating_sub(4));
                let cut: Vec<String> = head.lines().map(|line| line.chars().take(width).collect()).collect();
                Screen::show(&format!("{}\n{body}", cut.join("\n")))
            }
        }
    }

    /// Shows the sums by caller.
    pub(crate) fn summary(&mut self, totals: &Totals, v1_only: bool) -> Result<(), Failure> {
        match self {
            Self::Json { lines, requests: false, .. } => {
                for (_, counts) in totals.summary.sorted() {
                    if !v1_only || counts.kinds.v1 > 0 {
                        lines.line(&Line::Caller(Box::new(counts.clone())))?;
                    }
                }
                lines.flush()
            }
            Self::Json { .. } => Ok(()),
            Self::Live { .. } | Self::Table => {
                if let Self::Live { .. } = self {
                    // Leaves the table's own screen first.
                    *self = Self::Table;
                }
                let (width, _) = Screen::size();
                let text = format!(
                    "{}{}\n",
                    table::render(&totals.summary, width, usize::MAX),
                    table::totals(&totals.counts)
                );
                let mut out = imds_stdout::stdout();
                out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
                    if error.kind() == std::io::ErrorKind::BrokenPipe {
                        return Failure::reader_gone();
                    }
                    Failure::new(Exit::Failed, "cannot write to stdout").caused_by(error)
                })
            }
        }
    }

    /// Whether keys are to be listened for.
    pub(crate) const fn has_keys(&self) -> bool {
        matches!(self, Self::Live { screen, .. } if screen.has_keys())
    }

    /// Whether it draws by itself from time to time.
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self, Self::Live { .. })
    }
}
