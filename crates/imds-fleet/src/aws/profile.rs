//! What a profile of the AWS configuration files asks for that the SDK does not do by itself: roles
//! with a code of a device (`mfa_serial`), roles at our own endpoint, sessions of `aws login`.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

use aws_config::credential_process::CredentialProcessProvider;
use aws_config::profile::{Profile, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::Error;

/// How many roles may lead to one another.
const CHAIN: usize = 8;

/// The profiles, as far as they can be read.
#[derive(Debug)]
pub struct Profiles {
    set: Option<ProfileSet>,
    /// The profile that is used.
    pub name: String,
}

/// A role that a profile assumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role.
    pub arn: String,
    /// What its trust policy requires.
    pub external_id: Option<String>,
    /// The name of the session.
    pub session_name: Option<String>,
    /// The device whose code is asked for.
    pub mfa_serial: Option<String>,
    /// How long the session is to be valid.
    pub duration: Option<Duration>,
}

/// Where the credentials of a profile come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// A profile with credentials of its own, which the SDK reads.
    Profile(String),
    /// A session of `aws login`, which the AWS CLI keeps.
    Login(String),
}

impl Profiles {
    /// Reads the configuration files. `name` is the profile that was asked for.
    ///
    /// # Errors
    ///
    /// Returns an error if they cannot be read, or hold no profile of a name that was asked for.
    pub async fn load(env: &Env, name: Option<&str>) -> Result<Self, Error> {
        let wanted = name.map(|name| Cow::Owned(name.to_owned()));
        let loaded = aws_config::profile::load(&Fs::real(), env, &Default::default(), wanted).await;
        let set = match (loaded, name) {
            (Ok(set), _) => set,
            // Without a name, the files may be of no use and nobody asked for them.
            (Err(_), None) => return Ok(Self { set: None, name: "default".to_owned() }),
            (Err(error), Some(_)) => {
                return Err(Error::Input(format!(
                    "the AWS configuration files cannot be read: {}",
                    crate::fault::innermost(&error)
                )));
            }
        };
        let selected = set.selected_profile().to_owned();
        if name.is_some() && set.get_profile(&selected).is_none() {
            let mut known: Vec<&str> = set.profiles().collect();
            known.sort_unstable();
            return Err(Error::Input(format!(
                "no profile is called `{selected}`; there are: {}",
                known.join(", ")
            )));
        }
        Ok(Self { set: Some(set), name: selected })
    }

    fn profile(&self, name: &str) -> Option<&Profile> {
        self.set.as_ref()?.get_profile(name)
    }

    /// A setting of the profile that is used.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.profile(&self.name)?.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The roles that the profile assumes one after the other, the last one first, and where the
    /// first credentials come from. None where the SDK does all of it.
    ///
    /// # Errors
    ///
    /// Returns an error if the roles lead to one another without end, or to a profile that is not
    /// there.
    pub fn roles(&self) -> Result<Option<(Vec<Role>, Base)>, Error> {
        let mut roles = Vec::new();
        let mut name = self.name.clone();
        loop {
            let Some(profile) = self.profile(&name) else {
                if roles.is_empty() {
                    return Ok(None);
                }
                return Err(Error::Input(format!(
                    "profile `{name}`, named as `source_profile`, does not exist"
                )));
            };
            let get = |key: &str| profile.get(key).map(str::trim).filter(|value| !value.is_empty());
            // A profile that names itself as its source has static credentials beside its role.
            let again = roles.last().is_some_and(|(of, _): &(String, Role)| *of == name);
            let (Some(arn), Some(source), false) = (get("role_arn"), get("source_profile"), again) else {
                let base = match get("login_session") {
                    Some(_) => Base::Login(name),
                    None if roles.is_empty() => return Ok(None),
                    None => Base::Profile(name),
                };
                return Ok(Some((roles.into_iter().map(|(_, role)| role).collect(), base)));
            };
            if roles.len() >= CHAIN {
                return Err(Error::Input(format!(
                    "profile `{}`: `source_profile` leads from one role to another without end",
                    self.name
                )));
            }
            let seconds = get("duration_seconds").and_then(|seconds| seconds.parse::<u64>().ok());
            let role = Role {
                arn: arn.to_owned(),
                external_id: get("external_id").map(str::to_owned),
                session_name: get("role_session_name").map(str::to_owned),
                mfa_serial: get("mfa_serial").map(str::to_owned),
                duration: seconds.map(Duration::from_secs),
            };
            roles.push((name, role));
            name = source.to_owned();
        }
    }

    /// The command that signs in again, where the profile is one that people sign in to.
    pub fn sign_in(&self) -> Option<String> {
        let with = |command: &str| match self.name.as_str() {
            "default" => command.to_owned(),
            name => format!("{command} --profile {}", crate::shell::word(name)),
        };
        if self.get("sso_session").or(self.get("sso_start_url")).is_some() {
            return Some(with("aws sso login"));
        }
        self.get("login_session").map(|_| with("aws login"))
    }
}

/// The provider of a session of `aws login`: the AWS CLI keeps it, renews it and exports it.
pub fn login(profile: &str) -> CredentialProcessProvider {
    let profile = crate::shell::word(profile);
    CredentialProcessProvider::new(format!(
        "aws configure export-credentials --profile {profile} --format process"
    ))
}

/// Asks for the code of a device on the terminal.
///
/// # Errors
///
/// Returns why it cannot be asked for.
pub fn code(serial: &str) -> Result<String, String> {
    let terminal = std::fs::OpenOptions::new().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.map_err(|_| {
        format!("a code of `{serial}` is required (`mfa_serial`), and there is no terminal to ask for it on")
    })?;
    let shown = imds_model::printable::brief(serial);
    let asked = write!(terminal, "MFA code of {shown}: ").and_then(|()| terminal.flush());
    asked.map_err(|error| format!("the code of `{serial}` cannot be asked for: {error}"))?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    read.map_err(|error| format!("the code of `{serial}` cannot be read: {error}"))?;
    let code = line.trim();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("a code of `{serial}` is six digits"));
    }
    Ok(code.to_owned())
}
