//! `imds emulator`: a running emulator's control, and configurations of other emulators.

mod control;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args as ClapArgs, Subcommand};
use imds::{Environment as _, SystemEnvironment};
use imds_emulator::{EventText, FaultKind, INSTANCE_SCHEMA, import_aemm};
use imds_model::env;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output;
use crate::report::{self, Failure};

use super::emulator_args::{Secret, secret};
use control::Control;

/// Control a running emulator, or import another one's configuration
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ctl(Ctl),
    ImportAemm(ImportAemm),
    /// Print the JSON Schema of instance files, for editors
    Schema,
}

/// Change and watch a running emulator that was started with `--control`
#[derive(ClapArgs, Debug)]
struct Ctl {
    /// Host and port of the control API; IMDS_EMULATOR_CONTROL where not given, 127.0.0.1:1339
    /// where that is unset
    #[arg(long, value_name = "HOST:PORT", value_parser = control::host)]
    control: Option<String>,

    /// Control token; IMDS_EMULATOR_CONTROL_TOKEN by default; @FILE reads it from a file, @- from
    /// stdin
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    control_token: Option<Secret>,

    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Debug, Subcommand)]
enum CtlCommand {
    /// Serve this value at this path
    Set {
        /// Path
        path: String,
        /// Value; @FILE reads it from a file, @- from stdin
        #[arg(value_parser = secret)]
        value: Secret,
    },
    /// Serve nothing at this path
    Unset {
        /// Path
        path: String,
    },
    /// Apply an event, such as `interrupt action=stop` or
    /// `target-lifecycle-state state=Terminated after=10s`
    Event {
        /// Name of the event
        event: String,
        /// Its parameters
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
    /// Begin a fault, such as `503 rate=0.1` or `stall path=/latest/api/token for=10s`; `clear`
    /// ends every fault
    Fault {
        /// Name of the fault
        fault: String,
        /// Its parameters
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
    /// Change metadata options, such as `tokens=required hop-limit=2 pending=5s`; show them where
    /// none is given
    Options {
        /// Options
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
    /// Show options, faults, events to come and counts
    State,
    /// Show the recorded requests, one JSON object per line
    Requests,
    /// Fail unless this holds, such as "v1 == 0 and tokens-issued <= 1"
    Assert {
        /// Assertion
        assertion: String,
    },
    /// Move a stepped clock on
    Step {
        /// How far: 500ms, 30s, 2m, 6h
        duration: String,
    },
    /// Forget the recorded requests
    Reset,
    /// Fail unless the emulator runs; needs no control token and is not recorded
    Health,
    /// List the events and faults with their parameters; needs no running emulator
    Events,
    /// Show the certificates that the identity document's signatures are verified with, in PEM
    Certificates,
    /// Follow the requests, one JSON object per line, until stopped
    Watch,
}

/// Turn an amazon-ec2-metadata-mock configuration into an instance file
///
/// The instance file (JSON) is written to stdout; what has no equal is named on stderr.
#[derive(ClapArgs, Debug)]
struct ImportAemm {
    /// The configuration (JSON)
    file: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Ctl(ctl) => run_ctl(ctl),
        Command::ImportAemm(import) => run_import(import),
        Command::Schema => output::text(INSTANCE_SCHEMA),
    }
}

/// The given address, else the one that `imds emulate` told this process, else the one of
/// `imds serve --control`.
fn control_address(given: Option<&str>) -> Result<String, Failure> {
    if let Some(address) = given {
        return Ok(address.to_owned());
    }
    match SystemEnvironment.variable(env::EMULATOR_CONTROL) {
        Some(text) => control::host(&text).map_err(|wrong| {
            let text = imds_model::printable::escape(&text);
            Failure::usage(format!("`{}` is `{text}`: {wrong}", env::EMULATOR_CONTROL))
        }),
        None => Ok("127.0.0.1:1339".to_owned()),
    }
}

fn run_ctl(ctl: &Ctl) -> Result<(), Failure> {
    if let CtlCommand::Events = ctl.command {
        return events();
    }
    let token = match &ctl.control_token {
        Some(token) => Some(token.line("--control-token")?),
        None => SystemEnvironment.variable(env::EMULATOR_CONTROL_TOKEN),
    };
    let control = &Control { address: control_address(ctl.control.as_deref())?, token };
    match &ctl.command {
        CtlCommand::Events => Ok(()),
        CtlCommand::Certificates => certificates(control),
        CtlCommand::Watch => watch(control),
        CtlCommand::Set { path, value } => {
            let value = value.read("VALUE")?;
            let json = match String::from_utf8(value) {
                Ok(text) => json!({ "event": "set", "path": path, "value": text }),
                Err(error) => {
                    json!({ "event": "set", "path": path, "base64": STANDARD.encode(error.as_bytes()) })
                }
            };
            happen(control, &json)
        }
        CtlCommand::Unset { path } => happen(control, &json!({ "event": "unset", "path": path })),
        CtlCommand::Event { event, parameters } => named(control, event, parameters),
        CtlCommand::Fault { fault, parameters } if fault == "clear" => {
            named(control, "clear-faults", parameters)
        }
        CtlCommand::Fault { fault, parameters } => {
            let mut all = vec![format!("fault={fault}")];
            all.extend_from_slice(parameters);
            named(control, "fault", &all)
        }
        CtlCommand::Options { parameters } if parameters.is_empty() => {
            print(&control.call("GET", "/v1/state", None)?["options"])
        }
        CtlCommand::Options { parameters } => named(control, "options", parameters),
        CtlCommand::State => print(&control.call("GET", "/v1/state", None)?),
        CtlCommand::Requests => {
            let answer = control.call("GET", "/v1/requests", None)?;
            let lines: String = answer["requests"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|request| format!("{request}\n"))
                .collect();
            output::text(&lines)
        }
        CtlCommand::Assert { assertion } => {
            let answer = control.call("POST", "/v1/assert", Some(&json!({ "assertion": assertion })))?;
            let failures: Vec<&str> =
                answer["failures"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if failures.is_empty() {
                return Ok(());
            }
            Err(Failure::told(Exit::Unexpected, format!("assertion {}", failures.join("; assertion "))))
        }
        CtlCommand::Step { duration } => {
            print(&control.call("POST", "/v1/clock", Some(&json!({ "step": duration })))?["time"])
        }
        // This path is open without a token, and no request to the service.
        CtlCommand::Health => control.call("GET", "/openapi.json", None).map(drop),
        CtlCommand::Reset => control.call("DELETE", "/v1/requests", None).map(drop),
    }
}

/// Prints what can happen, by the words of `event` and `fault`.
fn events() -> Result<(), Failure> {
    let mut lines = String::new();
    for (name, parameters) in EventText::parameters() {
        let words: Vec<String> = parameters.iter().map(|name| format!(" {name}=")).collect();
        lines.push_str(&format!("event {name}{}\n", words.concat()));
    }
    for name in FaultKind::names() {
        let own = match name {
            "slow" => " bytes-per-second=",
            "packet-budget" => " packets-per-second=",
            _ => "",
        };
        let filters = if name == "refuse" { " for=" } else { " path= method= rate= count= for=" };
        lines.push_str(&format!("fault {name}{filters}{own}\n"));
    }
    output::text(&lines)
}

fn certificates(control: &Control) -> Result<(), Failure> {
    let certificates = control.call("GET", "/v1/certificates", None)?;
    let mut text = String::new();
    for (name, certificate) in certificates.as_object().into_iter().flatten() {
        text.push_str(&format!("# {name}\n{}", certificate.as_str().unwrap_or_default()));
    }
    output::text(&text)
}

/// Asks for new requests again and again: the control API has no stream.
fn watch(control: &Control) -> Result<(), Failure> {
    let mut last = 0;
    loop {
        let answer = control.call("GET", &format!("/v1/requests?after={last}"), None)?;
        let mut lines = String::new();
        for request in answer["requests"].as_array().into_iter().flatten() {
            last = request["number"].as_u64().unwrap_or(last).max(last);
            lines.push_str(&format!("{request}\n"));
        }
        output::text(&lines)?;
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

fn named(control: &Control, event: &str, parameters: &[String]) -> Result<(), Failure> {
    let text = EventText::from_words(event, parameters.iter().map(String::as_str)).map_err(Failure::usage)?;
    // Told here as well as there, so that a wrong word needs no running emulator.
    text.event().map_err(Failure::usage)?;
    let json = serde_json::to_value(&text).map_err(|error| Failure::usage(error.to_string()))?;
    happen(control, &json)
}

fn happen(control: &Control, event: &Value) -> Result<(), Failure> {
    control.call("POST", "/v1/events", Some(event)).map(drop)
}

fn print(value: &Value) -> Result<(), Failure> {
    match value.as_str() {
        Some(text) => output::text(&format!("{text}\n")),
        None => output::text(&format!("{value:#}\n")),
    }
}

fn run_import(import: &ImportAemm) -> Result<(), Failure> {
    let name = import.file.display();
    let text = std::fs::read_to_string(&import.file)
        .map_err(|error| Failure::usage(format!("cannot read `{name}`")).caused_by(error))?;
    let imported = import_aemm(&text).map_err(|error| Failure::usage(format!("`{name}`: {error}")))?;
    for note in &imported.notes {
        report::note(note);
    }
    output::text(&imported.instance_file)
}
