//! The options of every command that asks the service, and the client that they make.

use std::time::Duration;

use clap::Args;
use imds::{Client, ClientBuilder, EndpointMode, ImdsVersion};

use crate::report::{self, Failure};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct ConnectionArgs {
    /// Ask this endpoint, `http://HOST[:PORT][/PREFIX]`
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,

    /// Use the endpoint of this mode: IPv4, IPv6, or auto for whichever answers first
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(crate) endpoint_mode: Option<EndpointMode>,

    /// Read this profile of the AWS config file
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Give up after this long in all: seconds, or a number with `ms`, `s` or `m`
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// Speak IMDSv1, without a session token, as older Snowball devices need
    #[arg(long)]
    pub(crate) imds_v1: bool,

    /// Tell on stderr what is done on the way
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

impl ConnectionArgs {
    /// The client of these options.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.build(self.builder())
    }

    /// The client of a builder that [`builder`](Self::builder) made.
    pub(crate) fn build(&self, builder: ClientBuilder) -> Result<Client, Failure> {
        let client = builder.build()?;
        if self.verbose {
            let choice = client.endpoint();
            report::note(&format_args!("endpoint `{choice}` from {}", choice.source()));
        }
        Ok(client)
    }

    /// A builder that these options are already given to.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let mut builder = Client::builder();
        if let Some(url) = &self.endpoint {
            builder = builder.endpoint(url);
        }
        if let Some(mode) = self.endpoint_mode {
            builder = builder.endpoint_mode(mode);
        }
        if let Some(profile) = &self.profile {
            builder = builder.profile(profile);
        }
        if let Some(timeout) = self.timeout {
            builder = builder.deadline(timeout);
        }
        if self.imds_v1 {
            builder = builder.version(ImdsVersion::V1);
        }
        if self.verbose {
            builder = builder.observer(|notice| report::note(notice));
        }
        builder
    }
}

fn mode(text: &str) -> Result<EndpointMode, String> {
    EndpointMode::parse(text)
        .ok_or_else(|| format!("it is none of `{}`", EndpointMode::SPELLINGS.join("`, `")))
}

/// A duration: seconds, or a number with `ms`, `s` or `m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => {
            return Err("it has an unknown unit; write seconds, or a number with `ms`, `s` or `m`".to_owned());
        }
    };
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let total = number.parse::<f64>().ok().filter(|_| plain).map(|number| number * seconds);
    match total {
        Some(total) if (0.001..=86_400.0).contains(&total) => Ok(Duration::from_secs_f64(total)),
        _ => Err("it is not a duration from 1 ms to one day".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in
            [("5", 5_000), ("0.5", 500), ("250ms", 250), ("2s", 2_000), ("1.5m", 90_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "0", "-1", "inf", "NaN", "1h", "1e3", "100000", "s", "5 s"] {
            let message = duration(text).unwrap_err();
            assert!(message.starts_with("it "), "{text}: {message}");
        }
    }
}
