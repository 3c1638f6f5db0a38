//! The command line, declared.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use imds_model::duration;
use imds_model::options::{HopLimit, HttpTokens, Switch};

use crate::inventory::owner::Owner;
use crate::rules::catalogue::Severity;
use crate::scan::fleet::Shard;

/// Find, judge and safely change the instance metadata options of a fleet of EC2 instances
///
/// Three commands from zero: `imds-fleet state` shows which instances allow IMDSv1,
/// `imds-fleet usage` who still uses it, and
/// `imds-fleet plan --http-tokens required --usage --out plan.json`, then
/// `imds-fleet apply plan.json` turn it off where nobody does.
#[derive(Debug, Parser)]
#[command(name = "imds-fleet", version = imds_usage::version!(), disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Command to run
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the metadata options of every instance, and what the next launch would get
    State(StateArgs),
    /// Judge the fleet by a policy; exit with 1 if there are findings
    Audit(AuditArgs),
    /// Show who still uses IMDSv1, by the CloudWatch metrics
    Usage(UsageArgs),
    /// Write one self-contained HTML page
    Report(ReportArgs),
    /// Write a plan of changes to a file; change nothing
    Plan(PlanArgs),
    /// Apply a plan in waves, with a journal
    Apply(ApplyArgs),
    /// Restore what a journal says was changed
    Rollback(RollbackArgs),
    /// List the rules of `audit`
    Rules(RulesArgs),
    /// Print the IAM policy or organization policy that a task needs
    Policy(PolicyArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a manual page, in roff
    #[command(hide = true)]
    Man(ManArgs),
}

/// What to scan.
#[derive(Clone, Debug, Args)]
pub struct ScopeArgs {
    /// Scan these Regions, separated by commas
    #[arg(long, value_name = "REGION", value_delimiter = ',', conflicts_with = "all_regions", value_parser = values::region)]
    pub regions: Vec<String>,
    /// Scan every Region that each account has enabled
    #[arg(long)]
    pub all_regions: bool,
    /// Scan the accounts listed in FILE, one per line; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "organization")]
    pub accounts: Option<PathBuf>,
    /// Scan every active account of the organization
    #[arg(long)]
    pub organization: bool,
    /// Scan only the accounts below this organizational unit or root, nested ones included (can be
    /// repeated)
    #[arg(long, value_name = "ID", requires = "organization")]
    pub ou: Vec<String>,
    /// Leave these accounts out, separated by commas
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub exclude_accounts: Vec<String>,
    /// Role in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// Assume this role to list the accounts of the organization
    #[arg(long, value_name = "ARN", requires = "organization")]
    pub listing_role: Option<String>,
    /// Scan only part K of N of the accounts
    #[arg(long, value_name = "K/N", value_parser = Shard::parse, default_value = "1/1")]
    pub shard: Shard,
    /// Scan only instances that match this EC2 filter, such as `tag:team=web,shop` (can be
    /// repeated)
    #[arg(long = "filter", value_name = "NAME=VALUE", value_parser = values::filter)]
    pub filters: Vec<(String, Vec<String>)>,
    /// Scan only instances that answer IMDSv1
    #[arg(long)]
    pub v1_only: bool,
    /// Leave out launch templates, launch configurations, images and account defaults
    #[arg(long)]
    pub instances_only: bool,
    /// Set by the commands that have no use for the risk of instances.
    #[arg(skip)]
    pub without_risk: bool,
    /// Set by the commands that take `--user-data`.
    #[arg(skip)]
    pub user_data: bool,
    /// Read the state from this source
    #[arg(long, value_enum, default_value_t = SourceName::Aws)]
    pub source: SourceName,
    /// Read FILE with `--source file`; `-` reads standard input (can be repeated)
    #[arg(long = "file", value_name = "FILE", required_if_eq("source", "file"))]
    pub files: Vec<PathBuf>,
    /// Ask this aggregator with `--source config-aggregator`
    #[arg(long, value_name = "NAME", required_if_eq("source", "config-aggregator"))]
    pub aggregator: Option<String>,
    /// Save what is found to FILE; run again to resume
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Access to AWS
    #[command(flatten)]
    pub access: AccessArgs,
}

/// Role in the other accounts.
#[derive(Clone, Debug, Args)]
pub struct RoleArgs {
    /// Assume this role in the other accounts
    #[arg(long, value_name = "NAME")]
    pub role_name: Option<String>,
    /// External id that the role requires
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
}

/// Access to AWS.
#[derive(Clone, Debug, Args)]
pub struct AccessArgs {
    /// Profile of the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of STS and Organizations, and the Region to scan by default
    #[arg(long, value_name = "REGION", value_parser = values::region)]
    pub home_region: Option<String>,
    /// Send every call to this URL
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Allow the credentials of the instance that this program runs on
    #[arg(long)]
    pub instance_role: bool,
    /// Number of accounts and Regions, or calls, to work on at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,
    /// Percentage of AWS's published request limits to use
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit_share: u8,
    /// Longest pause before the first retry; it doubles with each one (full jitter)
    #[arg(long, value_name = "DURATION", default_value = "500ms", value_parser = duration::parse)]
    pub backoff: Duration,
}

/// Where the state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceName {
    /// The APIs of each account and Region
    Aws,
    /// Saved output of the AWS CLI, AWS Config, Steampipe, Terraform or `state`
    File,
    /// An AWS Config aggregator
    ConfigAggregator,
}

/// Output format of `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StateOutput {
    /// A table
    Table,
    /// One JSON document
    Json,
    /// One JSON value per line
    Jsonl,
    /// Comma-separated values
    Csv,
    /// Gauges for Prometheus
    Openmetrics,
    /// A dataset in `--output-dir`, partitioned by account and Region
    Parquet,
}

/// User data of launch templates.
#[derive(Clone, Copy, Debug, Args)]
pub struct UserDataArgs {
    /// Have `imds-lint` read the user data of launch templates
    #[arg(long, conflicts_with = "instances_only")]
    pub user_data: bool,
}

impl UserDataArgs {
    /// The scope, with user data where it is asked for.
    #[must_use]
    pub fn within(self, scope: &ScopeArgs) -> ScopeArgs {
        ScopeArgs { user_data: self.user_data, ..scope.clone() }
    }
}

/// Traces of `imds-trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceArgs {
    /// Join the JSON lines that `imds-trace` wrote to FILE; `-` reads standard input (can be
    /// repeated)
    #[arg(long = "trace", value_name = "FILE")]
    pub traces: Vec<PathBuf>,
}

/// Order of the rows of `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Order {
    /// As they are found
    Found,
    /// Instances by their risk, the highest first; keeps all of them in memory
    Risk,
}

/// Arguments of `state`.
#[derive(Clone, Debug, Args)]
pub struct StateArgs {
    /// What to scan
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = StateOutput::Table)]
    pub output: StateOutput,
    /// User data
    #[command(flatten)]
    pub user_data: UserDataArgs,
    /// Order of the rows
    #[arg(long, value_enum, default_value_t = Order::Found)]
    pub sort: Order,
    /// Directory of the dataset (`--output parquet`)
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

/// Output format of `usage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UsageOutput {
    /// A table
    Table,
    /// One JSON document
    Json,
    /// Comma-separated values
    Csv,
}

/// Arguments of `usage`.
#[derive(Clone, Debug, Args)]
pub struct UsageArgs {
    /// What to scan
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Number of whole days to look back, besides today
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=90))]
    pub days: u16,
    /// Traces of the instances
    #[command(flatten)]
    pub traces: TraceArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = UsageOutput::Table)]
    pub output: UsageOutput,
}

/// Arguments of `report`.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// What to scan
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Judge by the policy in FILE
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// User data
    #[command(flatten)]
    pub user_data: UserDataArgs,
    /// Traces of the instances
    #[command(flatten)]
    pub traces: TraceArgs,
    /// Write the page to FILE
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Output format of `audit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FindingsOutput {
    /// A table
    Table,
    /// One JSON document
    Json,
    /// One JSON value per line
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

/// Lowest severity that fails the audit.
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
    /// What to scan
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Judge by the policy in FILE
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// User data
    #[command(flatten)]
    pub user_data: UserDataArgs,
    /// Exit with 1 from this severity on
    #[arg(long, value_enum, default_value_t = FailOn::Low)]
    pub fail_on: FailOn,
    /// Judge exceptions as of this date instead of today
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<jiff::civil::Date>,
    /// Output format
    #[arg(long, value_enum, default_value_t = FindingsOutput::Table)]
    pub output: FindingsOutput,
}

/// Arguments of `plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// What to scan
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Set whether requests need a session token: `optional` or `required`
    #[arg(long, value_name = "VALUE", value_parser = values::tokens)]
    pub http_tokens: Option<HttpTokens>,
    /// Raise hop limits below HOPS (1 to 64) to HOPS; never lower one
    #[arg(long, value_name = "HOPS", value_parser = values::hop_limit, conflicts_with = "hop_limit_exact")]
    pub hop_limit: Option<HopLimit>,
    /// Set the hop limit to HOPS (1 to 64), also where that lowers it
    #[arg(long, value_name = "HOPS", value_parser = values::hop_limit)]
    pub hop_limit_exact: Option<HopLimit>,
    /// Set whether the IPv6 endpoint answers: `enabled` or `disabled`
    #[arg(long, value_name = "VALUE", value_parser = values::switch)]
    pub ipv6: Option<Switch>,
    /// Set whether instance tags are shown: `enabled` or `disabled`
    #[arg(long, value_name = "VALUE", value_parser = values::switch)]
    pub tags: Option<Switch>,
    /// Set whether the service answers at all: `enabled` or `disabled`; unchanged by default
    #[arg(long, value_name = "VALUE", value_parser = values::switch)]
    pub http_endpoint: Option<Switch>,
    /// Change the defaults of each account and Region too
    #[arg(long, conflicts_with = "instances_only")]
    pub account_defaults: bool,
    /// Change the default version of each launch template too
    #[arg(long, conflicts_with = "instances_only")]
    pub launch_templates: bool,
    /// Move the groups that pin a version of a launch template to a new version too
    #[arg(long, conflicts_with = "instances_only")]
    pub pinned_groups: bool,
    /// Set whether each account and Region refuses IMDSv1 altogether: `enabled` (needs
    /// `--allow-irreversible`) or `disabled`
    #[arg(long, value_name = "VALUE", value_parser = values::switch, conflicts_with = "instances_only")]
    pub http_tokens_enforced: Option<Switch>,
    /// Do not change instances
    #[arg(long)]
    pub no_instances: bool,
    /// Plan changes even where EC2 would refuse to undo them
    #[arg(long)]
    pub allow_irreversible: bool,
    /// Plan `--http-tokens-enforced` even where it makes the next launch of a template or group
    /// fail
    #[arg(long)]
    pub allow_launch_failures: bool,
    /// Plan changes even of what this service or tool owns, separated by commas: `eks`, `ecs`,
    /// `batch`, `elastic-beanstalk`, `emr`, `karpenter`, `image-builder`, `cloud9`,
    /// `cloudformation`
    #[arg(long, value_name = "OWNER", value_delimiter = ',', value_parser = values::owner)]
    pub include_owned: Vec<Owner>,
    /// What is ready for IMDSv2
    #[command(flatten)]
    pub ready: ReadyArgs,
    /// Write the plan to FILE, which must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// What is ready for IMDSv2.
#[derive(Clone, Debug, Args)]
pub struct ReadyArgs {
    /// Read the usage metrics, and plan `required` only for what is `ready`
    #[arg(long, conflicts_with = "usage_file")]
    pub usage: bool,
    /// Number of whole days that `--usage` looks back, besides today
    #[arg(long, value_name = "DAYS", default_value_t = 14, requires = "usage", value_parser = clap::value_parser!(u16).range(1..=90))]
    pub usage_days: u16,
    /// Take the statuses from FILE, written by `usage --output json`
    #[arg(long, value_name = "FILE")]
    pub usage_file: Option<PathBuf>,
    /// Plan `required` even for what still uses IMDSv1
    #[arg(long)]
    pub include_in_use: bool,
    /// Plan `required` even where it is unknown whether IMDSv1 is used
    #[arg(long)]
    pub include_unknown: bool,
}

/// Arguments of `apply`.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// Plan to apply
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    /// Write the journal to FILE [default: PLAN.journal]
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Refuse a plan that is older than this
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration::parse_positive)]
    pub max_age: Duration,
    /// Apply a plan however old it is
    #[arg(long)]
    pub stale: bool,
    /// Role in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// Skip the dry runs that ask EC2 whether the changes are allowed
    #[arg(long)]
    pub no_probe: bool,
    /// Poll interval while a wave comes into force
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse_positive)]
    pub poll: Duration,
    /// Give up after this many polls
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub polls: u32,
    /// Wait this long between waves
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration::parse)]
    pub pause: Duration,
    /// Run COMMAND between waves; continue only if it exits with 0
    #[arg(long, value_name = "COMMAND")]
    pub gate_command: Option<String>,
    /// Do not read the usage metrics before and after each wave
    #[arg(long)]
    pub no_gate_metric: bool,
    /// Access to AWS
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
    /// Poll interval while the restored options come into force
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse_positive)]
    pub poll: Duration,
    /// Give up after this many polls
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub polls: u32,
    /// Role in the other accounts
    #[command(flatten)]
    pub role: RoleArgs,
    /// Access to AWS
    #[command(flatten)]
    pub access: AccessArgs,
}

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyTask {
    /// The IAM policy to read: `state`, `audit`, `usage`, `report`, `plan`
    Read,
    /// The IAM policy to change: `apply`, `rollback`
    Apply,
    /// The service control policy and the EC2 declarative policy that keep IMDSv1 off
    Organization,
}

/// Form of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyOutput {
    /// One JSON document
    Json,
    /// A CloudFormation template with the role, for a StackSet over the organization
    Stackset,
}

/// Arguments of `policy`.
#[derive(Clone, Debug, Args)]
pub struct PolicyArgs {
    /// What the policy is for
    #[arg(value_enum)]
    pub task: PolicyTask,
    /// Output format
    #[arg(long, value_enum, default_value_t = PolicyOutput::Json)]
    pub output: PolicyOutput,
    /// Only what is needed without launch templates, launch configurations, images and account
    /// defaults
    #[arg(long)]
    pub instances_only: bool,
    /// Include what `--launch-templates` and `--pinned-groups` need
    #[arg(long)]
    pub launch_templates: bool,
    /// Include what `--account-defaults` and `--http-tokens-enforced` need
    #[arg(long)]
    pub account_defaults: bool,
    /// Include what `--organization` needs in the account that lists the others
    #[arg(long)]
    pub organization: bool,
    /// Include what `--source config-aggregator` needs
    #[arg(long)]
    pub aggregator: bool,
    /// Name of the role in the StackSet
    #[arg(long, value_name = "NAME", default_value = "imds-fleet")]
    pub role_name: String,
    /// Account whose principals may assume the role in the StackSet
    #[arg(long, value_name = "ACCOUNT", required_if_eq("output", "stackset"), value_parser = values::account)]
    pub trusted_account: Option<String>,
    /// Require this external id in the StackSet
    #[arg(long, value_name = "ID")]
    pub external_id: Option<String>,
    /// ARN of a principal that the service control policy exempts, `*` allowed (can be repeated)
    #[arg(long, value_name = "ARN")]
    pub exempt: Vec<String>,
}

/// Arguments of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to print the script for
    #[arg(value_enum)]
    pub shell: imds_usage::Shell,
}

/// Arguments of `man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// Subcommand whose page to print; without one, the page of `imds-fleet`
    #[arg(value_name = "SUBCOMMAND")]
    pub subcommand: Vec<String>,
}

/// Output format of `rules`.
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

#[cfg(test)]
mod tests {
    #[test]
    fn declared_without_contradiction() {
        use clap::CommandFactory;
        super::Cli::command().debug_assert();
    }
}
