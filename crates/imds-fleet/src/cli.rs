//! The command line, declared.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use imds_model::options::{HopLimit, HttpTokens, Switch};

use crate::rules::catalogue::Severity;
use crate::scan::fleet::Shard;

/// Find, judge and safely change the instance metadata options of a fleet of EC2 instances
#[derive(Debug, Parser)]
#[command(name = "imds-fleet", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the metadata options of every instance, and what the next launch would get
    State(StateArgs),
    /// Judge them by a policy; ends with 1 when there are findings
    Audit(AuditArgs),
    /// Say who still uses IMDSv1, by the metrics of CloudWatch
    Usage(UsageArgs),
    /// Write one self-contained HTML page
    Report(ReportArgs),
    /// Write a plan of changes to a file; changes nothing
    Plan(PlanArgs),
    /// Make the changes of a plan, in waves, with a journal
    Apply(ApplyArgs),
    /// Undo what a journal says was done
    Rollback(RollbackArgs),
    /// List the rules of `audit`
    Rules(RulesArgs),
}

/// Where to look and as whom.
#[derive(Clone, Debug, Args)]
pub struct ScopeArgs {
    /// Regions to scan, separated by commas
    #[arg(long, value_name = "REGION", value_delimiter = ',', conflicts_with = "all_regions")]
    pub regions: Vec<String>,
    /// Scan every Region that each account may use
    #[arg(long)]
    pub all_regions: bool,
    /// Scan the accounts listed in FILE, one a line; `-` is the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "organization")]
    pub accounts: Option<PathBuf>,
    /// Scan every active account of the organization
    #[arg(long)]
    pub organization: bool,
    /// As whom in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// Role to list the organization's accounts with
    #[arg(long, value_name = "ARN", requires = "organization")]
    pub listing_role: Option<String>,
    /// Scan only part K of N of the accounts
    #[arg(long, value_name = "K/N", value_parser = Shard::parse, default_value = "1/1")]
    pub shard: Shard,
    /// Only instances that match this EC2 filter, such as `tag:team=web,shop` (can be repeated)
    #[arg(long = "filter", value_name = "NAME=VALUE", value_parser = filter)]
    pub filters: Vec<(String, Vec<String>)>,
    /// Only instances that answer IMDSv1, filtered by EC2
    #[arg(long)]
    pub v1_only: bool,
    /// Leave out launch templates, launch configurations, images and account defaults
    #[arg(long)]
    pub instances_only: bool,
    /// Where the state comes from
    #[arg(long, value_enum, default_value_t = SourceName::Aws)]
    pub source: SourceName,
    /// File to read with `--source file` (can be repeated)
    #[arg(long = "file", value_name = "FILE", required_if_eq("source", "file"))]
    pub files: Vec<PathBuf>,
    /// Aggregator to ask with `--source config-aggregator`
    #[arg(long, value_name = "NAME", required_if_eq("source", "config-aggregator"))]
    pub aggregator: Option<String>,
    /// Keep what is found in FILE, and go on from there when run again
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// How to reach AWS
    #[command(flatten)]
    pub access: AccessArgs,
}

/// As whom in the other accounts.
#[derive(Clone, Debug, Args)]
pub struct RoleArgs {
    /// Role to assume in the other accounts
    #[arg(long, value_name = "NAME")]
    pub role_name: Option<String>,
    /// External id that the role asks for
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
}

/// How to reach AWS.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of STS and Organizations
    #[arg(long, value_name = "REGION")]
    pub home_region: Option<String>,
    /// Send every call to this URL
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Allow the credentials of the instance that this runs on
    #[arg(long)]
    pub instance_role: bool,
    /// How many accounts and Regions to work on at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Share of AWS's published request limits to use, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit_share: u8,
    /// First pause after a failed call, in milliseconds; doubles from one to the next
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 500)]
    pub backoff: u64,
}

/// Where the state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceName {
    /// The APIs of each account and Region
    Aws,
    /// Saved `describe-instances` output, AWS Config snapshots, or the JSON Lines of `state`
    File,
    /// An AWS Config aggregator
    ConfigAggregator,
}

/// How `state` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateOutput {
    /// Columns
    Table,
    /// One JSON document
    Json,
    /// One JSON value a line
    Jsonl,
    /// Comma-separated values
    Csv,
    /// Gauges for Prometheus
    Openmetrics,
    /// A dataset in `--output-dir`, partitioned by account and Region
    Parquet,
}

/// Arguments of `state`.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// Where to look
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = StateOutput::Table)]
    pub output: StateOutput,
    /// Directory of the dataset
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

/// How `usage` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UsageOutput {
    /// Columns
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
}

/// Arguments of `usage`.
#[derive(Clone, Debug, Args)]
pub struct UsageArgs {
    /// Where to look
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// How many whole days back to look
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub days: u16,
    /// Output format
    #[arg(long, value_enum, default_value_t = UsageOutput::Table)]
    pub output: UsageOutput,
}

/// Arguments of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Where to look
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Policy file
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// File to write the page to
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// How `audit` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingsOutput {
    /// Columns
    Table,
    /// One JSON document
    Json,
    /// One JSON value a line
    Jsonl,
    /// Comma-separated values
    Csv,
    /// SARIF 2.1.0
    Sarif,
    /// OCSF Compliance Findings
    Ocsf,
    /// JUnit XML
    Junit,
    /// Gauges for Prometheus
    Openmetrics,
}

/// From which severity on a finding fails the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Every finding
    Informational,
    /// All but the informational ones
    Low,
    /// Medium and high
    Medium,
    /// High only
    High,
}

impl FailOn {
    /// The severity.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Informational => Severity::Informational,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
        }
    }
}

/// Arguments of `audit`.
#[derive(Clone, Debug, Args)]
pub struct AuditArgs {
    /// Where to look
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Policy file
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Lowest severity that ends with 1
    #[arg(long, value_enum, default_value_t = FailOn::Low)]
    pub fail_on: FailOn,
    /// Judge exceptions as of this day instead of today
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<jiff::civil::Date>,
    /// Output format
    #[arg(long, value_enum, default_value_t = FindingsOutput::Table)]
    pub output: FindingsOutput,
}

/// Arguments of `plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// Where to look
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Whether requests need a session token: `optional` or `required`
    #[arg(long, value_name = "VALUE", value_parser = tokens)]
    pub http_tokens: Option<HttpTokens>,
    /// How many hops the answer to a token request travels: 1 to 64
    #[arg(long, value_name = "HOPS", value_parser = hop_limit)]
    pub hop_limit: Option<HopLimit>,
    /// Whether the IPv6 endpoint answers: `enabled` or `disabled`
    #[arg(long, value_name = "VALUE", value_parser = switch)]
    pub ipv6: Option<Switch>,
    /// Whether instance tags are shown: `enabled` or `disabled`
    #[arg(long, value_name = "VALUE", value_parser = switch)]
    pub tags: Option<Switch>,
    /// Whether the service answers at all: `enabled` or `disabled`; left as it is unless said
    #[arg(long, value_name = "VALUE", value_parser = switch)]
    pub http_endpoint: Option<Switch>,
    /// Change the defaults of each account and Region, too
    #[arg(long, conflicts_with = "instances_only")]
    pub account_defaults: bool,
    /// Change the default version of each launch template, too
    #[arg(long, conflicts_with = "instances_only")]
    pub launch_templates: bool,
    /// Move the groups that pin a version of a launch template to a new one, too
    #[arg(long, conflicts_with = "instances_only")]
    pub pinned_groups: bool,
    /// Whether each account and Region refuses IMDSv1 altogether: `enabled` or `disabled`. `enabled` needs `--allow-irreversible`
    #[arg(long, value_name = "VALUE", value_parser = switch, conflicts_with = "instances_only")]
    pub http_tokens_enforced: Option<Switch>,
    /// Do not change instances
    #[arg(long)]
    pub no_instances: bool,
    /// Plan changes even where EC2 would refuse to undo them
    #[arg(long)]
    pub allow_irreversible: bool,
    /// Which instances are ready
    #[command(flatten)]
    pub ready: ReadyArgs,
    /// File to write the plan to; must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Which instances are ready to lose IMDSv1.
#[derive(Clone, Debug, Args)]
pub struct ReadyArgs {
    /// Read the usage metrics: `required` is planned only for instances that are `ready`
    #[arg(long, conflicts_with = "usage_file")]
    pub usage: bool,
    /// How many whole days back `--usage` looks
    #[arg(long, value_name = "DAYS", default_value_t = 14, requires = "usage", value_parser = clap::value_parser!(u16).range(1..=90))]
    pub usage_days: u16,
    /// Take the verdicts from FILE, which `usage --output json` wrote
    #[arg(long, value_name = "FILE")]
    pub usage_file: Option<PathBuf>,
    /// Plan `required` even for instances that still use IMDSv1
    #[arg(long)]
    pub include_in_use: bool,
    /// Plan `required` even for instances of which it is not known whether they use IMDSv1
    #[arg(long)]
    pub include_unknown: bool,
}

/// Arguments of `apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// Plan to apply
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Journal to write; PLAN.journal unless said
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// As whom in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// Do not ask EC2 first whether the changes would be allowed
    #[arg(long)]
    pub no_probe: bool,
    /// Milliseconds between two looks at whether a wave is in force
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000)]
    pub poll: u64,
    /// How many times to look before giving up
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub polls: u32,
    /// Seconds to wait between waves
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub pause: u64,
    /// Command that opens the gate to the next wave by ending with 0
    #[arg(long, value_name = "COMMAND")]
    pub gate_command: Option<String>,
    /// Let the next wave begin although IMDSv1 calls are being refused
    #[arg(long)]
    pub no_gate_metric: bool,
    /// How to reach AWS
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Arguments of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    /// Journal of the run to undo
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Restore even what someone else has changed since
    #[arg(long)]
    pub force: bool,
    /// Restore the rest even where EC2 refuses to set instances back to IMDSv1
    #[arg(long)]
    pub allow_irreversible: bool,
    /// Milliseconds between two looks at whether what was before is in force
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 5000)]
    pub poll: u64,
    /// How many times to look before giving up
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub polls: u32,
    /// As whom in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// How to reach AWS
    #[command(flatten)]
    pub access: AccessArgs,
}

/// How `rules` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesOutput {
    /// For people
    Text,
    /// One JSON document
    Json,
}

/// Arguments of `rules`.
#[derive(Clone, Copy, Debug, Args)]
pub struct RulesArgs {
    /// Output format
    #[arg(long, value_enum, default_value_t = RulesOutput::Text)]
    pub output: RulesOutput,
}

fn tokens(text: &str) -> Result<HttpTokens, String> {
    HttpTokens::parse(text).ok_or_else(|| "say `optional` or `required`".to_owned())
}

fn switch(text: &str) -> Result<Switch, String> {
    Switch::parse(text).ok_or_else(|| "say `enabled` or `disabled`".to_owned())
}

fn hop_limit(text: &str) -> Result<HopLimit, String> {
    text.parse().ok().and_then(HopLimit::new).ok_or_else(|| "say a number from 1 to 64".to_owned())
}

fn filter(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, values) = text
        .split_once('=')
        .filter(|(name, values)| !name.is_empty() && !values.is_empty())
        .ok_or_else(|| format!("`{text}` is not a filter: say `NAME=VALUE`"))?;
    Ok((name.to_owned(), values.split(',').map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn declared_without_contradiction() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
