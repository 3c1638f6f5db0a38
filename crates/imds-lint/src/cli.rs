//! The command line, declared.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::fix::Style;
use crate::rules::catalogue::Severity;

/// Find IMDSv1 and fragile session token code in scripts, user data and infrastructure code
#[derive(Debug, Parser)]
#[command(
    name = "imds-lint",
    version = imds_usage::version!(),
    disable_help_subcommand = true,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 no findings, 1 findings, 2 usage error, or input that could not be read or parsed."
)]
pub struct Cli {
    /// Something other than a check
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to check
    #[command(flatten)]
    pub check: CheckArgs,
}

/// Something other than a check.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the rules: id, severity, why, fix and examples
    Rules(RulesArgs),
    /// Print shell completions
    Completions {
        /// Shell to complete for
        shell: imds_usage::Shell,
    },
    /// Print a manual page, in roff
    Man {
        /// Subcommand whose page to print; without one, the page of `imds-lint`
        #[arg(value_name = "SUBCOMMAND")]
        subcommand: Vec<String>,
    },
}

/// Arguments of a check.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// Files and directories to check; `-` reads standard input
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// Rewrite files: only what is certain to do the same
    #[arg(long)]
    pub fix: bool,
    /// Print the rewrites as a unified diff and change nothing
    #[arg(long)]
    pub diff: bool,
    /// What requests are rewritten to
    #[arg(long, value_enum, default_value_t)]
    pub style: Style,
    /// Check these rules only, separated by commas
    #[arg(long = "rule", value_name = "RULE", value_delimiter = ',')]
    pub rules: Vec<String>,
    /// Show findings of this severity and above
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = Severity::Note)]
    pub severity: Severity,
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: Format,
    /// Leave out the findings that FILE lists
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings to FILE as a baseline and exit with 0
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "fix", "diff"])]
    pub write_baseline: Option<PathBuf>,
    /// Read standard input as if it had this file name
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Check files that .gitignore and .ignore leave out, too
    #[arg(long)]
    pub no_ignore: bool,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, with the line and a caret
    #[default]
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// JUnit XML
    Junit,
}

/// How the rules are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// Arguments of `rules`.
#[derive(Clone, Copy, Debug, Args)]
pub struct RulesArgs {
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output: RulesFormat,
}

#[cfg(test)]
mod tests {
    #[test]
    fn declared_without_contradiction() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
