//! The servers that are compared, each on a loopback port of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use imds_model::header;

use super::load::{PATH, VALUE};
use crate::workspace;

const MOTO: &str = "moto[server]==5.2.1";

/// A server, and the request that is sent to it.
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) header: Option<String>,
    process: Option<Child>,
}

impl Contender {
    pub(super) fn emulator(address: SocketAddr, token: &str) -> Self {
        Self {
            name: "imds serve, session token checked".to_owned(),
            url: format!("http://{address}{PATH}"),
            header: Some(format!("{}: {token}", header::TOKEN)),
            process: None,
        }
    }

    /// One process that serves a file with the same bytes, and writes no log.
    pub(super) fn nginx(scratch: &Path) -> Result<Self, String> {
        let address = free_address()?;
        let root = scratch.display();
        let configuration = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n  access_log off; keepalive_requests 1000000000; default_type text/plain;\n  \
             client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;\n  \
             uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;\n  \
             sendfile on; tcp_nopush on; open_file_cache max=16;\n  \
             server {{ listen {address}; root {root}/files; }}\n}}\n"
        );
        let failed = |error: io::Error| format!("cannot write nginx's files: {error}");
        let file = scratch.join(format!("files{PATH}"));
        std::fs::create_dir_all(file.parent().unwrap_or(scratch)).map_err(failed)?;
        std::fs::write(&file, VALUE).map_err(failed)?;
        let path = scratch.join("nginx.conf");
        std::fs::write(&path, configuration).map_err(failed)?;
        let mut nginx = Command::new("nginx");
        nginx.arg("-e").arg(scratch.join("error.log")).arg("-c").arg(path);
        let name = "nginx, one process, the same bytes from a file";
        start(name, nginx, address).map_err(|error| format!("{error} (Debian: nginx-light, wrk)"))
    }

    /// moto's server, from the PATH or installed with pip outside the checkout.
    pub(super) fn moto() -> Result<Self, String> {
        let address = free_address()?;
        let mut moto = Command::new(moto_server()?);
        moto.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
        let mut contender = start("moto_server", moto, address)?;
        contender.url = format!("http://{address}/latest/meta-data/instance-id");
        Ok(contender)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // Fails where it has ended by itself, which is as good.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn start(name: &str, mut command: Command, address: SocketAddr) -> Result<Contender, String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let process = command.spawn().map_err(|error| format!("cannot run {name}: {error}"))?;
    let mut contender = Contender {
        name: name.to_owned(),
        url: format!("http://{address}{PATH}"),
        header: None,
        process: Some(process),
    };
    for _ in 0..600 {
        if TcpStream::connect(address).is_ok() {
            return Ok(contender);
        }
        if let Some(Ok(Some(status))) = contender.process.as_mut().map(Child::try_wait) {
            return Err(format!("{name} ended at once: {status}"));
        }
        // Neither server says when it listens.
        thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{name} does not listen on {address} within a minute"))
}

/// A port that was free a moment ago; neither server can be asked to take one and say which.
fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map_err(|error| format!("no free port: {error}"))
}

#[allow(clippy::disallowed_methods, reason = "this is where the task looks at its environment")]
fn moto_server() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("moto_server"));
    if let Some(found) = found.into_iter().find(|program| program.is_file()) {
        return Ok(found);
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home);
    let folder = cache.ok_or("neither `XDG_CACHE_HOME` nor `HOME` is set")?.join("imds-bench/moto");
    let program = folder.join("bin/moto_server");
    if !program.is_file() {
        workspace::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        workspace::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", MOTO]))?;
    }
    Ok(program)
}
