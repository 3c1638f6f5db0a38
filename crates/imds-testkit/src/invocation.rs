//! One command line, built up and run.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::environment::TestEnvironment;
use crate::output::CommandOutput;
use crate::running::Running;
use crate::{guard, terminal};

/// A command line of the binary under test, in the world of a [`TestEnvironment`].
#[derive(Debug)]
#[must_use = "a command line does nothing until it is run"]
pub struct Invocation<'e> {
    world: &'e TestEnvironment,
    arguments: Vec<OsString>,
    variables: BTreeMap<OsString, OsString>,
    wrapper: Vec<OsString>,
    stdin: Vec<u8>,
    unreachable_network: bool,
    prints_secrets: bool,
    terminal: bool,
    closed_stdout: bool,
}

impl TestEnvironment {
    /// A command line of the binary under test.
    pub fn imds<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Invocation<'_> {
        Invocation::new(self, arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect())
    }

    /// `imds get PATH` against `endpoint`: what most tests run.
    pub fn get(&self, path: &str, endpoint: &str) -> Invocation<'_> {
        self.imds(["get", path]).endpoint(endpoint)
    }
}

impl<'e> Invocation<'e> {
    pub(crate) fn new(world: &'e TestEnvironment, arguments: Vec<OsString>) -> Self {
        let invocation = Self {
            world,
            arguments,
            variables: BTreeMap::new(),
            wrapper: Vec::new(),
            stdin: Vec::new(),
            unreachable_network: false,
            prints_secrets: false,
            terminal: false,
            closed_stdout: false,
        };
        invocation
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", world.home())
            .env("IMDS_CACHE_DIR", world.cache())
            .env("XDG_RUNTIME_DIR", world.root().join("run"))
            .env("COLUMNS", "80")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Takes one of the runner's own variables away.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.variables.remove(name.as_ref());
        self
    }

    /// Names the endpoint by its environment variable.
    pub fn endpoint(self, endpoint: &str) -> Self {
        self.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
    }

    /// Forbids the command every request, for those that need none.
    pub fn disabled(self) -> Self {
        self.env("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// Adds one more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// What the command reads from standard input; nothing unless told.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the command through another one, such as `setpriv --reuid 1`, which must become it by
    /// `exec`.
    pub fn under<A: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = A>) -> Self {
        self.wrapper.extend(wrapper.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Runs the command in a network namespace without a single interface up, where every address
    /// is out of reach. The only way to run it against an endpoint that is not on loopback.
    pub fn in_empty_network(mut self) -> Self {
        self.unreachable_network = true;
        self.under(["unshare", "--map-root-user", "--net", "--"])
    }

    /// Runs the command through a wrapper that puts it in a network of its own with no way out,
    /// made by the test; for tests that put a server on the real addresses there.
    pub fn in_own_network<A: AsRef<OsStr>>(mut self, wrapper: impl IntoIterator<Item = A>) -> Self {
        self.unreachable_network = true;
        self.under(["unshare", "--map-root-user", "--net", "--"]).under(wrapper)
    }

    /// Lets secrets stand on stdout, for a command whose job it is to print one. Never on stderr.
    pub fn prints_secrets(mut self) -> Self {
        self.prints_secrets = true;
        self
    }

    /// Gives the command a terminal for its standard output.
    pub fn on_terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Gives the command a pipe that nobody reads for its standard output.
    pub fn with_closed_stdout(mut self) -> Self {
        self.closed_stdout = true;
        self
    }

    /// Runs the command to its end.
    ///
    /// # Panics
    /// If it could reach the real service, does not end in two minutes, or printed a secret.
    pub fn run(self) -> CommandOutput {
        self.spawn().wait()
    }

    /// Starts the command.
    ///
    /// # Panics
    /// If it could reach the real service.
    pub fn spawn(self) -> Running {
        if !self.unreachable_network
            && let Some(objection) = guard::objection(&self.arguments, &self.variables, &self.config_text())
        {
            panic!("refused to run `{}`: {objection}", self.command_line());
        }
        let mut words = self.wrapper.iter().map(OsString::as_os_str).chain([self.world.binary().as_os_str()]);
        let mut command = Command::new(words.next().expect("the binary, at least"));
        command.args(words).args(&self.arguments).env_clear().envs(&self.variables);
        command.current_dir(self.world.home());
        let out = self.world.next_run();
        command.stdin(self.stdin_file(&out));
        let stdout_path = out.with_extension("stdout");
        let stderr_path = out.with_extension("stderr");
        let mut ours_of_terminal = None;
        if self.terminal {
            let (ours, theirs) = terminal::open();
            command.stdout(theirs);
            ours_of_terminal = Some(ours);
        } else if self.closed_stdout {
            let (_, writer) = std::io::pipe().expect("a pipe");
            command.stdout(writer);
        } else {
            command.stdout(File::create(&stdout_path).expect("a file for stdout"));
        }
        command.stderr(File::create(&stderr_path).expect("a file for stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start `{command:?}`: {error}"));
        // `command` holds our copy of the terminal's far end; the end is seen only once it is gone.
        drop(command);
        Running::new(
            child,
            stdout_path,
            stderr_path,
            ours_of_terminal,
            self.command_line(),
            self.prints_secrets,
            self.world,
        )
    }

    fn command_line(&self) -> String {
        let words = self.arguments.iter().map(|argument| argument.to_string_lossy().into_owned());
        [String::from("imds")].into_iter().chain(words).collect::<Vec<_>>().join(" ")
    }

    fn config_text(&self) -> String {
        let named = self.variables.get(OsStr::new("AWS_CONFIG_FILE")).map(PathBuf::from);
        let path = named.unwrap_or_else(|| self.world.home().join(".aws/config"));
        // No file, no endpoint in it: the guard then asks for one elsewhere.
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn stdin_file(&self, out: &std::path::Path) -> Stdio {
        if self.stdin.is_empty() {
            return Stdio::null();
        }
        let path = out.with_extension("stdin");
        File::create(&path).and_then(|mut file| file.write_all(&self.stdin)).expect("write what stdin gives");
        File::open(&path).expect("open what stdin gives").into()
    }
}
