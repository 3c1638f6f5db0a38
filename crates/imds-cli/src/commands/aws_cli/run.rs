//! `imds aws-cli run`: runs a command line of the AWS CLI as one of `imds`.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::passed::{self, Translated};
use crate::exit::Exit;
use crate::query::Query;
use crate::render::yaml;
use crate::report::{self, Failure};
use crate::{output, system, value};

/// The subcommands that print JSON with `--output json`.
const WITH_JSON: [&str; 11] = [
    "get",
    "list",
    "tree",
    "dump",
    "categories",
    "env",
    "token",
    "identity",
    "user-data",
    "credentials",
    "doctor",
];

/// Runs what the AWS CLI passed on, with the options that it kept for itself.
pub(super) fn run(received: &[OsString]) -> Result<(), Failure> {
    let typed = passed::command_line_of_parent();
    let translated = typed.and_then(|words| passed::translate(&words, received)).unwrap_or_else(|| {
        report::note(
            &"cannot see the options that the AWS CLI keeps for itself; write `--select`, `--format`, \
              `--endpoint` and AWS_PROFILE for them",
        );
        Translated::of(received)
    });
    let subcommand = translated.subcommand().unwrap_or_default().to_owned();
    let format = translated.output.as_ref().map(|format| format.to_string_lossy().into_owned());
    let format = match format.as_deref() {
        None => None,
        Some("yaml-stream") => Some("yaml"),
        Some(known @ ("text" | "json" | "yaml")) => Some(known),
        Some(other) => {
            return Err(Failure::usage(format!(
                "cannot print `{}` output through the alias",
                imds_model::printable::brief(other)
            ))
            .hint("use `--output text`, `json` or `yaml`, or the plugin of integrations/aws-cli"));
        }
    };
    let is_path = subcommand.contains('/');
    let has_json = is_path || WITH_JSON.contains(&subcommand.as_str());
    if !has_json && translated.query.is_some() {
        return Err(Failure::usage(format!("cannot use `--query` with `{subcommand}`: it prints no JSON")));
    }
    if subcommand == "get" || is_path {
        let query = translated.query.iter().flat_map(|query| ["--query".into(), query.clone()]);
        let format = format.iter().flat_map(|format| ["--output".into(), OsString::from(format)]);
        return Err(become_imds(&translated.with(&query.chain(format).collect::<Vec<_>>())));
    }
    match (&translated.query, format, subcommand.as_str()) {
        (None, None, _) => Err(become_imds(&translated.words)),
        (None, Some(_), _) if !has_json => Err(become_imds(&translated.words)),
        (None, Some(format @ ("text" | "json")), _) | (None, Some(format), "dump") => {
            Err(become_imds(&translated.with(&["--output".into(), format.into()])))
        }
        (query, format, _) => {
            let query = query.as_ref().map(|query| Query::parse(&query.to_string_lossy())).transpose()?;
            let document = json_of(&translated.with(&["--output".into(), "json".into()]))?;
            let found = match query {
                Some(query) => query.search(&document)?,
                None => document,
            };
            print(&found, format)
        }
    }
}

fn print(found: &Value, format: Option<&str>) -> Result<(), Failure> {
    match format {
        Some("text") => {
            output::text(&format!("{}\n", value::text_of(found).unwrap_or_else(|| "None".to_owned())))
        }
        Some("yaml") => output::document(&yaml::of(found)),
        _ => output::document(&format!("{found:#}\n")),
    }
}

/// Runs this program, and returns the JSON that it prints.
fn json_of(words: &[OsString]) -> Result<Value, Failure> {
    let failed = || Failure::told(Exit::Unexpected, "cannot run `imds`");
    let program = std::env::current_exe().map_err(|error| failed().caused_by(error))?;
    let output = Command::new(program)
        .args(words)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed().caused_by(error))?;
    if !output.status.success() {
        return Err(Failure::Child(
            output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        ));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        Failure::told(Exit::Unexpected, "cannot read what `imds --output json` printed").caused_by(error)
    })
}

/// Becomes this program with these arguments; returns only if that fails.
fn become_imds(words: &[OsString]) -> Failure {
    let error = match std::env::current_exe() {
        Ok(program) => system::become_command(Command::new(program).args(words), Some("imds")),
        Err(error) => error,
    };
    Failure::told(Exit::Unexpected, "cannot run `imds`").caused_by(error)
}
