//! `HTTPS_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`: a CONNECT proxy, and the API behind TLS with a
//! certificate of a private authority. The metadata service is never asked through the proxy.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::auto_scaling::AutoScaling;
use crate::daemon::{Daemon, Place};
use crate::{instance, set_state};

const REGIONAL: &str = "autoscaling.us-east-1.amazonaws.com";
const COMPLETED: &str = "state `Terminated`: completed";

/// A private authority and a certificate of it, for AWS's name and for loopback.
fn certificates(directory: &Path) -> ServerConfig {
    let extension = format!("subjectAltName=DNS:{REGIONAL},IP:127.0.0.1\n");
    std::fs::write(directory.join("extension"), extension).unwrap();
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let authority = ["-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Private authority"];
    let request = ["-keyout", "api.key", "-out", "api.request", "-subj", "/CN=API"];
    let sign = ["-req", "-in", "api.request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
    for arguments in [
        [&["req"][..], &new_key, &authority].concat(),
        [&["req"][..], &new_key, &request].concat(),
        [&["x509"][..], &sign, &["-extfile", "extension", "-out", "api.pem"]].concat(),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(&arguments).current_dir(directory).stderr(Stdio::null());
        assert!(openssl.status().unwrap().success(), "{arguments:?}");
    }
    let chain = vec![CertificateDer::from_pem_file(directory.join("api.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(directory.join("api.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// Reads one message of HTTP with a `Content-Length`, or nothing at the end.
fn message(stream: impl Read) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut whole, mut length) = (Vec::new(), 0);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        let is_end = text.trim().is_empty();
        whole.extend(line);
        if is_end {
            break;
        }
    }
    let start = whole.len();
    whole.resize(start + length, 0);
    reader.read_exact(&mut whole[start..]).ok()?;
    Some(whole)
}

/// Serves the API by TLS; gives the address.
fn tls(api: &AutoScaling, config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (plain, config) = (api.endpoint().replace("http://", ""), Arc::new(config));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let (mut client, plain) = (StreamOwned::new(session, stream.unwrap()), plain.clone());
            std::thread::spawn(move || {
                let mut api = TcpStream::connect(plain).unwrap();
                // A client that does not accept the certificate hangs up.
                while let Some(request) = message(&mut client) {
                    api.write_all(&request).unwrap();
                    let Some(answer) = message(&mut api) else { return };
                    if client.write_all(&answer).and_then(|()| client.flush()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// A proxy that connects everything to `to`; notes the first line of each request.
fn proxy(to: SocketAddr) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut client, noted) = (stream.unwrap(), Arc::clone(&noted));
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) > 0 {
                    head.push(byte[0]);
                }
                let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                let tunnels = first.starts_with("CONNECT ");
                noted.lock().unwrap().push(first);
                if !tunnels {
                    return;
                }
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
                let server = TcpStream::connect(to).unwrap();
                let (mut from, mut into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut into));
                let _ = std::io::copy(&mut &server, &mut &client);
            });
        }
    });
    (url, asked)
}

#[test]
fn aws_is_asked_through_the_proxy_and_by_the_bundle_and_the_metadata_service_is_not() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let (url, asked) = proxy(tls(&api, certificates(place.path())));
    let mut command = place.prepared(&[], &instance.endpoint(), &["--exec", &place.command()]);
    command.env("HTTPS_PROXY", &url).env("HTTP_PROXY", &url).env("ALL_PROXY", &url);
    command.env("https_proxy", &url).env("http_proxy", &url);
    // Set to nothing is not set: AWS's own name is asked for, by the proxy.
    command.env("AWS_ENDPOINT_URL", "").env("AWS_ENDPOINT_URL_AUTO_SCALING", " ");
    command.env("AWS_CA_BUNDLE", place.path().join("ca.pem"));
    set_state(&instance, "Terminated");
    let mut daemon = Daemon::start(command);
    daemon.says(COMPLETED);
    daemon.stop();
    assert_eq!(api.world(|world| world.completed()), ["CONTINUE"]);
    let asked = asked.lock().unwrap();
    let expected = format!("CONNECT {REGIONAL}:443 HTTP/1.1");
    assert!(!asked.is_empty() && asked.iter().all(|line| *line == expected), "{asked:?}");
    assert!(instance.counters().gets > 0);
}

#[test]
fn no_proxy_and_certificates_of_another_authority() {
    let (instance, api, place) = (instance(), AutoScaling::start(3_600), Place::new());
    let server = tls(&api, certificates(place.path()));
    let (url, asked) = proxy(server);
    let command = |bundle: Option<&Path>| {
        let mut command = place.prepared(&[], &instance.endpoint(), &["--exec", &place.command()]);
        command.env("HTTPS_PROXY", &url).env("NO_PROXY", "127.0.0.1");
        command.env("AWS_ENDPOINT_URL", format!("https://{server}"));
        if let Some(bundle) = bundle {
            command.env("AWS_CA_BUNDLE", bundle);
        }
        command
    };
    // The certificates of the machine do not vouch for it.
    let mut daemon = Daemon::start(command(None));
    daemon.says("cannot describe the hooks of group `web`: ");
    daemon.stop();
    assert_eq!(api.world(|world| world.calls.len()), 0);
    set_state(&instance, "Terminated");
    let mut daemon = Daemon::start(command(Some(&place.path().join("ca.pem"))));
    daemon.says(COMPLETED);
    daemon.stop();
    assert_eq!(*asked.lock().unwrap(), [""; 0], "straight to the API");
}

#[test]
fn a_bundle_that_cannot_be_used_is_refused_at_the_start() {
    let (instance, place) = (instance(), Place::new());
    let bundle = place.path().join("bundle.pem");
    let broken = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
    let cut = "-----BEGIN CERTIFICATE-----\nbm90\n";
    for (content, why) in [
        (Some(""), "it holds no certificate in PEM"),
        (Some("a certificate\n"), "it holds no certificate in PEM"),
        (Some(broken), "certificate 1 cannot be used: "),
        (Some(cut), ""),
        (None, "No such file"),
    ] {
        match content {
            Some(content) => std::fs::write(&bundle, content).unwrap(),
            None => std::fs::remove_file(&bundle).unwrap(),
        }
        let mut command = place.prepared(&[], &instance.endpoint(), &["--exec", "true"]);
        command.env("AWS_CA_BUNDLE", &bundle).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        let (status, said) = Daemon::start(command).end_with_output();
        assert_eq!(status.code(), Some(2), "{content:?}: {said}");
        let told = format!("error: cannot use `{}` of `AWS_CA_BUNDLE`\ncaused by: ", bundle.display());
        assert!(said.starts_with(&told) && said.contains(why), "{content:?}: {said}");
    }
}
