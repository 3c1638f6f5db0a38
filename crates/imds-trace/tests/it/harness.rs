//! A network of its own for each live test, a cgroup, the tracer on that cgroup, and clients inside
//! of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use imds_emulator::{Builder, Emulator};
use imds_testkit::secrets;
use serde_json::Value;

/// Says to a test that it runs in a network of its own.
const INSIDE: &str = "IMDS_TRACE_TEST_INSIDE";
/// Far above what anything here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether this is the run of the test in a network of its own, where both addresses of the service
/// are on `lo` and there is no way out. The run outside makes that one and passes or fails with it;
/// so it never returns `true` there.
pub(crate) fn inside(test: &str) -> bool {
    #[allow(clippy::disallowed_methods, reason = "set by this function for the run inside")]
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !can_trace(test) {
        return false;
    }
    let setup = "ip link set lo up \
        && ip address add 169.254.169.254/32 dev lo && ip address add fd00:ec2::254/128 dev lo nodad \
        && exec \"$0\" --exact \"$1\" --nocapture --test-threads 1";
    let output = Command::new("unshare")
        .args(["--net", "--", "sh", "-c", setup])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{test}, in a network of its own:\n{text}");
    false
}

/// Whether this machine lets the test trace. Where it does not, the test says loudly that it proved
/// nothing, and in CI it fails.
pub(crate) fn can_trace(test: &str) -> bool {
    use std::io::Write as _;
    #[allow(clippy::disallowed_methods, reason = "CI tells its tests that none of them may be skipped")]
    let must = std::env::var_os("IMDS_SKIP_NO_TEST").is_some();
    let lacking = if !rustix::process::geteuid().is_root() {
        Some("root")
    } else if cgroup2().is_none() {
        Some("a cgroup v2 tree that is mounted")
    } else {
        None
    };
    let Some(lacking) = lacking else { return true };
    assert!(!must, "{test} needs {lacking}");
    // Past the test runner's capture, which hides what passing tests print.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test} needs {lacking}");
    false
}

/// Where the cgroup v2 tree is mounted.
fn cgroup2() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        (words.get(2) == Some(&"cgroup2")).then(|| PathBuf::from(words[1]))
    })
}

/// A cgroup that is the test's own; gone with it.
pub(crate) struct Cgroup {
    path: PathBuf,
    /// Made below it, for what has to look like a container's.
    below: Vec<PathBuf>,
}

impl Cgroup {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = cgroup2().unwrap().join(format!("imds-trace-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self { path, below: Vec::new() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A cgroup below it, with every directory on the way.
    pub(crate) fn below(&mut self, path: &str) -> PathBuf {
        let mut directory = self.path.clone();
        for component in path.split('/').filter(|component| !component.is_empty()) {
            directory.push(component);
            if !directory.exists() {
                std::fs::create_dir(&directory).unwrap();
                self.below.push(directory.clone());
            }
        }
        directory
    }

    /// A command that runs inside of it.
    pub(crate) fn command<A: AsRef<str>>(&self, words: impl IntoIterator<Item = A>) -> Command {
        command_in(&self.path, words)
    }

    /// Runs a command inside of it; its standard output.
    pub(crate) fn run<A: AsRef<str>>(&self, words: impl IntoIterator<Item = A>) -> String {
        finished(self.command(words))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for directory in self.below.iter().rev().chain([&self.path]) {
            // Busy until the last process in it is reaped, which its parent does at its own time.
            for _ in 0..10_000 {
                if std::fs::remove_dir(directory).is_ok() || !directory.exists() {
                    break;
                }
                std::thread::yield_now();
            }
        }
    }
}

/// A command that runs in this cgroup.
pub(crate) fn command_in<A: AsRef<str>>(cgroup: &Path, words: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(cgroup);
    command.args(words.into_iter().map(|word| word.as_ref().to_owned()));
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    command
}

/// Runs a command that has to succeed; its standard output.
pub(crate) fn finished(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{error}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An emulator at the service's own addresses.
pub(crate) fn emulator(adapt: impl FnOnce(Builder) -> Builder) -> Emulator {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let builder = Emulator::builder()
        .listen(address("169.254.169.254:80"))
        .also_listen(address("[fd00:ec2::254]:80"))
        .record_limit(100_000);
    adapt(builder).start().unwrap()
}

/// The tracer, attached to a cgroup of the test's own.
pub(crate) struct Tracer {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<Value>,
}

impl Tracer {
    /// Starts it and waits until it is attached.
    pub(crate) fn start(cgroup: &Cgroup) -> Self {
        Self::with(cgroup, &[])
    }

    /// Starts it with further arguments, and waits until it is attached.
    pub(crate) fn with(cgroup: &Cgroup, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_imds-trace"))
            .arg("--cgroup")
            .arg(cgroup.path())
            .args(["--instance-id", "i-0123456789abcdef0", "--output", "json"])
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut tracer = Self { child, lines, seen: Vec::new() };
        tracer.wait_for("start", 1);
        tracer
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines of this type, once there are as many.
    pub(crate) fn wait_for(&mut self, kind: &str, count: usize) -> Vec<Value> {
        let is_kind = |line: &&Value| line["type"] == kind;
        let mut found = self.seen.iter().filter(is_kind).count();
        loop {
            if found >= count {
                return self.seen.iter().filter(is_kind).cloned().collect();
            }
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    secrets::assert_none_in(line.as_bytes(), "stdout", "imds-trace");
                    let line: Value = serde_json::from_str(&line).unwrap();
                    found += usize::from(is_kind(&&line));
                    self.seen.push(line);
                }
                Err(error) => {
                    let _ = self.child.kill();
                    let mut stderr = String::new();
                    let _ = self.child.stderr.take().unwrap().read_to_string(&mut stderr);
                    panic!("{found} lines `{kind}` of {count} ({error}): {stderr}");
                }
            }
        }
    }

    /// Stops it by SIGTERM: its requests, its last line, and its exit code.
    pub(crate) fn stop(self) -> (Vec<Value>, Value, i32) {
        let (lines, end, code) = self.stop_with_lines();
        (lines.into_iter().filter(|line| line["type"] == "request").collect(), end, code)
    }

    /// Stops it by SIGTERM: all its lines, the last of them, and its exit code.
    pub(crate) fn stop_with_lines(mut self) -> (Vec<Value>, Value, i32) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let end = self.wait_for("end", 1).remove(0);
        let status = self.child.wait().unwrap();
        (std::mem::take(&mut self.seen), end, status.code().unwrap())
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // Fails where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `kind method path status` of a request.
pub(crate) fn shown(request: &Value) -> String {
    let text = |field: &str| request[field].as_str().unwrap_or("-").to_owned();
    format!("{} {} {} {}", text("kind"), text("method"), text("path"), request["status"])
}
