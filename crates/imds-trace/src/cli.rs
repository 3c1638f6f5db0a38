//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use imds_model::duration;

use crate::endpoint::Endpoint;
use crate::failure;

/// Show which processes of this machine talk to the EC2 instance metadata service, by IMDSv1 or
/// IMDSv2
///
/// Attaches four small eBPF programs to the root of the cgroup v2 tree and so sees every process of
/// the host, in every container and network namespace. On a terminal it shows a live table;
/// elsewhere it writes one JSON object per request. Needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON
/// (root has them), and Linux 5.8 or later. The kernel detaches the programs when the process ends,
/// however it ends.
#[derive(Debug, Parser)]
#[command(
    name = "imds-trace",
    version = imds_usage::version!(),
    max_term_width = 100,
    after_help = failure::HELP,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) trace: TraceArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Advise(AdviseArgs),
    /// Print a manual page, in roff
    Man {
        /// Subcommand whose page to print; without one, the page of `imds-trace`
        #[arg(value_name = "SUBCOMMAND")]
        subcommand: Vec<String>,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: imds_usage::Shell,
    },
}

/// How a trace is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A live table
    Table,
    /// One JSON object per line
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct TraceArgs {
    /// Stop after this time: `90s`, `10m`, `24h`, `7d`
    #[arg(long = "for", value_name = "DURATION", value_parser = positive)]
    pub(crate) duration: Option<Duration>,

    /// Show requests by IMDSv1 only
    #[arg(long)]
    pub(crate) v1_only: bool,

    /// Exit with 1 if a request by IMDSv1 was seen, and with 6 if none was and not everything could
    /// be seen
    #[arg(long)]
    pub(crate) fail_on_v1: bool,

    /// Show sums by caller (program, user, unit or container, SDK) at the end, instead of requests
    #[arg(long)]
    pub(crate) summary: bool,

    /// With --summary, show the sums this often and begin new ones
    #[arg(long, value_name = "DURATION", value_parser = positive, requires = "summary")]
    pub(crate) every: Option<Duration>,

    /// Format: `table` on a terminal, else `json`
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) output: Option<Output>,

    /// Trace requests to this address, instead of 169.254.169.254 and fd00:ec2::254 (up to 4 times)
    #[arg(long = "endpoint", value_name = "URL", value_parser = Endpoint::parse)]
    pub(crate) endpoints: Vec<Endpoint>,

    /// Trace the processes of this cgroup v2 directory and below, instead of all processes
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) cgroup: Option<PathBuf>,

    /// Look up processes, users and containers below this directory: where a container has the
    /// host's `/`
    #[arg(long, value_name = "DIRECTORY", default_value = "/")]
    pub(crate) host_root: PathBuf,

    /// EC2 instance id to write into the trace, instead of the one that the firmware or cloud-init
    /// names
    #[arg(long, value_name = "ID", value_parser = instance_id)]
    pub(crate) instance_id: Option<String>,

    /// Size of the kernel's event buffer in MiB, a power of two; events that do not fit are counted
    #[arg(long, value_name = "MIB", value_parser = buffer, default_value = "8")]
    pub(crate) buffer: u32,

    /// Serve counts at `http://ADDRESS/metrics` in the OpenMetrics format
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) metrics: Option<SocketAddr>,
}

/// Print what to do about each caller that uses IMDSv1
///
/// Reads traces that `imds-trace` wrote as JSON, with or without --summary. For each caller it
/// prints the first version that speaks IMDSv2, the setting that stops the fallback to IMDSv1, or
/// the `imds get` line for a script.
#[derive(Args, Debug)]
pub(crate) struct AdviseArgs {
    /// Traces to read; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// Print one JSON object per caller
    #[arg(long)]
    pub(crate) json: bool,
}

fn positive(text: &str) -> Result<Duration, duration::DurationError> {
    duration::parse_positive(text)
}

fn instance_id(text: &str) -> Result<String, String> {
    if crate::host::instance::is_instance_id(text) {
        Ok(text.to_owned())
    } else {
        Err("it is not an instance id, `i-` and 8 or 17 hexadecimal digits".to_owned())
    }
}

/// MiB, as bytes.
fn buffer(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(mib) if mib.is_power_of_two() && mib <= 1_024 => Ok(mib << 20),
        _ => Err("it is not a power of two from 1 to 1024".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_and_subcommands_exclude_each_other() {
        let parsed =
            Cli::try_parse_from(["imds-trace", "--for", "7d", "--summary", "--every", "1h"]).unwrap();
        assert_eq!(parsed.trace.duration, Some(Duration::from_secs(7 * 86_400)));
        let refused = |words: &[&str]| Cli::try_parse_from(words).unwrap_err().to_string();
        assert!(refused(&["imds-trace", "--summary", "man"]).contains("cannot be used with"));
        assert!(refused(&["imds-trace", "--every", "1h"]).contains("--summary"));
    }
}
