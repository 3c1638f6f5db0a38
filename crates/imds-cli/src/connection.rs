//! The options of every command that sends requests, and the client that they configure.

use std::time::Duration;

use clap::Args;
use imds::{Client, ClientBuilder, EndpointMode, ImdsVersion};
use imds_model::duration;

use crate::report::{self, Failure};

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct ConnectionArgs {
    /// Endpoint of the service, `http://HOST[:PORT][/PREFIX]`
    #[arg(long, alias = "endpoint-url", value_name = "URL")]
    pub(crate) endpoint: Option<String>,

    /// Endpoint mode: IPv4, IPv6, or auto to use the one that answers first
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(crate) endpoint_mode: Option<EndpointMode>,

    /// Profile of the AWS config file
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Time limit for the whole command, such as `500ms`, `30s` or `5m`
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    pub(crate) timeout: Option<Duration>,

    /// Send requests without a session token (IMDSv1), as older Snowball devices need
    #[arg(long)]
    pub(crate) imds_v1: bool,

    /// Log each step to stderr
    #[arg(long, short, overrides_with = "verbose")]
    pub(crate) verbose: bool,
}

impl ConnectionArgs {
    /// Returns the client of these options. `--timeout` is the time for all of its calls.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let client = self.build(self.builder())?;
        Ok(match self.timeout {
            Some(timeout) => client.with_timeout(timeout),
            None => client,
        })
    }

    /// Returns a client whose every call has the time of `--timeout`, for a command that goes on.
    pub(crate) fn polling_client(&self) -> Result<Client, Failure> {
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

    /// Returns a builder with these options set.
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
    text.parse().map_err(|_| format!("the modes are `{}`", EndpointMode::SPELLINGS.join("`, `")))
}
