//! What `imds serve` and `imds emulate` have in common: the options that describe the emulated service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use imds_emulator::{
    Builder, Clock, Emulator, Error, Event, EventText, HopLimit, HttpTokens, Profile, Switch, read_instance,
    read_scenario,
};
use imds_emulator::{Described, Preset};

use crate::exit::Exit;
use crate::report::Failure;

/// The options that describe the emulated service.
#[derive(ClapArgs, Debug)]
pub(crate) struct EmulatorArgs {
    /// Serve a ready-made instance: default, spot, asg, multi-interface, ipv6-only, no-role, snowball
    #[arg(long, value_name = "PRESET", value_parser = preset, conflicts_with = "instance")]
    preset: Option<Preset>,

    /// Serve the instance that this file describes (TOML or JSON), or a snapshot of a real one
    #[arg(long, value_name = "FILE")]
    instance: Option<PathBuf>,

    /// Serve this value at this path (can be repeated)
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,

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

    /// Have happen what this file says, when it says (TOML)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,

    /// Go by this clock: real, stepped, or a factor such as x60
    #[arg(long, value_name = "CLOCK", value_parser = clock)]
    clock: Option<Clock>,

    /// Begin with this fault (can be repeated), such as 503,rate=0.1 or stall,path=/latest/api/token,for=10s
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    fault: Vec<Event>,

    /// Draw rates of faults with this number, as an earlier run did
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Issue session tokens under this key, 64 hexadecimal digits, so that they outlive a restart
    #[arg(long, value_name = "KEY", value_parser = token_key)]
    token_key: Option<TokenKey>,

    /// Keep this many requests for assertions and the control API
    #[arg(long, value_name = "REQUESTS")]
    record: Option<usize>,
}

/// The key of the session tokens; no part of it is shown.
#[derive(Clone)]
struct TokenKey([u8; 32]);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey")
    }
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
            builder = builder.set(path, value.as_bytes());
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
        if let Some(clock) = &self.clock {
            builder = builder.clock(clock.clone());
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(key) = &self.token_key {
            builder = builder.token_key(key.0);
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

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => Ok((path.to_owned(), value.to_owned())),
        _ => Err("it is no `PATH=VALUE`".to_owned()),
    }
}

fn fault(text: &str) -> Result<Event, String> {
    let (name, parameters) = text.split_once(',').unwrap_or((text, ""));
    let words = parameters.split(',').filter(|word| !word.is_empty());
    let first = format!("fault={name}");
    EventText::from_words("fault", std::iter::once(first.as_str()).chain(words))?.event()
}

fn token_key(text: &str) -> Result<TokenKey, String> {
    let wrong = || "it is no run of 64 hexadecimal digits".to_owned();
    let mut key = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    for (byte, at) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)?;
    }
    Ok(TokenKey(key))
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
        assert_eq!(token_key(&"0f".repeat(32)).unwrap().0, [15; 32]);
        assert_eq!(token_key("0f").unwrap_err(), "it is no run of 64 hexadecimal digits");
        assert_eq!(format!("{:?}", token_key(&"0f".repeat(32))), "Ok(TokenKey)");
    }
}
