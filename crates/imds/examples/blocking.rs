//! Reads a few values on the calling thread.
//!
//! On an instance: `cargo run --example blocking`. Elsewhere, against an emulator:
//! `imds emulate -- cargo run --example blocking`.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&imds::Client::from_env()?, &mut std::io::stdout().lock())
}

pub(crate) fn run(imds: &imds::Client, out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let document = imds.identity_document()?;
    writeln!(out, "instance {}", document.instance_id.as_deref().unwrap_or("unknown"))?;

    // A path is a category, with or without what stands before it.
    writeln!(out, "region {}", imds.get("placement/region")?.text()?)?;

    // Tags are absent unless the metadata options allow them: no error, and none are listed.
    for (key, value) in imds.tags()? {
        writeln!(out, "tag {key} = {value}")?;
    }

    // Absence is not an error of these reads, and it is `ErrorKind::NotFound` of `get`.
    match imds.user_data()? {
        Some(bytes) => writeln!(out, "{} bytes of user data", bytes.len())?,
        None => writeln!(out, "no user data")?,
    }
    match imds.get("spot/termination-time") {
        Ok(time) => writeln!(out, "this Spot Instance ends at {}", time.text()?)?,
        Err(error) if error.kind() == imds::ErrorKind::NotFound => writeln!(out, "nothing ends it")?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
