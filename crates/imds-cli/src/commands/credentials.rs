//! `imds credentials`: the role's credentials, for programs that take them from elsewhere.

mod document;
mod render;

use clap::{Args as ClapArgs, ValueEnum};
use imds::{Client, Clock as _, ErrorKind, MetadataPath, SystemClock};
use std::io::IsTerminal as _;

use self::document::Credentials;
use crate::connection::ConnectionArgs;
use crate::exit::Exit;
use crate::output;
use crate::report::{self, Failure};

/// Lists the role; its credentials are one level below.
const DIRECTORY: MetadataPath = MetadataPath::from_static("/latest/meta-data/iam/security-credentials/");

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
    let role = match &args.role {
        Some(role) => role.clone(),
        None => found(&client)?,
    };
    let credentials = read(&client, &role)?;
    let credentials = fresh(credentials, &role, args.static_stability)?;
    let text = match args.output {
        Form::Process => render::process(&credentials),
        Form::Env => render::env(&credentials),
        Form::Json => render::json(&credentials, &role),
    };
    output::text(&text)
}

/// The instance's role.
fn found(client: &Client) -> Result<String, Failure> {
    let none = || {
        Failure::told(Exit::NotFound, "the instance has no role").hint(
            "`aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME` gives it one",
        )
    };
    let listing = match client.get(&DIRECTORY) {
        Ok(listing) => listing,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(none()),
        Err(error) => return Err(error.into()),
    };
    let role = listing.lines()?.next().map(str::trim).filter(|role| !role.is_empty());
    role.map(str::to_owned).ok_or_else(none)
}

fn read(client: &Client, role: &str) -> Result<Credentials, Failure> {
    let path = DIRECTORY.join(role).map_err(imds::Error::from)?;
    let response = match client.get(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Failure::told(Exit::NotFound, format!("the instance has no role `{role}`")));
        }
        other => other?,
    };
    Credentials::parse(response.bytes()).map_err(|reason| {
        Failure::told(Exit::Unexpected, format!("role `{role}` has no credentials")).caused_by(reason)
    })
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
