//! A daemon under test, and what it says.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use imds_emulator::Emulator;
use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::auto_scaling::AutoScaling;

/// Far above anything that a healthy test takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a daemon leaves behind: its journal and what its command wrote.
pub(crate) struct Place {
    directory: TempDir,
    /// Whether there is a runtime directory, as systemd gives one.
    runtime: bool,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap(), runtime: true };
        std::fs::create_dir(place.runtime_directory()).unwrap();
        place
    }

    /// As for a daemon that systemd did not start.
    pub(crate) fn without_runtime_directory() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), runtime: false }
    }

    pub(crate) fn runtime_directory(&self) -> PathBuf {
        self.path().join("run")
    }

    /// How many of the files here hold this text.
    pub(crate) fn files_that_hold(&self, text: &str) -> usize {
        let found =
            Command::new("grep").args(["-r", "-l", "-D", "skip", text]).arg(self.path()).output().unwrap();
        String::from_utf8(found.stdout).unwrap().lines().count()
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// A command that notes that it ran.
    pub(crate) fn command(&self) -> String {
        format!("echo $IMDS_LIFECYCLE_STATE >> {}", self.log().display())
    }

    /// How often it did.
    pub(crate) fn runs(&self) -> usize {
        std::fs::read_to_string(self.log()).unwrap_or_default().lines().count()
    }

    /// A FIFO, for a command that waits for the test.
    pub(crate) fn fifo(&self) -> PathBuf {
        let path = self.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// The daemon's command line.
    pub(crate) fn daemon(&self, instance: &Emulator, api: &AutoScaling, arguments: &[&str]) -> Daemon {
        self.daemon_under(&[], instance, api, arguments)
    }

    /// The same through another program, such as `strace`.
    pub(crate) fn daemon_under(
        &self,
        wrapper: &[&str],
        instance: &Emulator,
        api: &AutoScaling,
        arguments: &[&str],
    ) -> Daemon {
        self.daemon_at(wrapper, &instance.endpoint(), api, arguments)
    }

    /// The same where the metadata service need not be there.
    pub(crate) fn daemon_at(
        &self,
        wrapper: &[&str],
        endpoint: &str,
        api: &AutoScaling,
        arguments: &[&str],
    ) -> Daemon {
        let mut command = self.prepared(wrapper, endpoint, arguments);
        command.env("AWS_ENDPOINT_URL", api.endpoint());
        Daemon::start(command)
    }

    /// The command line of a daemon, whose API is still to be named.
    pub(crate) fn prepared(&self, wrapper: &[&str], endpoint: &str, arguments: &[&str]) -> Command {
        let words: Vec<&str> =
            wrapper.iter().copied().chain([env!("CARGO_BIN_EXE_imds-lifecycle"), "run"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["--interval", "10ms", "--state"]).arg(self.path().join("state"));
        command.args(arguments).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.path());
        command.env("IMDS_CACHE_DIR", self.path().join("cache"));
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint);
        if self.runtime {
            command.env("RUNTIME_DIRECTORY", self.runtime_directory());
        }
        command
    }
}

/// A daemon that runs.
pub(crate) struct Daemon {
    child: Child,
    lines: Receiver<String>,
    pub(crate) said: Vec<String>,
}

impl Daemon {
    pub(crate) fn start(mut command: Command) -> Self {
        use std::os::unix::process::CommandExt as _;
        // With whatever it is wrapped in: one signal reaches both.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                if send.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until the daemon says something that holds this text.
    #[track_caller]
    pub(crate) fn says(&mut self, text: &str) -> &mut Self {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.said.push(line);
                    if found {
                        return self;
                    }
                }
                Err(error) => panic!("the daemon does not say {text:?} ({error}): {:#?}", self.said),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process_group(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; everything that it said is then there.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        // A supervisor that lives on holds the pipe, so its end is not waited for.
        while let Ok(line) = self.lines.try_recv() {
            self.said.push(line);
        }
        (status, self.said.join("\n"))
    }

    /// Waits for an end that it finds by itself; nothing of it lives on.
    pub(crate) fn end_with_output(mut self) -> (ExitStatus, String) {
        let said: Vec<String> = self.lines.iter().collect();
        self.said.extend(said);
        let status = self.child.wait().unwrap();
        (status, self.said.join("\n"))
    }

    /// Ends it as systemd does.
    #[track_caller]
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::TERM);
        let (status, said) = self.end();
        assert!(status.success(), "{status}: {said}");
        said
    }

    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
        let (status, said) = self.end();
        assert_eq!(status.code(), None, "{said}");
    }

    /// Lets it live for a drawn part of this time, and kills it.
    pub(crate) fn kill_within(mut self, longest: Duration, kill: &mut imds_testkit::Kill) {
        kill.strike(&mut self.child, longest);
        let (status, said) = self.end();
        assert_eq!(status.code(), None, "{said}");
    }

    /// The process that was started.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until the daemon says this text, or has ended; whether it said it.
    pub(crate) fn says_or_ends(&mut self, text: &str) -> bool {
        loop {
            match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.said.push(line);
                    if found {
                        return true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) if self.has_ended() => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails where it has ended.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
