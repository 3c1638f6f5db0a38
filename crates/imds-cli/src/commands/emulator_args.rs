//! What `imds serve` and `imds emulate` have in common: the options that describe the emulated
//! service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use imds::{Environment as _, SystemEnvironment};
use imds_emulator::{
    Builder, Clock, Emulator, Error, Event, EventText, HopLimit, HttpTokens, Profile, Switch, read_instance,
    read_scenario,
};
use imds_emulator::{ControlToken, Described, Preset};
use imds_model::env;

use super::credential_source::CredentialSource;
use crate::exit::Exit;
use crate::report::{self, Failure};

/// The options that describe the emulated service.
#[derive(ClapArgs, Debug)]
pub(crate) struct EmulatorArgs {
    /// Serve a ready-made instance: default, spot, asg, multi-interface, ipv6-only, no-role,
    /// snowball
    #[arg(long, value_name = "PRESET", value_parser = preset, conflicts_with = "instance")]
    preset: Option<Preset>,

    /// Serve the instance that this file describes (TOML or JSON), or a snapshot of a real one
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,

    /// Serve this value at this path (can be repeated); @FILE reads it from a file, @- from stdin
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    set: Vec<(String, Secret)>,

    /// Serve nothing at this path (can be repeated)
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,

    /// Whether requests need a session token: optional, or required
    #[arg(long, value_name = "TOKENS", value_parser = tokens)]
    tokens: Option<HttpTokens>,

    /// Whether the service answers at all: enabled, or disabled
    #[arg(long, value_name = "SWITCH", value_parser = switch)]
    endpoint: Option<Switch>,

    /// How far the answer to a token PUT travels, 1 to 64 hops
    #[arg(long, value_name = "HOPS", value_parser = hops)]
    hop_limit: Option<HopLimit>,

    /// Whether IPv6 listeners answer: enabled, or disabled
    #[arg(long, value_name = "SWITCH", value_parser = switch)]
    ipv6: Option<Switch>,

    /// Whether instance tags are shown: enabled, or disabled
    #[arg(long, value_name = "SWITCH", value_parser = switch)]
    tags: Option<Switch>,

    /// Answer as this generation of the service does: nitro, xen, snowball
    #[arg(long, value_name = "PROFILE", value_parser = profile)]
    profile: Option<Profile>,

    /// Name the TTL of session tokens in the profile snowball, too, as SDKs for Java v2 and Go v1
    /// need it; the device does not
    #[arg(long)]
    snowball_token_ttl: bool,

    /// Run the scenario in this TOML file
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Go by this clock: real, stepped, or a factor such as x60
    #[arg(long, value_name = "CLOCK", value_parser = clock)]
    clock: Option<Clock>,

    /// Start with this fault (can be repeated), such as 503,rate=0.1 or
    /// stall,path=/latest/api/token,for=10s
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    fault: Vec<Event>,

    /// Random seed for faults; reuse one to replay a run
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Issue session tokens under this key, 64 hexadecimal digits, so that they outlive a restart;
    /// @FILE, @-
    #[arg(long, value_name = "KEY", value_parser = secret)]
    token_key: Option<Secret>,

    /// Serve the real credentials that this command prints, by the contract of `credential_process`
    #[arg(long, value_name = "COMMAND", value_parser = secret)]
    credentials: Option<Secret>,

    /// Require this token of control requests, at least 16 characters; @FILE, @-
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    control_token: Option<Secret>,

    /// Keep this many requests for assertions and the control API
    #[arg(long, value_name = "REQUESTS")]
    record: Option<usize>,
}

/// An argument that may be a secret, or name a file that holds one; no part of it is shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Longest secret that is read from a file.
const LONGEST: u64 = 1024 * 1024;

impl Secret {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The bytes: of the file behind `@`, of stdin for `@-`, else of the argument, in which `@@`
    /// stands for one `@` at the beginning.
    pub(crate) fn read(&self, option: &str) -> Result<Vec<u8>, Failure> {
        use std::io::Read as _;
        let Some(name) = self.0.strip_prefix('@') else { return Ok(self.0.clone().into_bytes()) };
        if name.starts_with('@') {
            return Ok(name.as_bytes().to_vec());
        }
        let mut bytes = Vec::new();
        let read = match name {
            "-" => std::io::stdin().take(LONGEST + 1).read_to_end(&mut bytes),
            _ => std::fs::File::open(name).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)),
        };
        let name = imds_model::printable::escape(name);
        match read {
            Ok(length) if length as u64 <= LONGEST => Ok(bytes),
            Ok(_) => Err(Failure::usage(format!("`{name}` of `{option}` is longer than 1 MiB"))),
            Err(error) => Err(Failure::usage(format!("cannot read `{name}` of `{option}`")).caused_by(error)),
        }
    }

    /// A secret of one line: without the newline that an editor leaves behind it.
    pub(crate) fn line(&self, option: &str) -> Result<String, Failure> {
        let text = String::from_utf8(self.read(option)?)
            .map_err(|_| Failure::usage(format!("`{option}` is not text")))?;
        Ok(text.trim_end_matches(['\n', '\r']).to_owned())
    }
}

pub(crate) fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl EmulatorArgs {
    /// Whether a fault is there from the start.
    pub(crate) const fn has_faults(&self) -> bool {
        !self.fault.is_empty()
    }

    /// With the option `HttpProtocolIpv6` as it was asked for.
    pub(crate) fn ipv6(&self, builder: Builder) -> Builder {
        match self.ipv6 {
            Some(ipv6) => builder.ipv6(ipv6),
            None => builder,
        }
    }

    /// The token of the control API; `IMDS_EMULATOR_CONTROL_TOKEN` if no option gives one.
    fn control_token(&self) -> Result<Option<ControlToken>, Failure> {
        let text = match &self.control_token {
            Some(token) => Some(token.line("--control-token")?),
            None => SystemEnvironment.variable(env::EMULATOR_CONTROL_TOKEN),
        };
        text.map(|text| ControlToken::new(&text).map_err(Failure::usage)).transpose()
    }

    /// The command of `--credentials`, ready to be asked.
    pub(crate) fn credential_source(&self) -> Result<Option<CredentialSource>, Failure> {
        self.credentials.as_ref().map(|command| CredentialSource::start(&command.0)).transpose()
    }

    /// Starts the emulator, with the credentials of a command if there is one.
    pub(crate) fn start(
        &self,
        mut builder: Builder,
        source: Option<CredentialSource>,
    ) -> Result<Emulator, Failure> {
        let given = source.map(|mut source| {
            let first = source.first();
            (source, first)
        });
        if let Some((source, first)) = &given {
            builder = builder.role_credentials(first.clone());
            let command = self.credentials.as_ref().map_or("", |command| &command.0);
            // A file says where its instance is.
            if self.instance.is_none()
                && let Some(region) = source.region(command, &SystemEnvironment)
            {
                builder = builder.region(&region);
            }
        }
        let emulator = builder.start().map_err(failure)?;
        if let Some((source, first)) = given {
            source.refresh(emulator.service().clone(), first)?;
        }
        if self.has_faults() {
            let seed = emulator.service().seed();
            report::note(&format!("rates of faults are drawn with `--seed {seed}`"));
        }
        Ok(emulator)
    }

    /// The emulator that the options describe.
    pub(crate) fn builder(&self) -> Result<Builder, Failure> {
        let described = match &self.instance {
            Some(path) => read_instance(path).map_err(failure)?,
            None => Described::from(self.preset.unwrap_or_default()),
        };
        let mut builder = Emulator::builder().described(described);
        if let Some(path) = &self.scenario {
            for (after, event) in read_scenario(path).map_err(failure)? {
                builder = builder.event(after, event);
            }
        }
        for (path, value) in &self.set {
            builder = builder.set(path, value.read("--set")?);
        }
        for path in &self.unset {
            builder = builder.unset(path);
        }
        for event in &self.fault {
            builder = builder.event(Duration::ZERO, event.clone());
        }
        if let Some(tokens) = self.tokens {
            builder = builder.tokens(tokens);
        }
        if let Some(endpoint) = self.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(hops) = self.hop_limit {
            builder = builder.hop_limit(hops);
        }
        builder = self.ipv6(builder);
        if let Some(tags) = self.tags {
            builder = builder.tags(tags);
        }
        if let Some(profile) = self.profile {
            builder = builder.profile(profile);
        }
        builder = builder.snowball_token_ttl(self.snowball_token_ttl);
        if let Some(clock) = &self.clock {
            builder = builder.clock(clock.clone());
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(key) = &self.token_key {
            builder = builder.token_key(token_key(&key.line("--token-key")?)?);
        }
        if let Some(token) = self.control_token()? {
            builder = builder.control_token(token);
        }
        if let Some(requests) = self.record {
            builder = builder.record_limit(requests);
        }
        Ok(builder)
    }
}

/// An emulator that cannot be: wrong use, but for a machine that fails us.
pub(crate) fn failure(error: Error) -> Failure {
    let exit = if matches!(error, Error::Start(_)) { Exit::Unexpected } else { Exit::Usage };
    let told = Failure::told(exit, error.to_string());
    let failure = match std::error::Error::source(&error) {
        Some(cause) => told.caused_by(cause),
        None => told,
    };
    match error {
        Error::Listen { .. } => failure.hint("pass another address to `--listen`; port 0 takes a free one"),
        _ => failure,
    }
}

fn preset(text: &str) -> Result<Preset, String> {
    let names: Vec<_> = Preset::ALL.iter().map(|preset| format!("`{}`", preset.as_str())).collect();
    Preset::parse(text).ok_or_else(|| format!("it is none of {}", names.join(", ")))
}

fn tokens(text: &str) -> Result<HttpTokens, String> {
    HttpTokens::parse(text).ok_or_else(|| "it is none of `optional`, `required`".to_owned())
}

fn switch(text: &str) -> Result<Switch, String> {
    Switch::parse(text).ok_or_else(|| "it is none of `enabled`, `disabled`".to_owned())
}

fn hops(text: &str) -> Result<HopLimit, String> {
    let hops = text.parse().ok().and_then(HopLimit::new);
    hops.ok_or_else(|| "it is no number from 1 to 64".to_owned())
}

fn profile(text: &str) -> Result<Profile, String> {
    Profile::parse(text).ok_or_else(|| "it is none of `nitro`, `xen`, `snowball`".to_owned())
}

fn clock(text: &str) -> Result<Clock, String> {
    Clock::parse(text).ok_or_else(|| "it is none of `real`, `stepped`, `x2` to `x100000`".to_owned())
}

fn assignment(text: &str) -> Result<(String, Secret), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => Ok((path.to_owned(), Secret::new(value))),
        _ => Err("it is not `PATH=VALUE`".to_owned()),
    }
}

/// An address to listen on or to connect to; `localhost` is 127.0.0.1.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| {
        "it is not an address and a port, such as `127.0.0.1:1338`, `localhost:1338` or `[::1]:1338`"
            .to_owned()
    })
}

fn fault(text: &str) -> Result<Event, String> {
    let (name, parameters) = text.split_once(',').unwrap_or((text, ""));
    let words = parameters.split(',').filter(|word| !word.is_empty());
    let first = format!("fault={name}");
    EventText::from_words("fault", std::iter::once(first.as_str()).chain(words))?.event()
}

fn token_key(text: &str) -> Result<[u8; 32], Failure> {
    let wrong = || Failure::usage("`--token-key` is not 64 hexadecimal digits");
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_in_one_word() {
        let event = fault("stall,path=/latest/api/token,count=3,for=10s").unwrap();
        let Event::Fault(fault) = event else { panic!("no fault") };
        assert_eq!((fault.path.as_deref(), fault.count), (Some("/latest/api/token"), Some(3)));
        assert_eq!(super::fault("503,rate=x").unwrap_err(), "`rate` is `x`; a number");
        assert!(super::fault("boom").unwrap_err().starts_with("`fault` is `boom`; one of `refuse`"));
    }

    #[test]
    fn keys_are_hexadecimal() {
        assert_eq!(token_key(&"0f".repeat(32)).unwrap(), [15; 32]);
        let Failure::Told { message, .. } = token_key("0f").unwrap_err() else { panic!() };
        assert_eq!(message, "`--token-key` is not 64 hexadecimal digits");
    }

    #[test]
    fn secrets_are_read_from_files_and_never_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "p4ssw0rd\n").unwrap();
        let secret = Secret(format!("@{}", file.path().display()));
        assert_eq!(secret.read("--set").unwrap(), b"p4ssw0rd\n");
        assert_eq!(secret.line("--set").unwrap(), "p4ssw0rd");
        assert_eq!(Secret::new("@@x").read("--set").unwrap(), b"@x");
        assert_eq!(Secret::new("x").read("--set").unwrap(), b"x");
        assert_eq!(format!("{:?}", Secret::new("p4ssw0rd")), "Secret");
        let Failure::Told { message, .. } = Secret::new("@/nowhere").read("--set").unwrap_err() else {
            panic!()
        };
        assert_eq!(message, "cannot read `/nowhere` of `--set`");
    }

    #[test]
    fn addresses_may_say_localhost() {
        assert_eq!(address("localhost:1338").unwrap(), SocketAddr::from(([127, 0, 0, 1], 1338)));
        assert_eq!(address("[::1]:1").unwrap().to_string(), "[::1]:1");
        assert!(address("1338").unwrap_err().starts_with("it is not an address and a port"));
    }
}
