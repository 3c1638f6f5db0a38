//! What a client is to do, resolved from what was given, the environment and the AWS config file.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use imds_model::{env, token};

use crate::clock::Moment;
use crate::config::endpoint::{Endpoint, EndpointChoice, EndpointMode, Source};
use crate::config::environment::Environment;
use crate::config::profile::Profile;
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
    /// `AWS_EC2_METADATA_DISABLED=true`: every call fails, none sends anything.
    pub(crate) disabled: bool,
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
        let config = ConfigFile::read(environment, self.profile.as_deref())?;
        let profile = config.profile();
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
            disabled: environment
                .variable(env::DISABLED)
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    fn endpoint(
        &self,
        environment: &dyn Environment,
        profile: &ConfigProfile<'_>,
    ) -> Result<EndpointChoice, Error> {
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

/// The AWS config file and the profile that is asked for.
struct ConfigFile {
    text: String,
    name: String,
}

/// One profile with its name, so that a value found in it can name its source.
struct ConfigProfile<'a> {
    keys: Profile<'a>,
    name: &'a str,
}

impl ConfigFile {
    /// Reads the file; one that does not exist is an empty one, as in the AWS CLI. A profile that
    /// was asked for by option must be in it; `AWS_PROFILE` may name one that only the credentials
    /// file has.
    fn read(environment: &dyn Environment, given: Option<&str>) -> Result<Self, Error> {
        let name = given.map(str::to_owned).or_else(|| environment.variable(env::PROFILE));
        let mut file = Self { text: String::new(), name: name.unwrap_or_else(|| "default".to_owned()) };
        let path = environment.path_variable(env::CONFIG_FILE).map(|path| expand_home(environment, path));
        let path = path.or_else(|| Some(environment.path_variable(env::HOME)?.join(".aws").join("config")));
        let Some(path) = path else { return Ok(file) };
        match environment.read_file(&path) {
            Ok(bytes) => file.text = String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => {
                return Err(config_error(format!("cannot read AWS config file `{}`", path.display()))
                    .caused_by(error));
            }
        }
        if given.is_some() && !Profile::parse(&file.text, &file.name).found() {
            let (name, path) = (&file.name, path.display());
            return Err(config_error(format!("profile `{name}` is not in AWS config file `{path}`")));
        }
        Ok(file)
    }

    fn profile(&self) -> ConfigProfile<'_> {
        ConfigProfile { keys: Profile::parse(&self.text, &self.name), name: &self.name }
    }
}

impl ConfigProfile<'_> {
    fn get(&self, key: &'static str) -> Option<(String, Source)> {
        let value = self.keys.get(key)?;
        Some((value.to_owned(), Source::Profile { profile: self.name.to_owned(), key }))
    }
}

/// `~/` at the beginning of `AWS_CONFIG_FILE`, which botocore expands too.
fn expand_home(environment: &dyn Environment, path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), environment.path_variable(env::HOME)) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

fn from_environment(environment: &dyn Environment, name: &'static str) -> Option<(String, Source)> {
    Some((environment.variable(name)?, Source::Environment(name)))
}

fn timeout(environment: &dyn Environment, profile: &ConfigProfile<'_>) -> Result<Option<Duration>, Error> {
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

fn num_attempts(environment: &dyn Environment, profile: &ConfigProfile<'_>) -> Result<Option<u32>, Error> {
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
