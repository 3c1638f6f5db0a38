//! `imds doctor`: why IMDS does not work here, check by check, with the fix.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use imds::{Environment as _, SystemEnvironment};
use imds_doctor::{Options, System, collect, judge};

use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::output::{self, Format};
use crate::report::{self, Failure};

/// Find out why the metadata service does not work here
///
/// Checks are made in the order in which a request meets what they look at. Ends with 0 where a
/// plain read works, else with the exit code that it would end with.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Try a request without a session token too; it counts as a use of IMDSv1 in CloudWatch
    #[arg(long)]
    probe_v1: bool,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// The first `imds` on the PATH, if it is another program: `pip install ec2-metadata` brings one.
fn other_program() -> Option<PathBuf> {
    let path = SystemEnvironment.path_variable("PATH")?;
    let first =
        std::env::split_paths(&path).map(|directory| directory.join("imds")).find(|file| file.is_file())?;
    let ours = std::env::current_exe().ok()?.canonicalize().ok()?;
    (first.canonicalize().ok()? != ours).then_some(first)
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(other) = other_program() {
        report::note(&format_args!("`imds` is another program on the PATH: `{}`", other.display()));
    }
    let options = Options { probe_version1: args.probe_v1 };
    let report = judge(&collect(&System, args.connection.builder(), options));
    let exit = report.failure.as_ref().map(|error| Exit::from(error.kind()));
    output::text(&match args.output {
        Format::Text => report.to_string(),
        Format::Json => format!("{:#}\n", report.json(exit.map_or(0, |exit| exit as u8))),
    })?;
    exit.map_or(Ok(()), |exit| Err(Failure::Printed(exit)))
}
