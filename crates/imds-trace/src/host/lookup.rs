//! From what the kernel part knows of a connection to the caller that people know: the process is
//! looked up when it connects, while it is still there.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::cgroups::{Cgroups, paths_of};
use super::containers::Names;
use super::process::{First, Processes, Stamp};
use super::users::Users;
use crate::trace::event::Origin;
use crate::who::caller::{Caller, Details};
use crate::who::cgroup::Place;

/// Most processes that are remembered.
const REMEMBERED: usize = 32_768;

/// Looks callers up and remembers them by connection.
#[derive(Debug)]
pub(crate) struct Lookup {
    processes: Processes,
    cgroups: Cgroups,
    names: Names,
    users: Users,
    /// By process id; a process with another stamp is another one.
    known: HashMap<u32, (Stamp, Details)>,
    /// Processes of which the rest is still to be read.
    first: HashMap<u32, First>,
    /// By socket cookie.
    connections: HashMap<u64, Caller>,
}

impl Lookup {
    /// Looks up below `root`, which is `/` unless the host's file system is mounted elsewhere.
    pub(crate) fn new(root: &Path, cgroup_root: &Path) -> Self {
        let passwd = fs::read(root.join("etc/passwd")).unwrap_or_default();
        Self {
            processes: Processes::new(root.join("proc")),
            cgroups: Cgroups::new(cgroup_root),
            names: Names::new(root),
            users: Users::parse(&String::from_utf8_lossy(&passwd)),
            known: HashMap::new(),
            first: HashMap::new(),
            connections: HashMap::new(),
        }
    }

    /// A process connects: reads what will be gone with it, and nothing else yet.
    pub(crate) fn connected(&mut self, origin: &Origin) {
        if let Some(pid) = origin.process.as_ref().map(|process| process.pid) {
            let current = |(stamp, _): &(Stamp, Details)| self.processes.stamp(pid).as_ref() == Some(stamp);
            if !self.known.get(&pid).is_some_and(current) {
                self.first.insert(pid, self.processes.first(pid));
            }
        }
    }

    /// Reads the rest about a process that connected.
    pub(crate) fn complete(&mut self, cookie: u64, origin: &Origin) {
        let caller = self.find(origin);
        self.connections.insert(cookie, caller);
    }

    /// Who made a connection.
    pub(crate) fn caller(&mut self, cookie: u64, origin: &Origin) -> Caller {
        if let Some(known) = self.connections.get(&cookie) {
            return known.clone();
        }
        // The event of the connect was lost, or the connection is older than the tracer.
        let caller = self.find(origin);
        self.connections.insert(cookie, caller.clone());
        caller
    }

    /// The connection is over: nobody asks for it again.
    pub(crate) fn forget(&mut self, cookie: u64) {
        self.connections.remove(&cookie);
    }

    fn find(&mut self, origin: &Origin) -> Caller {
        let details = origin.process.as_ref().and_then(|process| self.details(process.pid));
        let mut paths: Vec<String> = self.cgroups.path(origin.cgroup).into_iter().collect();
        if let Some(text) = origin.process.as_ref().and_then(|process| self.processes.cgroups(process.pid)) {
            paths.extend(paths_of(&text));
        }
        let telling = paths.iter().map(|path| (path, Place::of(path))).find(|(_, place)| !place.is_empty());
        let (cgroup, mut place) = match telling {
            Some((path, place)) => (Some(path.clone()), place),
            None => (paths.first().cloned(), Place::default()),
        };
        self.names.add(&mut place);
        Caller {
            pid: origin.process.as_ref().map(|process| process.pid),
            name: origin.process.as_ref().map(|process| process.name.clone()),
            uid: origin.uid,
            user: self.users.name(origin.uid).map(str::to_owned),
            details,
            cgroup,
            place,
        }
    }

    fn details(&mut self, pid: u32) -> Option<Details> {
        let first = match self.first.remove(&pid) {
            Some(first) => first,
            None => match self.known.get(&pid) {
                Some((stamp, details)) if self.processes.stamp(pid).as_ref() == Some(stamp) => {
                    return Some(details.clone());
                }
                _ => self.processes.first(pid),
            },
        };
        let (stamp, details) = self.processes.details(pid, first);
        match stamp {
            Some(stamp) if details.command.is_some() => {
                if self.known.len() >= REMEMBERED {
                    self.known.clear();
                }
                self.known.insert(pid, (stamp, details.clone()));
            }
            _ => {
                self.known.remove(&pid);
            }
        }
        (details != Details::default()).then_some(details)
    }
}
