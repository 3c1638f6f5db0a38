//! Reads an object with the crate `object_store` and the instance's credentials, and prints one
//! `ASPECT VALUE` line for each thing read.
//!
//! S3 is a thread of this program: it answers a request that is signed with a session token, and
//! refuses every other one.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

const OBJECT: &str = "hello";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    println!("version object_store {}", version());
    let (send, keys) = channel();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client of a broken connection fails by itself.
            let _ = answer(stream, &send);
        }
    });
    let (object, key) = read(address, &keys).await?;
    println!("object {object}");
    println!("credentials instance {key}");
    // It asks for nothing else.
    println!("region -\nidentity -\nuser-data -");
    let status = Command::new("sh").args(["-c", &std::env::var("INTEROP_EXPIRE")?]).status()?;
    if !status.success() {
        return Err("INTEROP_EXPIRE failed".into());
    }
    // A store keeps its credentials for as long as they say that they are good.
    let (_, key) = read(address, &keys).await?;
    println!("after-expiry - {key}");
    Ok(())
}

/// An object by a new store, and the access key id that S3 saw.
async fn read(s3: SocketAddr, keys: &Receiver<String>) -> Result<(String, String), Box<dyn Error>> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name("my-bucket")
        .with_region("us-east-1")
        .with_endpoint(format!("http://{s3}"))
        .with_allow_http(true);
    // The crate has its own option for the service, and does not read the SDKs' variable.
    if let Ok(endpoint) = std::env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT") {
        builder = builder.with_metadata_endpoint(endpoint);
    }
    let store: Box<dyn ObjectStore> = Box::new(builder.build()?);
    let bytes = store.get(&Path::from("key")).await?.bytes().await?;
    Ok((String::from_utf8(bytes.to_vec())?, keys.recv()?))
}

/// Answers one request of a connection.
fn answer(mut stream: TcpStream, keys: &Sender<String>) -> Result<(), Box<dyn Error>> {
    let (mut key, mut has_token) = (None, false);
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let credential = value.split_once("Credential=").map(|(_, rest)| rest);
                key = credential.and_then(|rest| rest.split('/').next()).map(str::to_owned);
            }
            "x-amz-security-token" => has_token = !value.is_empty(),
            _ => {}
        }
    }
    let (status, body) = match key {
        Some(key) if has_token => {
            keys.send(key)?;
            ("200 OK", OBJECT)
        }
        _ => ("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nLast-Modified: Fri, 15 Jan 2027 08:00:00 GMT\r\n\
         ETag: \"1\"\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

/// The version that the lock file pins.
fn version() -> &'static str {
    let lock = include_str!("../Cargo.lock");
    let package = lock.split("[[package]]").find(|package| package.contains("name = \"object_store\"\n"));
    package.and_then(|package| package.split('"').nth(3)).unwrap_or("unknown")
}
