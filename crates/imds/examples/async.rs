//! Reads values from tasks, which share one session token and its connections.
//!
//! On an instance: `cargo run --features tokio --example async`.

use std::io::Write;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&imds::AsyncClient::from_env()?, &mut std::io::stdout()).await
}

pub(crate) async fn run(
    imds: &imds::AsyncClient,
    out: &mut impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    // One of the three fetches the session token, and the others use it.
    let (region, zone, interfaces) =
        tokio::try_join!(imds.get("placement/region"), imds.get("placement/availability-zone"), async {
            imds.interfaces().await
        })?;
    writeln!(out, "region {}, zone {}", region.text()?, zone.text()?)?;
    for interface in interfaces {
        writeln!(out, "interface {} in {}", interface.mac, interface.subnet_id.unwrap_or_default())?;
    }

    // Every value below a path, each as soon as it is read.
    let mut walk = imds.walk("placement/")?;
    let mut values = 0;
    while let Some(value) = walk.next().await {
        value?;
        values += 1;
    }
    writeln!(out, "{values} values below placement/")?;
    Ok(())
}
