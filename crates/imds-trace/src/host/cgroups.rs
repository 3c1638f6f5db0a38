//! From the number of a cgroup, which the kernel part sends, to its path in the cgroup v2 tree.
//!
//! The number is the directory's inode number. The directory outlives a short-lived process, so
//! this works where `/proc/PID/cgroup` is already gone.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Most cgroups that are remembered; then all are read anew.
const REMEMBERED: usize = 65_536;

/// The tree, as far as it was looked at.
#[derive(Debug)]
pub(crate) struct Cgroups {
    root: PathBuf,
    /// Paths as `/proc/PID/cgroup` writes them; nothing for a number that no directory has.
    paths: HashMap<u64, Option<String>>,
}

impl Cgroups {
    /// The tree that is mounted at `root`.
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), paths: HashMap::new() }
    }

    /// The path of a cgroup; nothing if it is gone.
    pub(crate) fn path(&mut self, number: u64) -> Option<String> {
        if let Some(known) = self.paths.get(&number) {
            return known.clone();
        }
        if self.paths.len() >= REMEMBERED {
            self.paths.clear();
        }
        // One walk for each new cgroup. Most of a walk's finds are new too, so the next misses are
        // few.
        let root = self.root.clone();
        self.walk(&root);
        self.paths.entry(number).or_default().clone()
    }

    fn walk(&mut self, directory: &Path) {
        let Ok(found) = fs::metadata(directory) else { return };
        let below = directory.strip_prefix(&self.root).unwrap_or(directory);
        self.paths.insert(found.ino(), Some(format!("/{}", below.to_string_lossy())));
        let Ok(entries) = fs::read_dir(directory) else { return };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(&entry.path());
            }
        }
    }
}

/// The paths in `/proc/PID/cgroup` that may name a unit or a container, the most telling first:
/// cgroup v2, then the trees of v1 in which systemd and the runtimes put processes.
pub(crate) fn paths_of(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut add = |matches: &dyn Fn(&str, &str) -> bool| {
        for line in text.lines() {
            let mut fields = line.splitn(3, ':');
            if let (Some(number), Some(names), Some(path)) = (fields.next(), fields.next(), fields.next())
                && matches(number, names)
                && !paths.iter().any(|known| known == path)
            {
                paths.push(path.to_owned());
            }
        }
    };
    add(&|number, names| number == "0" && names.is_empty());
    add(&|_, names| names == "name=systemd");
    add(&|_, names| names.split(',').any(|name| name == "pids" || name == "memory"));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_paths() {
        let root = tempfile::tempdir().unwrap();
        let leaf = root.path().join("system.slice/a.service");
        fs::create_dir_all(&leaf).unwrap();
        let mut cgroups = Cgroups::new(root.path());
        let number = fs::metadata(&leaf).unwrap().ino();
        assert_eq!(cgroups.path(number).as_deref(), Some("/system.slice/a.service"));
        assert_eq!(cgroups.path(fs::metadata(root.path()).unwrap().ino()).as_deref(), Some("/"));
        assert_eq!(cgroups.path(u64::MAX), None);
    }

    #[test]
    fn hybrid_hosts_name_units_in_a_tree_of_their_own() {
        let text = "9:name=systemd:/system.slice/a.service\n4:memory:/docker/x\n2:cpu,cpuacct:/y\n0::/\n";
        assert_eq!(paths_of(text), ["/", "/system.slice/a.service", "/docker/x"]);
        assert_eq!(paths_of("0::/a:b\n"), ["/a:b"]);
        assert_eq!(paths_of("junk\n"), Vec::<String>::new());
    }
}
