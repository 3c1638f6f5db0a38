//! `imds credentials`: the role's credentials, for programs that take them from elsewhere.

mod document;
mod render;

use clap::{Args as ClapArgs, ValueEnum};
use imds::{Client, Clock as _, ErrorKind, SystemClock};
use std::io::IsTerminal as _;

use self::document::Credentials;
use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::output;
use crate::report::{self, Failure};

/// Print the credentials of the instance's role
///
/// As `credential_process = imds credentials --output process` of the AWS config file, they serve
/// every AWS SDK and the AWS CLI. They are secrets: without `--force` they are not printed on a
/// terminal.
#[derive(ClapArgs, Debug)]
pub(crate) struct Args {
    /// The role; the instance's own unless given
    #[arg(value_name = "ROLE")]
    role: Option<String>,

    /// Print in this form
    #[arg(long, short, visible_alias = "format", value_name = "FORM", value_enum, default_value_t)]
    output: Form,

    /// Pass expired credentials on, as if they were good for 10 to 15 minutes more
    ///
    /// The AWS SDKs do so too (static stability): where the service cannot renew them, AWS may
    /// still accept them for a while, and a refusal tells more than having none.
    #[arg(long)]
    static_stability: bool,

    /// Print them even on a terminal
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What the credentials are printed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// JSON for `credential_process` of the AWS config file
    #[default]
    Process,
    /// Lines for a shell: `eval "$(imds credentials --output env)"`
    #[value(alias = "text")]
    Env,
    /// JSON with everything that the service says of them
    Json,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if std::io::stdout().is_terminal() && !args.force {
        return Err(Failure::usage("credentials are not printed on a terminal")
            .hint("use `--force`, or let another program read them: `imds credentials | ...`"));
    }
    let client = args.connection.client()?;
    let (role, credentials) = read(&client, args.role.as_deref())?;
    let credentials = fresh(credentials, &role, args.static_stability)?;
    let text = match args.output {
        Form::Process => render::process(&credentials),
        Form::Env => render::env(&credentials),
        Form::Json => render::json(&credentials, &role),
    };
    output::text(&text)
}

/// Reads the credentials of the role, or of the instance's own.
fn read(client: &Client, role: Option<&str>) -> Result<(String, Credentials), Failure> {
    let read = match role {
        Some(role) => client.role_credentials(role).map(|found| Some((role.to_owned(), found))),
        None => client.instance_credentials().map(|found| found.map(|found| (found.role, found.credentials))),
    };
    match (read, role) {
        (Ok(Some((role, found))), _) => Ok((role, found.into())),
        (Ok(None), _) => Err(Failure::told(Exit::NotFound, "the instance has no role").hint(
            "`aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME` gives it one",
        )),
        (Err(error), Some(role)) if error.kind() == ErrorKind::NotFound => {
            Err(Failure::told(Exit::NotFound, format!("the instance has no role `{role}`")))
        }
        (Err(error), _) => Err(without_credentials(error)),
    }
}

/// Adds what helps against the `Code` of a document without credentials.
fn without_credentials(error: imds::Error) -> Failure {
    let is_trust = error.service_code() == Some("AssumeRoleUnauthorizedAccess");
    let failure = Failure::from(error);
    if !is_trust {
        return failure;
    }
    failure.hint(
        "the role's trust policy must let `ec2.amazonaws.com` assume it: `aws iam get-role --role-name ROLE` shows it",
    )
}

/// The credentials where they are still good, or where the caller wants them all the same.
fn fresh(credentials: Credentials, role: &str, static_stability: bool) -> Result<Credentials, Failure> {
    let clock = SystemClock;
    if !credentials.is_expired(clock.wall()) {
        return Ok(credentials);
    }
    let expired = format!("the credentials of role `{role}` expired at {}", credentials.expiration());
    if !static_stability {
        return Err(Failure::told(Exit::Unexpected, expired)
            .hint("the service gives new ones at least five minutes before: look at this machine's clock (`imds doctor`)")
            .hint("`--static-stability` passes them on for 10 to 15 minutes, as the AWS SDKs do"));
    }
    report::note(&format_args!("{expired}; passed on all the same"));
    Ok(credentials.extended(clock.wall(), clock.random()))
}
