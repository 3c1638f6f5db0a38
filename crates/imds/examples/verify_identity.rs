//! Reads the instance identity document and believes it only with AWS's signature.
//!
//! On an instance: `cargo run --features identity --example verify_identity`. To verify what
//! another machine has sent, `imds-identity` alone is enough: it does no I/O.

use std::io::Write;

use imds::{Client, ErrorKind, Rejection};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&Client::from_env()?, &mut std::io::stdout().lock())
}

pub(crate) fn run(imds: &Client, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    match imds.verified_identity() {
        Ok(identity) => {
            let document = identity.document();
            let account = document.account_id.as_deref().unwrap_or("unknown");
            writeln!(out, "account {account}, signed in {}", identity.region())?;
        }
        // A Region that is newer than this crate is no forgery: an update knows its certificate.
        Err(error) if error.kind() == ErrorKind::Untrusted => {
            let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
            match cause {
                Some(Rejection::UnknownRegion(region)) => writeln!(out, "no certificate for {region}")?,
                _ => writeln!(out, "not believed: {error}")?,
            }
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
