//! Findings, written for people and for programs.

mod annotations;
mod excerpt;
mod json;
mod junit;
pub mod report;
mod sarif;
mod text;

use std::io::{self, Write};

use crate::cli::Format;
use report::Report;

/// Writes a report.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn write(format: Format, report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, out),
        Format::Github => annotations::write(report, out),
        Format::Junit => junit::write(report, out),
    }
}
