//! What `/proc` says of a process. It has to be quick: a short-lived caller is gone in a
//! millisecond or two.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use crate::who::caller::{Details, Parent};
use crate::who::redact;

/// Most ancestors that are listed.
const PARENTS: usize = 4;
/// Most bytes of a command line that are read.
const COMMAND_BYTES: u64 = 32 * 1_024;

/// Tells one run of a process from a later one with its number, and one program in it from the
/// next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    parent: u32,
    /// Clock ticks since boot.
    started: u64,
    /// The process's name, which a new program changes.
    name: String,
}

/// What vanishes with a process: gone a millisecond or two after it connected.
#[derive(Debug)]
pub(crate) struct First {
    command: Option<Vec<String>>,
    executable: Option<PathBuf>,
}

/// Reads processes below a `/proc`.
#[derive(Debug)]
pub(crate) struct Processes {
    proc: PathBuf,
}

impl Processes {
    pub(crate) fn new(proc: impl Into<PathBuf>) -> Self {
        Self { proc: proc.into() }
    }

    /// The process's stamp; nothing once it is gone.
    pub(crate) fn stamp(&self, pid: u32) -> Option<Stamp> {
        let stat = fs::read(self.of(pid).join("stat")).ok()?;
        parse_stat(&String::from_utf8_lossy(&stat))
    }

    /// The command line, redacted. Nothing where the process is gone, or is a zombie and has none
    /// left.
    pub(crate) fn command(&self, pid: u32) -> Option<Vec<String>> {
        let mut bytes = Vec::new();
        fs::File::open(self.of(pid).join("cmdline"))
            .ok()?
            .take(COMMAND_BYTES)
            .read_to_end(&mut bytes)
            .ok()?;
        if bytes.is_empty() {
            return None;
        }
        let bytes = bytes.strip_suffix(b"\0").unwrap_or(&bytes);
        let words: Vec<String> =
            bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        Some(redact::command_line(words.iter().map(String::as_str)))
    }

    /// Reads what vanishes with a short-lived process, before anything else is done.
    pub(crate) fn first(&self, pid: u32) -> First {
        First { command: self.command(pid), executable: fs::read_link(self.of(pid).join("exe")).ok() }
    }

    /// Reads the rest, which is there for longer.
    pub(crate) fn details(&self, pid: u32, first: First) -> (Option<Stamp>, Details) {
        let stamp = self.stamp(pid);
        let details = Details {
            executable: first.executable.map(|path| path.to_string_lossy().into_owned()),
            command: first.command,
            network_namespace: self.namespace(pid, "net"),
            parents: stamp.as_ref().map(|stamp| self.ancestors(stamp.parent)).unwrap_or_default(),
        };
        (stamp, details)
    }

    /// The text of `/proc/PID/cgroup`.
    pub(crate) fn cgroups(&self, pid: u32) -> Option<String> {
        fs::read_to_string(self.of(pid).join("cgroup")).ok()
    }

    /// Inode number of a namespace of the process.
    pub(crate) fn namespace(&self, pid: u32, kind: &str) -> Option<u64> {
        let link = fs::read_link(self.of(pid).join("ns").join(kind)).ok()?;
        link.to_str()?.split_once('[')?.1.strip_suffix(']')?.parse().ok()
    }

    fn ancestors(&self, first: u32) -> Vec<Parent> {
        let mut parents = Vec::new();
        let mut next = first;
        while next != 0 && parents.len() < PARENTS {
            let Some(stamp) = self.stamp(next) else { break };
            parents.push(Parent { pid: next, name: stamp.name, command: self.command(next) });
            next = stamp.parent;
        }
        parents
    }

    fn of(&self, pid: u32) -> PathBuf {
        self.proc.join(pid.to_string())
    }
}

/// `PID (NAME) STATE PPID ...`; the name may hold anything, parentheses too.
fn parse_stat(stat: &str) -> Option<Stamp> {
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_ascii_whitespace().collect();
    Some(Stamp {
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_parentheses() {
        let stat = "42 (a) b) c) S 7 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 1 2";
        assert_eq!(parse_stat(stat), Some(Stamp { parent: 7, started: 123_456, name: "a) b) c".to_owned() }));
        assert_eq!(parse_stat("42 (a"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn this_very_process() {
        let processes = Processes::new("/proc");
        let pid = std::process::id();
        let (_, details) = processes.details(pid, processes.first(pid));
        assert!(details.executable.unwrap().contains("imds_trace"));
        assert!(details.command.unwrap()[0].contains("imds_trace"));
        assert!(!details.parents.is_empty());
        assert!(details.network_namespace.is_some());
        assert_eq!(processes.stamp(pid), processes.stamp(pid));
    }

    #[test]
    fn a_process_that_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let processes = Processes::new(root.path());
        assert_eq!(processes.details(1, processes.first(1)), (None, Details::default()));
        assert_eq!(processes.stamp(1), None);
    }
}
