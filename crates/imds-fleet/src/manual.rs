//! What the manual pages, the help and the shell completions say beyond the declaration.

use clap::{Arg, CommandFactory as _};
use imds_usage::{Entry, Manual, Program, Values};

use crate::cli::Cli;
use crate::inventory::owner::Owner;

/// The program, by what is said here.
pub const PROGRAM: Program =
    Program { declaration: Cli::command, version: imds_usage::version!(), manual, values };

fn manual(subcommand: &str) -> Manual<'static> {
    let (environment, files) = match subcommand {
        "rules" | "policy" | "completions" | "man" => {
            (COLOUR, &[("none", "It reads and writes no file.")] as &[Entry<'static>])
        }
        "apply" | "rollback" => (ENVIRONMENT, CHANGE_FILES),
        _ => (ENVIRONMENT, FILES),
    };
    let see_also: &[&str] = if subcommand.is_empty() { &["imds"] } else { &[] };
    Manual { environment, files, exit_status: EXIT_STATUS, examples: examples(subcommand), see_also }
}

const COLOUR: &[Entry<'static>] = &[("NO_COLOR", "If set, help and errors are not coloured.")];

const ENVIRONMENT: &[Entry<'static>] = &[
    ("AWS_PROFILE", "Profile of the AWS configuration files, unless --profile names one."),
    ("AWS_REGION, AWS_DEFAULT_REGION", "Region of STS and Organizations, and the Region to scan by default."),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        "Credentials. Those of the instance that this runs on are used with --instance-role only.",
    ),
    ("AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Paths of the AWS configuration files."),
    ("AWS_CA_BUNDLE", "Certificates that AWS is trusted by, instead of the usual ones."),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "Proxy of the calls to AWS."),
    ("NO_COLOR", "If set, help and errors are not coloured."),
];

const FILES: &[Entry<'static>] = &[
    ("~/.aws/config, ~/.aws/credentials", "Profiles: credentials, roles and Regions."),
    ("the FILE of --checkpoint", "What a scan found so far; the same command resumes by it."),
];

const CHANGE_FILES: &[Entry<'static>] = &[
    ("~/.aws/config, ~/.aws/credentials", "Profiles: credentials, roles and Regions."),
    ("PLAN.journal", "What was changed, and what it was before; `rollback` restores by it."),
];

const EXIT_STATUS: &[Entry<'static>] = &[
    ("0", "Done, and nothing was found."),
    ("1", "Done, with findings; for plan, something had to be left out."),
    ("2", "Wrong usage, policy, plan, journal or credentials: nothing was done."),
    ("3", "Incomplete: something was not scanned, or a change is not in force."),
];

fn examples(subcommand: &str) -> &'static [Entry<'static>] {
    match subcommand {
        "" => &[
            ("imds-fleet state --v1-only", "Show the instances of this Region that allow IMDSv1"),
            ("imds-fleet usage --all-regions", "Show who still uses IMDSv1"),
            (
                "imds-fleet plan --http-tokens required --usage --out plan.json && imds-fleet apply plan.json",
                "Require session tokens where nobody uses IMDSv1",
            ),
        ],
        "state" => &[
            (
                "imds-fleet state --organization --role-name imds-fleet --all-regions --output csv > state.csv",
                "List the instances of an organization",
            ),
            ("imds-fleet state --source file --file instances.json", "Read saved output of the AWS CLI"),
        ],
        "audit" => &[
            ("imds-fleet audit --policy policy.toml", "Fail if the fleet breaks a policy"),
            ("imds-fleet audit --output sarif > imds-fleet.sarif", "Write a report for code scanning"),
        ],
        "usage" => &[("imds-fleet usage --days 30 --output json > usage.json", "Look a month back")],
        "report" => &[("imds-fleet report --all-regions --out report.html", "Write a page to show around")],
        "plan" => &[
            (
                "imds-fleet plan --http-tokens required --usage --out plan.json",
                "Plan to require session tokens where no usage is seen",
            ),
            (
                "imds-fleet plan --http-tokens required --hop-limit 2 --account-defaults --usage --out plan.json",
                "Plan for containers, and for instances to come, too",
            ),
        ],
        "apply" => &[("imds-fleet apply plan.json --pause 10m", "Apply a plan; run it again to resume")],
        "rollback" => &[("imds-fleet rollback plan.json.journal", "Restore what `apply` changed")],
        "rules" => &[("imds-fleet rules --output json", "List the rules of `audit` for a program")],
        "policy" => &[("imds-fleet policy read > imds-fleet-read.json", "Print the IAM policy of a reader")],
        "completions" => &[("source <(imds-fleet completions bash)", "Complete in this Bash")],
        "man" => &[("imds-fleet man plan | man -l -", "Show the manual page of a subcommand")],
        _ => &[],
    }
}

/// What an argument takes, where the declaration does not show it.
fn values(_: &[&str], argument: &Arg) -> Option<Values> {
    let words = |words: &[&str]| {
        Some(Values::Words(words.iter().map(|word| ((*word).to_owned(), String::new())).collect()))
    };
    match argument.get_id().as_str() {
        "http_tokens" => words(&["optional", "required"]),
        "ipv6" | "tags" | "http_endpoint" | "http_tokens_enforced" => words(&["enabled", "disabled"]),
        "include_owned" => words(&Owner::ALL.map(Owner::option)),
        "filters" => words(&["tag:", "instance-type=", "vpc-id=", "subnet-id=", "instance-state-name="]),
        "output_dir" => Some(Values::Directories),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_sections_and_examples_that_parse() {
        let problems = PROGRAM.problems();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
        // It is hidden from the help, and has a page all the same.
        assert!(PROGRAM.page(&["man".to_owned()]).is_ok());
    }
}
