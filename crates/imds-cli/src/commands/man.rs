//! `imds man`: manual pages.

use clap::{Args as ClapArgs, Command};
use imds_model::env;
use imds_usage::{Entry, Manual};

use crate::exit::Exit;
use crate::report::Failure;
use crate::{examples, output, suggest};

/// Print a manual page, in roff
///
/// Without a subcommand, prints the page of `imds`, which names the others. The pages of
/// `imds-fleet` and the other programs come from the programs themselves.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// Subcommand whose page to print, such as `get` or `aws-cli install`
    #[arg(value_name = "SUBCOMMAND")]
    subcommand: Vec<String>,
}

/// Programs of their own, whose pages they print themselves.
const EXTERNAL: [&str; 4] = ["fleet", "lifecycle", "lint", "trace"];

/// Prints a page of `root`, the whole program.
pub(crate) fn run(args: &Args, mut root: Command) -> Result<(), Failure> {
    if let [name] = &args.subcommand[..]
        && EXTERNAL.contains(&name.as_str())
    {
        let arguments = crate::commands::external::Args::of(["man".into()]);
        return crate::commands::external::run(&format!("imds-{name}"), &arguments);
    }
    root.build();
    let mut command = root.clone();
    for name in &args.subcommand {
        command = command.find_subcommand(name).cloned().ok_or_else(|| unknown(&command, name))?;
    }
    output::text(&page(command, &args.subcommand.join(" "), &root))
}

fn unknown(command: &Command, name: &str) -> Failure {
    let names = || command.get_subcommands().map(Command::get_name);
    let failure = Failure::told(
        Exit::Usage,
        format!("cannot find a manual page: there is no subcommand `{}`", imds_model::printable::brief(name)),
    );
    match suggest::nearest(name, names()) {
        Some(near) => failure.hint(format!("`imds man {near}` prints a page")),
        None => failure.hint(format!("the subcommands are `{}`", names().collect::<Vec<_>>().join("`, `"))),
    }
}

fn page(command: Command, subcommand: &str, root: &Command) -> String {
    let name = if subcommand.is_empty() {
        "imds".to_owned()
    } else {
        format!("imds-{}", subcommand.replace(' ', "-"))
    };
    let version = root.get_version().unwrap_or_default().to_owned();
    let command = command.display_name(&name).name(name).version(version);
    let connects = command.get_arguments().any(|argument| argument.get_id() == "endpoint_mode");
    let mut see_also: Vec<String> = Vec::new();
    if subcommand.is_empty() {
        see_also.extend(root.get_subcommands().map(|other| format!("imds-{}", other.get_name())));
    } else {
        see_also.push("imds".to_owned());
        see_also.extend(
            command.get_subcommands().map(|other| format!("{}-{}", command.get_name(), other.get_name())),
        );
    }
    let see_also: Vec<&str> =
        see_also.iter().map(String::as_str).filter(|page| !page.ends_with("-help")).collect();
    let environment = if connects || subcommand.is_empty() { ENVIRONMENT } else { &[] };
    let files = if connects || subcommand.is_empty() { FILES } else { &[] };
    let manual = Manual {
        environment,
        files,
        exit_status: crate::exit::CODES,
        examples: examples::of(subcommand),
        see_also: &see_also,
    };
    imds_usage::page(&command, &manual)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    /// Every command of the program, as its words.
    fn commands(command: &Command, path: &[String], found: &mut Vec<Vec<String>>) {
        found.push(path.to_vec());
        for subcommand in command.get_subcommands().filter(|found| found.get_name() != "help") {
            let path = [path, &[subcommand.get_name().to_owned()]].concat();
            commands(subcommand, &path, found);
        }
    }

    #[test]
    fn every_command_has_a_page_with_its_sections() {
        let mut root = cli::command();
        root.build();
        let mut all = Vec::new();
        commands(&root, &[], &mut all);
        for path in all
            .iter()
            .filter(|path| path.len() < 2 && !path.iter().any(|name| EXTERNAL.contains(&name.as_str())))
        {
            let mut command = root.clone();
            for name in path {
                command = command.find_subcommand(name).unwrap().clone();
            }
            let connects = command.get_arguments().any(|argument| argument.get_id() == "endpoint_mode");
            let page = page(command, &path.join(" "), &root);
            let mut wanted =
                vec![".SH NAME", ".SH SYNOPSIS", ".SH \"EXIT STATUS\"", ".SH EXAMPLES", ".SH \"SEE ALSO\""];
            if connects {
                wanted.extend([".SH \"ENVIRONMENT\"", ".SH \"FILES\""]);
            }
            for section in wanted {
                assert!(page.contains(section), "{path:?} has no {section}: {page}");
            }
        }
    }
}
