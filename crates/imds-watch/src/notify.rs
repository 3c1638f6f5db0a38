//! The word to the service manager: ready, still alive, what is going on. See sd_notify(3); it is a
//! datagram, so no library is needed for it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::time::Duration;

use imds::Environment;

#[cfg(unix)]
use unix::Socket;
#[cfg(windows)]
use windows::Socket;

/// The service manager's socket; does nothing where there is none.
#[derive(Debug)]
pub struct ServiceManager {
    socket: Option<Socket>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The one that `NOTIFY_SOCKET` and `WATCHDOG_USEC` name.
    #[must_use]
    pub fn from_environment(environment: &dyn Environment) -> Self {
        let socket = environment.variable("NOTIFY_SOCKET").and_then(|text| Socket::named(&text));
        // WATCHDOG_PID names the process that is meant; a hook that inherited the variable is not.
        let meant =
            environment.variable("WATCHDOG_PID").is_none_or(|pid| pid.parse() == Ok(std::process::id()));
        let micros = environment.variable("WATCHDOG_USEC").and_then(|text| text.parse::<u64>().ok());
        let watchdog = micros.filter(|micros| meant && *micros > 0).map(Duration::from_micros);
        Self { socket, watchdog }
    }

    /// How often [`alive`](Self::alive) is to be said: twice in the time that the service manager
    /// gives.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 2)
    }

    /// The service is up.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// The service needs at most this long until it stops (`EXTEND_TIMEOUT_USEC`, sd_notify(3)).
    pub fn extend(&self, time: Duration) {
        self.send(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()));
    }

    /// The service is going down by itself.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// The watchdog need not bark.
    pub fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    /// What is going on, in a line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace('\n', " ")));
    }

    fn send(&self, text: &str) {
        if let Some(socket) = &self.socket {
            socket.send(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;

    struct Variables(BTreeMap<&'static str, String>);

    impl Environment for Variables {
        fn variable_os(&self, name: &str) -> Option<OsString> {
            self.0.get(name).map(OsString::from)
        }
        fn read_file(&self, _: &Path) -> std::io::Result<Vec<u8>> {
            Err(std::io::ErrorKind::NotFound.into())
        }
        fn is_root(&self) -> bool {
            false
        }
    }

    fn received(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn it_says_what_the_service_manager_understands() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let pid = std::process::id().to_string();
        let manager = ServiceManager::from_environment(&Variables(
            [
                ("NOTIFY_SOCKET", path.display().to_string()),
                ("WATCHDOG_USEC", "3000000".into()),
                ("WATCHDOG_PID", pid),
            ]
            .into(),
        ));
        assert_eq!(manager.watchdog(), Some(Duration::from_millis(1_500)));
        manager.ready();
        manager.alive();
        manager.status("watching\nall");
        manager.extend(Duration::from_secs(2));
        manager.stopping();
        let all: Vec<String> = (0..5).map(|_| received(&socket)).collect();
        assert_eq!(
            all,
            ["READY=1", "WATCHDOG=1", "STATUS=watching all", "EXTEND_TIMEOUT_USEC=2000000", "STOPPING=1"]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn abstract_names_work_too() {
        use std::os::linux::net::SocketAddrExt as _;
        let name = format!("imds-watch-test-{}", std::process::id());
        let socket =
            UnixDatagram::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap())
                .unwrap();
        ServiceManager::from_environment(&Variables([("NOTIFY_SOCKET", format!("@{name}"))].into())).ready();
        assert_eq!(received(&socket), "READY=1");
    }

    #[test]
    fn without_a_service_manager_nothing_is_said() {
        let manager = ServiceManager::from_environment(&Variables(BTreeMap::new()));
        manager.ready();
        assert_eq!(manager.watchdog(), None);
        let meant_for_another = [("WATCHDOG_USEC", "3000000".into()), ("WATCHDOG_PID", "1".into())].into();
        assert_eq!(ServiceManager::from_environment(&Variables(meant_for_another)).watchdog(), None);
    }
}
