//! Where facts come from: files, variables, the clock, other programs. Injected, so that tests can
//! stage them.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// What a diagnosis may look at, apart from the network.
pub trait Host {
    /// The variable, where it is set and not empty.
    fn variable(&self, name: &str) -> Option<String>;
    /// The content of a small file.
    ///
    /// # Errors
    /// As the system says.
    fn read(&self, path: &Path) -> io::Result<String>;
    /// Whether the path exists.
    fn exists(&self, path: &Path) -> bool;
    /// The names in a directory; none where it cannot be read.
    fn list(&self, path: &Path) -> Vec<String>;
    /// The wall clock.
    fn now(&self) -> SystemTime;
    /// The statistics of a network interface as `ethtool -S` prints them; `None` where there is no
    /// `ethtool`.
    fn interface_statistics(&self, interface: &str) -> Option<String>;
}

/// The machine itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Host for System {
    #[allow(clippy::disallowed_methods, reason = "this is the handle that is injected")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name)
            .map(|value| value.to_string_lossy().into_owned())
            .filter(|value| !value.is_empty())
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn list(&self, path: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    #[allow(clippy::disallowed_methods, reason = "this is the handle that is injected")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn interface_statistics(&self, interface: &str) -> Option<String> {
        // The counters are only to be had through an ioctl, for which std and rustix have no safe
        // name.
        let output = Command::new("ethtool")
            .args(["-S", interface])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        output
            .ok()
            .filter(|output| output.status.success())
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
