//! `imds man`: manual pages.

use std::ffi::OsString;

use clap::{Args as ClapArgs, Command};
use imds_model::env;
use imds_usage::{Entry, Manual, Pages, UnknownSubcommand};

use super::external;
use crate::report::Failure;
use crate::{examples, exit, output, suggest};

/// Print a manual page, in roff
///
/// Without a subcommand, prints the page of `imds`, which names the others. The pages of
/// `imds-fleet` and the other programs come from the programs themselves: `imds man fleet plan` is
/// `imds-fleet man plan`.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Subcommand whose page to print, such as `get` or `aws-cli install`
    #[arg(value_name = "SUBCOMMAND")]
    subcommand: Vec<String>,
}

/// Programs of their own, whose pages they print themselves.
const EXTERNAL: [&str; 4] = ["fleet", "lifecycle", "lint", "trace"];

/// Prints a page of `root`, the whole program.
pub(crate) fn run(args: &Args, root: Command) -> Result<(), Failure> {
    if let Some((name, rest)) = args.subcommand.split_first()
        && EXTERNAL.contains(&name.as_str())
    {
        let words = std::iter::once("man").chain(rest.iter().map(String::as_str));
        let arguments = external::Args::of(words.map(OsString::from).collect());
        return external::run(&format!("imds-{name}"), &arguments);
    }
    let connects = connecting(&root);
    let given = |subcommand: &str| manual(subcommand, &connects);
    let page = Pages::new(root, imds_usage::version!(), &given).page(&args.subcommand).map_err(unknown)?;
    output::text(&page)
}

fn unknown(unknown: UnknownSubcommand) -> Failure {
    let known = || unknown.known.iter().map(String::as_str);
    let shown = imds_model::printable::brief(&unknown.name);
    let failure = Failure::usage(format!("cannot find a manual page: there is no subcommand `{shown}`"));
    match suggest::nearest(&unknown.name, known()) {
        Some(near) => failure.hint(format!("`imds man {near}` prints a page")),
        None if unknown.known.is_empty() => failure,
        None => failure.hint(format!("the subcommands are `{}`", unknown.known.join("`, `"))),
    }
}

/// The subcommands that send requests, as they are typed.
fn connecting(root: &Command) -> Vec<String> {
    fn add(command: &Command, path: &str, found: &mut Vec<String>) {
        if command.get_arguments().any(|argument| argument.get_id() == "endpoint_mode") {
            found.push(path.to_owned());
        }
        for subcommand in command.get_subcommands() {
            add(subcommand, format!("{path} {}", subcommand.get_name()).trim_start(), found);
        }
    }
    let mut found = vec![String::new()];
    add(root, "", &mut found);
    found
}

fn manual(subcommand: &str, connecting: &[String]) -> Manual<'static> {
    let connects = connecting.iter().any(|found| found == subcommand);
    let (environment, files) = match subcommand {
        _ if connects => (ENVIRONMENT, FILES),
        "aws-cli" | "aws-cli install" | "aws-cli uninstall" | "aws-cli status" => {
            (ALIAS_ENVIRONMENT, ALIAS_FILES)
        }
        "serve" | "emulate" => (EMULATE_ENVIRONMENT, EMULATE_FILES),
        "completions" => (COLOUR, COMPLETION_FILES),
        "man" => (COLOUR, MAN_FILES),
        _ => (COLOUR, NO_FILES),
    };
    Manual { environment, files, exit_status: exit::CODES, examples: examples::of(subcommand), see_also: &[] }
}

const ENVIRONMENT: &[Entry<'static>] = &[
    (env::ENDPOINT, "Endpoint URL of the service. It takes precedence over every endpoint mode."),
    (env::ENDPOINT_MODE, "Endpoint mode: IPv4, IPv6, or auto."),
    (env::DISABLED, "If true, no request is sent, and commands that need one end with exit code 5."),
    (env::TIMEOUT, "Timeout of one connect and of one read, in seconds."),
    (env::NUM_ATTEMPTS, "Number of attempts, the first included."),
    (env::V1_DISABLED, "If true, --imds-v1 is refused with exit code 5."),
    (env::INSTANCE_PROFILE_NAME, "Name of the role, so that the service is not asked for it."),
    (env::CONFIG_FILE, "Path of the AWS config file, ~/.aws/config by default."),
    (env::CREDENTIALS_FILE, "Path of the AWS credentials file, ~/.aws/credentials by default."),
    (env::PROFILE, "Profile of both files, default by default."),
    (env::DEFAULT_PROFILE, "The older name of AWS_PROFILE, for when that is not set."),
    (env::CACHE_DIR, "Directory of the token store. If empty, the usual directory is used."),
    (env::XDG_RUNTIME_DIR, "The token store is in its subdirectory imds, if it is set."),
    (env::XDG_CACHE_HOME, "The token store is in its subdirectory imds, if there is no runtime directory."),
    ("NO_COLOR", "If set, nothing is coloured."),
];

const FILES: &[Entry<'static>] = &[
    (
        "~/.aws/config, ~/.aws/credentials",
        "Profile keys ec2_metadata_service_endpoint, ec2_metadata_service_endpoint_mode, disable_ec2_metadata, \
         ec2_metadata_v1_disabled, ec2_instance_profile_name, metadata_service_timeout and \
         metadata_service_num_attempts.",
    ),
    (
        "$XDG_RUNTIME_DIR/imds/, /run/imds/ (root), ~/.cache/imds/",
        "Session tokens, one file for each endpoint and boot, readable by their owner only.",
    ),
];

const COLOUR: &[Entry<'static>] = &[("NO_COLOR", "If set, nothing is coloured.")];

const NO_FILES: &[Entry<'static>] =
    &[("none", "It reads and writes no file but those that its arguments name.")];

const ALIAS_ENVIRONMENT: &[Entry<'static>] =
    &[("HOME", "The AWS CLI's alias file is below it."), ("NO_COLOR", "If set, nothing is coloured.")];

const ALIAS_FILES: &[Entry<'static>] =
    &[("~/.aws/cli/alias", "Aliases of the AWS CLI. Only the lines between the marks of imds are changed.")];

const EMULATE_ENVIRONMENT: &[Entry<'static>] = &[
    (env::ENDPOINT, "Set for the command of emulate, to the endpoint of the emulated service."),
    ("NO_PROXY", "Extended for the command of emulate, so that no proxy is asked for the service."),
    ("NO_COLOR", "If set, nothing is coloured."),
];

const EMULATE_FILES: &[Entry<'static>] = &[(
    "none by itself",
    "Instances, snapshots, scenarios and recordings are the files that its options name.",
)];

const COMPLETION_FILES: &[Entry<'static>] = &[
    ("~/.local/share/bash-completion/completions/imds", "Where Bash finds the script by itself."),
    ("~/.config/fish/completions/imds.fish", "Where Fish finds it."),
    ("_imds in a directory of fpath", "Where Zsh finds it."),
];

const MAN_FILES: &[Entry<'static>] =
    &[("/usr/share/man/man1/", "Where the packages install the pages; elsewhere `imds man` prints them.")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_sections_and_examples_that_parse() {
        let root = crate::cli::command();
        let connects = connecting(&root);
        let given = |subcommand: &str| manual(subcommand, &connects);
        let problems = Pages::new(root, "1", &given).problems();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
