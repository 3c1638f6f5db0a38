//! What a client is to do, resolved from what was given, the environment and the AWS config file.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use imds_model::{env, token};

use crate::clock::Moment;
use crate::config::endpoint::{Endpoint, EndpointChoice, EndpointMode, Source};
use crate::config::environment::Environment;
use crate::config::profile::{FileKind, Profile};
use crate::error::{Error, ErrorKind};

/// Timeout of one connect, unless told otherwise.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of one wait for bytes, unless told otherwise.
pub const READ_TIMEOUT: Duration = Duration::from_secs(1);
/// How often one request is sent at most, the first time included, unless told otherwise.
pub const ATTEMPTS: u32 = 3;
/// How long one call takes at most, unless told otherwise or timeouts were set that need longer.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// Largest body that is accepted, in bytes, unless told otherwise.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// TTL that session tokens are asked for with, unless told otherwise: the longest there is.
pub const TOKEN_TTL: Duration = Duration::from_secs(token::MAX_TTL_SECONDS as u64);

/// How long after the start of the machine a refusal by the service's own addresses is a matter of
/// time. In about 0.5 % of launches connections are refused, or fresh tokens are, for the first
/// moments; on some images for 10 s and more (NixOS/nixpkgs#542874).
const BOOT: Duration = Duration::from_secs(300);

/// The profile key that names an endpoint.
const ENDPOINT_KEY: &str = "ec2_metadata_service_endpoint";
/// The profile key that names an endpoint mode.
const ENDPOINT_MODE_KEY: &str = "ec2_metadata_service_endpoint_mode";
/// The profile key that forbids every request.
const DISABLED_KEY: &str = "disable_ec2_metadata";
/// The profile key that forbids requests without a session token.
const V1_DISABLED_KEY: &str = "ec2_metadata_v1_disabled";
/// The profile key that names the role.
const ROLE_KEY: &str = "ec2_instance_profile_name";
/// The profile key for the timeout of one connect and one read, in seconds.
const TIMEOUT_KEY: &str = "metadata_service_timeout";
/// The profile key for the number of attempts.
const NUM_ATTEMPTS_KEY: &str = "metadata_service_num_attempts";

/// Which generation of the service's protocol to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImdsVersion {
    /// Requests without a session token: only where it is asked for by name, for older Snowball
    /// devices. Never a fallback.
    V1,
    /// Requests with a session token.
    #[default]
    V2,
}

/// What was given by the caller, before the environment and the config file are asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) endpoint: Option<String>,
    pub(crate) mode: Option<EndpointMode>,
    pub(crate) profile: Option<String>,
    pub(crate) version: ImdsVersion,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) body_limit: Option<usize>,
    pub(crate) token_ttl: Option<Duration>,
    pub(crate) boot_retries: bool,
    #[cfg(feature = "identity")]
    pub(crate) identity_certificate: Option<imds_identity::Certificate>,
}

/// Everything that a call goes by.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) endpoint: EndpointChoice,
    pub(crate) version: ImdsVersion,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) deadline: Duration,
    pub(crate) body_limit: usize,
    pub(crate) token_ttl_seconds: u32,
    /// Whether refusals are retried as while the machine starts, whatever the endpoint and the
    /// time.
    pub(crate) boot_retries: bool,
    /// Why every call fails and none sends anything, if that is so.
    pub(crate) disabled: Option<String>,
    /// The name of the role whose credentials the instance has, if it was set.
    pub(crate) role: Option<String>,
    /// What was ignored, and why.
    pub(crate) warnings: Vec<String>,
    /// The certificate that verifies the instance identity document, if it is not AWS's.
    #[cfg(feature = "identity")]
    pub(crate) identity_certificate: Option<imds_identity::Certificate>,
}

impl Given {
    /// Resolves the settings. Precedence of the endpoint, highest first:
    ///
    /// 1. the endpoint that was given;
    /// 2. `AWS_EC2_METADATA_SERVICE_ENDPOINT`;
    /// 3. `ec2_metadata_service_endpoint` of the profile;
    /// 4. the mode that was given;
    /// 5. `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`;
    /// 6. `ec2_metadata_service_endpoint_mode` of the profile;
    /// 7. IPv4.
    pub(crate) fn resolve(&self, environment: &dyn Environment) -> Result<Settings, Error> {
        let mut warnings = Vec::new();
        let profile = Profiles::read(environment, self.profile.as_deref(), &mut warnings)?;
        let timeout = timeout(environment, &profile)?;
        let attempts = match self.attempts {
            Some(0) => return Err(config_error("the number of attempts is 0; it is at least 1")),
            Some(attempts) => attempts,
            None => num_attempts(environment, &profile)?.unwrap_or(ATTEMPTS),
        };
        let connect_timeout = self.connect_timeout.or(timeout).unwrap_or(CONNECT_TIMEOUT);
        // A longer deadline is meant for a slower service: each attempt may use its share of it.
        let share = self.deadline.map_or(READ_TIMEOUT, |deadline| READ_TIMEOUT.max(deadline / attempts));
        let read_timeout = self.read_timeout.or(timeout).unwrap_or(share);
        // A longer timeout is meant to be used: the deadline leaves room for every attempt.
        let room = read_timeout.max(connect_timeout).saturating_mul(attempts);
        let deadline = self.deadline.unwrap_or_else(|| DEADLINE.max(room));
        for (name, duration) in
            [("connect timeout", connect_timeout), ("read timeout", read_timeout), ("deadline", deadline)]
        {
            if duration.is_zero() {
                return Err(config_error(format!("the {name} is zero")));
            }
        }
        Ok(Settings {
            endpoint: self.endpoint(environment, &profile)?,
            version: self.version,
            connect_timeout,
            read_timeout,
            attempts,
            deadline,
            body_limit: self.body_limit.unwrap_or(BODY_LIMIT),
            token_ttl_seconds: token_ttl_seconds(self.token_ttl.unwrap_or(TOKEN_TTL))?,
            boot_retries: self.boot_retries,
            disabled: self.disabled(environment, &profile),
            role: from_environment(environment, env::INSTANCE_PROFILE_NAME)
                .or_else(|| profile.get(ROLE_KEY))
                .map(|(role, _)| role),
            warnings,
            #[cfg(feature = "identity")]
            identity_certificate: self.identity_certificate.clone(),
        })
    }

    /// Returns why no request may be sent, if that is so.
    fn disabled(&self, environment: &dyn Environment, profile: &Profiles) -> Option<String> {
        if let Some(source) = profile.switch(environment, env::DISABLED, DISABLED_KEY) {
            return Some(format!("the metadata service is disabled by {source}"));
        }
        let source = profile.switch(environment, env::V1_DISABLED, V1_DISABLED_KEY)?;
        (self.version == ImdsVersion::V1).then(|| format!("IMDSv1 is disabled by {source}"))
    }

    fn endpoint(&self, environment: &dyn Environment, profile: &Profiles) -> Result<EndpointChoice, Error> {
        let given = self.endpoint.clone().map(|url| (url, Source::Explicit));
        let url = given
            .or_else(|| from_environment(environment, env::ENDPOINT))
            .or_else(|| profile.get(ENDPOINT_KEY));
        if let Some((url, source)) = url {
            return match Endpoint::parse(&url) {
                Ok(endpoint) => Ok(EndpointChoice::url(endpoint, source)),
                Err(reason) => {
                    Err(config_error(format!("endpoint {} {reason}", Named(&without_user(&url), &source))))
                }
            };
        }
        if let Some(mode) = self.mode {
            return Ok(EndpointChoice::mode(mode, Source::Explicit));
        }
        let mode =
            from_environment(environment, env::ENDPOINT_MODE).or_else(|| profile.get(ENDPOINT_MODE_KEY));
        match mode {
            None => Ok(EndpointChoice::mode(EndpointMode::default(), Source::Default)),
            Some((text, source)) => match text.parse() {
                Ok(mode) => Ok(EndpointChoice::mode(mode, source)),
                Err(_) => Err(config_error(format!(
                    "endpoint mode {} is none of `{}`",
                    Named(&text, &source),
                    EndpointMode::SPELLINGS.join("`, `")
                ))),
            },
        }
    }
}

impl Settings {
    /// Returns whether a refusal may be a matter of time: the machine has just started and the
    /// service is asked at its own address, or the builder was told so.
    pub(crate) fn tolerates_boot(&self, now: Moment) -> bool {
        self.boot_retries || (self.endpoint.is_well_known() && now.as_duration() < BOOT)
    }
}

/// Returns the Region of a profile in the AWS config files: the given one, else that of
/// `AWS_PROFILE`, else `default`.
///
/// # Errors
/// Returns an error if no file has a profile that is asked for by name, or a file that a variable
/// names cannot be read.
pub fn profile_region(environment: &dyn Environment, profile: Option<&str>) -> Result<Option<String>, Error> {
    let profile = Profiles::read(environment, profile, &mut Vec::new())?;
    Ok(profile.get("region").map(|(region, _)| region))
}

/// The profile that is asked for, out of both files.
struct Profiles {
    name: String,
    config: Profile,
    credentials: Profile,
}

impl Profiles {
    /// Reads the files. One that does not exist is an empty one, and so is one of the default files
    /// that cannot be read, as in the AWS SDKs (aws/aws-cli#9075); what is wrong is added to the
    /// warnings. A profile that is asked for by name must be in one of them.
    fn read(
        environment: &dyn Environment,
        given: Option<&str>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let named = given
            .map(str::to_owned)
            .or_else(|| environment.variable(env::PROFILE))
            .or_else(|| environment.variable(env::DEFAULT_PROFILE));
        let is_named = named.as_ref().is_some_and(|name| name != "default");
        let name = named.unwrap_or_else(|| "default".to_owned());
        let before = warnings.len();
        let mut read =
            |variable, default: &str, kind| read_file(environment, variable, default, kind, &name, warnings);
        let config = read(env::CONFIG_FILE, "config", FileKind::Config)?;
        let credentials = read(env::CREDENTIALS_FILE, "credentials", FileKind::Credentials)?;
        // A file that cannot be read may have it.
        let unread = warnings[before..].iter().any(|warning| warning.starts_with(CANNOT_READ));
        if is_named && !config.found && !credentials.found && !unread {
            let message = format!(
                "profile `{}` is in neither the AWS config nor the credentials file",
                name.escape_debug()
            );
            return Err(config_error(message));
        }
        Ok(Self { name, config, credentials })
    }

    fn get(&self, key: &'static str) -> Option<(String, Source)> {
        let value = self.credentials.get(key).or_else(|| self.config.get(key))?;
        Some((value.to_owned(), Source::Profile { profile: self.name.clone(), key }))
    }

    /// The value of a switch, `true` in any case, and where it came from.
    fn switch(
        &self,
        environment: &dyn Environment,
        variable: &'static str,
        key: &'static str,
    ) -> Option<Source> {
        let (text, source) = from_environment(environment, variable).or_else(|| self.get(key))?;
        text.trim().eq_ignore_ascii_case("true").then_some(source)
    }
}

/// What a warning of a file that cannot be read begins with.
const CANNOT_READ: &str = "cannot read";

fn read_file(
    environment: &dyn Environment,
    variable: &'static str,
    default: &str,
    kind: FileKind,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Profile, Error> {
    let given = environment.path_variable(variable).map(|path| expand_home(environment, path));
    let is_given = given.is_some();
    let path = given.or_else(|| Some(environment.home()?.join(".aws").join(default)));
    let Some(path) = path else { return Ok(Profile::default()) };
    let text = match environment.read_file(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Profile::default());
        }
        Err(error) if is_given => {
            let message = format!("{CANNOT_READ} AWS {default} file `{}` of `{variable}`", path.display());
            return Err(config_error(message).caused_by(error));
        }
        Err(error) => {
            warnings.push(format!(
                "{CANNOT_READ} AWS {default} file `{}`, which is ignored: {error}",
                path.display()
            ));
            return Ok(Profile::default());
        }
    };
    let profile = Profile::parse(&text, kind, name);
    for (line, problem) in &profile.problems {
        warnings.push(format!("`{}`, line {line}, is ignored: {problem}", path.display()));
    }
    Ok(profile)
}

/// `~/` at the beginning of a file's variable, which botocore expands too.
fn expand_home(environment: &dyn Environment, path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), environment.home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

fn from_environment(environment: &dyn Environment, name: &'static str) -> Option<(String, Source)> {
    Some((environment.variable(name)?, Source::Environment(name)))
}

fn timeout(environment: &dyn Environment, profile: &Profiles) -> Result<Option<Duration>, Error> {
    let found = from_environment(environment, env::TIMEOUT).or_else(|| profile.get(TIMEOUT_KEY));
    let Some((text, source)) = found else { return Ok(None) };
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| (0.001..=3600.0).contains(seconds));
    match seconds {
        Some(seconds) => Ok(Some(Duration::from_secs_f64(seconds))),
        None => Err(config_error(format!(
            "timeout {} is not a number of seconds from 0.001 to 3600",
            Named(&text, &source)
        ))),
    }
}

fn num_attempts(environment: &dyn Environment, profile: &Profiles) -> Result<Option<u32>, Error> {
    let found = from_environment(environment, env::NUM_ATTEMPTS).or_else(|| profile.get(NUM_ATTEMPTS_KEY));
    let Some((text, source)) = found else { return Ok(None) };
    match text.trim().parse::<u32>().ok().filter(|attempts| (1..=1000).contains(attempts)) {
        Some(attempts) => Ok(Some(attempts)),
        None => Err(config_error(format!(
            "number of attempts {} is not a number from 1 to 1000",
            Named(&text, &source)
        ))),
    }
}

fn token_ttl_seconds(ttl: Duration) -> Result<u32, Error> {
    let seconds = u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX);
    if ttl.subsec_nanos() == 0 && (token::MIN_TTL_SECONDS..=token::MAX_TTL_SECONDS).contains(&seconds) {
        return Ok(seconds);
    }
    let (min, max) = (token::MIN_TTL_SECONDS, token::MAX_TTL_SECONDS);
    Err(config_error(format!("token TTL `{ttl:?}` is not a whole number of seconds from {min} to {max}")))
}

fn config_error(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Returns the URL without what may be a user name and password in it.
fn without_user(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + 3);
    match url.rfind('@') {
        Some(at) if at >= begin => format!("{}...{}", &url[..begin], &url[at..]),
        _ => url.to_owned(),
    }
}

/// A bad value and where it came from, as messages write it.
struct Named<'a>(&'a str, &'a Source);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.escape_debug())?;
        match self.1 {
            Source::Explicit | Source::Default => Ok(()),
            source => write!(f, " from {source}"),
        }
    }
}

#[cfg(test)]
mod tests;
