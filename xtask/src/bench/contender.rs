//! The command lines that are compared: each reads the instance id once and prints it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::service::Service;

/// Places of the contenders that goals name, in the order of [`all`].
pub(super) const FLOOR: usize = 0;
pub(super) const IMDS: usize = 1;
pub(super) const CURL: usize = 2;
pub(super) const IDIOM: usize = 3;

/// A command line that reads one value.
pub(super) struct Contender {
    pub(super) name: &'static str,
    words: Vec<OsString>,
    pub(super) variables: Vec<(&'static str, OsString)>,
}

impl Contender {
    pub(super) fn new(name: &'static str, words: &[&str]) -> Self {
        Self { name, words: words.iter().map(OsString::from).collect(), variables: Vec::new() }
    }

    /// The command with nothing to wait for but the value: the same standard library call starts
    /// every contender.
    pub(super) fn timed(&self) -> Command {
        let mut command = self.plain(Command::new(&self.words[0]));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The command run by another one.
    pub(super) fn under(&self, wrapper: &Path) -> Command {
        let mut command = Command::new(wrapper);
        command.arg(&self.words[0]);
        let mut command = self.plain(command);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn plain(&self, mut command: Command) -> Command {
        command.args(&self.words[1..]).stdin(Stdio::null());
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(self.variables.iter().cloned());
        command
    }

    /// What the command prints.
    pub(super) fn value(&self) -> Result<String, String> {
        let output = self.timed().stdout(Stdio::piped()).stderr(Stdio::piped()).output();
        let output =
            output.map_err(|error| format!("cannot run {} (`{:?}`): {error}", self.name, self.words[0]))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} failed: {}: {said}", self.name, output.status));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Where the system has a program: looked up here, so that no contender's time holds a search.
pub(super) fn installed(program: &str) -> Result<String, String> {
    let places = ["/usr/bin", "/bin"].map(|directory| format!("{directory}/{program}"));
    let place = places.into_iter().find(|place| Path::new(place).exists());
    place.ok_or_else(|| format!("`{program}` is not installed"))
}

/// Every contender, warm and seen to print the same value.
pub(super) fn all(
    imds: &Path,
    floor: &Path,
    service: &Service,
    store: &Path,
) -> Result<Vec<Contender>, String> {
    let path = imds_model::well_known::INSTANCE_ID;
    let url = format!("http://127.0.0.1:{}{path}", service.port);
    let token_url = format!("http://127.0.0.1:{}{}", service.port, imds_model::well_known::TOKEN_PATH);
    let token_header = format!("{}: {}", imds_model::header::TOKEN, service.token);
    let idiom = format!(
        "TOKEN=$(curl -s -X PUT {token_url} -H '{}: 21600'); curl -s -H \"{}: $TOKEN\" {url}",
        imds_model::header::TOKEN_TTL,
        imds_model::header::TOKEN
    );
    let (imds, floor) = (imds.to_string_lossy(), floor.to_string_lossy());
    let (curl, sh) = (installed("curl")?, installed("sh")?);
    let mut contenders = vec![
        Contender::new(
            "floor (no libc, one GET)",
            &[&floor, &service.port.to_string(), &service.token, path],
        ),
        Contender::new("imds get instance-id", &[&imds, "get", "instance-id"]),
        Contender::new("curl -s, token in hand", &[&curl, "-s", "-H", &token_header, &url]),
        Contender::new("sh: curl PUT, curl GET", &[&sh, "-c", &idiom]),
    ];
    contenders[IMDS].variables = vec![
        (imds_model::env::ENDPOINT, format!("http://127.0.0.1:{}", service.port).into()),
        (imds_model::env::CACHE_DIR, store.into()),
    ];
    let value = contenders[FLOOR].value()?;
    for contender in &contenders {
        let printed = contender.value()?;
        if printed != value || value.is_empty() {
            return Err(format!("{} prints `{printed}`, not `{value}`", contender.name));
        }
    }
    Ok(contenders)
}
