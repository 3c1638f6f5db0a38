//! `imds aws-cli`: makes `aws imds ...` work, through the AWS CLI's own alias file.

mod alias;
mod file;
mod passed;
mod run;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use imds::{Environment as _, SystemEnvironment};
use imds_model::env;
use serde_json::json;

use self::alias::{AliasError, Status};
use crate::exit::Exit;
use crate::output::{self, Format};
use crate::render::shell;
use crate::report::Failure;

/// Where the AWS CLI, v1 and v2, looks for aliases: under the home directory, whatever
/// `AWS_CONFIG_FILE` says (`awscli/alias.py`; AWS CLI User Guide, "Creating and using aliases").
const ALIAS_FILE: &str = ".aws/cli/alias";

/// Make `aws imds get --path PATH` work in the AWS CLI
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add the alias `imds` to the AWS CLI's alias file
    ///
    /// Every other line of the file stays as it is. Done again, it changes nothing, or only the
    /// path of this executable.
    Install(FileArgs),
    /// Take the alias `imds` out of the AWS CLI's alias file again
    Uninstall(FileArgs),
    /// Tell whether `aws imds` works, and what it runs
    Status(StatusArgs),
    /// Run what the AWS CLI passed on
    #[command(hide = true)]
    Run(RunArgs),
}

#[derive(ClapArgs, Debug)]
struct RunArgs {
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(ClapArgs, Debug)]
struct FileArgs {
    /// Edit this file instead of `~/.aws/cli/alias`
    #[arg(long, value_name = "FILE")]
    alias_file: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
struct StatusArgs {
    #[command(flatten)]
    file: FileArgs,

    /// Output format
    #[arg(long, short, visible_alias = "format", value_name = "FORMAT", value_enum, default_value_t)]
    output: Format,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Install(args) => install(&path(args)?),
        Action::Uninstall(args) => uninstall(&path(args)?),
        Action::Status(args) => status(&path(&args.file)?, args.output),
        Action::Run(args) => run::run(&args.arguments),
    }
}

fn path(args: &FileArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.alias_file {
        return Ok(path.clone());
    }
    let home = SystemEnvironment.path_variable(env::HOME);
    home.map(|home| home.join(ALIAS_FILE)).ok_or_else(|| {
        Failure::usage(format!("`{}` is not set, so `~/{ALIAS_FILE}` is nowhere", env::HOME))
            .hint("name the file with `--alias-file FILE`")
    })
}

fn install(path: &Path) -> Result<(), Failure> {
    let before = file::read(path)?;
    let command = own_command()?;
    let after = alias::install(&before, &command).map_err(|error| refused(path, &error))?;
    file::replace(path, &before, &after)?;
    output::text(&format!("`aws imds` runs {command} (alias in {})\n", path.display()))
}

fn uninstall(path: &Path) -> Result<(), Failure> {
    let before = file::read(path)?;
    let after = alias::uninstall(&before).map_err(|error| refused(path, &error))?;
    file::replace(path, &before, &after)?;
    let done = if before == after { "there was no alias of ours in" } else { "removed the alias from" };
    output::text(&format!("{done} {}\n", path.display()))
}

fn status(path: &Path, format: Format) -> Result<(), Failure> {
    let status = alias::status(&file::read(path)?).map_err(|error| refused(path, &error))?;
    let file = path.display();
    let (installed, command, line) = match &status {
        Status::Absent => (false, None, format!("not installed: {file} has no alias `imds`\n")),
        Status::Installed { command } => {
            (true, Some(command.clone()), format!("installed: `aws imds` runs {command} (alias in {file})\n"))
        }
        Status::Foreign { line } => (
            false,
            None,
            format!("not installed: line {line} of {file} has an alias `imds` of somebody else's\n"),
        ),
    };
    match format {
        Format::Text => output::text(&line),
        Format::Json => {
            let foreign = match status {
                Status::Foreign { line } => Some(line),
                _ => None,
            };
            let value = json!({
                "installed": installed,
                "file": file.to_string(),
                "command": command,
                "foreignLine": foreign,
            });
            output::document(&format!("{value:#}\n"))
        }
    }
}

fn refused(path: &Path, error: &AliasError) -> Failure {
    let hint = match error {
        AliasError::Foreign { .. } => "rename or remove that alias first",
        AliasError::Torn { .. } => "remove what is left of the alias by hand",
    };
    Failure::told(Exit::Usage, format!("`{}` is left as it is", path.display())).caused_by(error).hint(hint)
}

/// What the alias runs: this executable, by its path, so that it works whatever the PATH is.
fn own_command() -> Result<String, Failure> {
    let failed = || Failure::told(Exit::Unexpected, "the path of this executable cannot stand in an alias");
    let path = std::env::current_exe().map_err(|error| failed().caused_by(error))?;
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r'])).ok_or_else(failed)?;
    Ok(format!("{} aws-cli run --", shell::word(text)))
}
