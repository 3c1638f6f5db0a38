//! The role's credentials in a file while an action is worked on, so that a daemon that is
//! restarted while the metadata service is away can go on sending heartbeats and complete the
//! action.
//!
//! The file is in the unit's runtime directory: in memory, gone with the machine, readable by the
//! daemon's user alone. Without such a directory nothing is cached. It names the boot of the
//! machine and the instance, and is used for neither another nor past its expiry.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use imds::BootId;
use imds_files::PrivateDirectory;
use serde::{Deserialize, Serialize};

use crate::say;

/// What expires sooner is not worth a call.
const MARGIN: Duration = Duration::from_secs(60);
const NAME: &str = "credentials.json";

/// The directory, whose credentials they are, and what there is to cache.
#[derive(Debug)]
pub(crate) struct CredentialCache {
    /// `None` if nothing is cached.
    directory: Option<PrivateDirectory>,
    boot: String,
    instance_id: String,
    state: Mutex<State>,
}

/// No `Debug` but that of [`Credentials`], which leaves the secrets out.
#[derive(Debug, Default)]
struct State {
    acting: bool,
    last: Option<Credentials>,
}

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Content {
    boot: String,
    instance_id: String,
    access_key_id: String,
    secret_access_key: String,
    token: String,
    /// Seconds since 1970.
    expires: u64,
}

impl CredentialCache {
    /// Caches credentials in this directory, if there is one and the boot id is known.
    pub(crate) fn new(directory: Option<&Path>, boot: Option<&BootId>, instance_id: &str) -> Self {
        let directory = directory.zip(boot).and_then(|(directory, _)| {
            PrivateDirectory::open(directory)
                .map_err(|error| say(&format!("{error}; the role's credentials are not cached")))
                .ok()
        });
        Self {
            directory,
            boot: boot.map_or_else(String::new, |boot| boot.as_str().to_owned()),
            instance_id: instance_id.to_owned(),
            state: Mutex::default(),
        }
    }

    /// Whether an action is being worked on: without one there is no file.
    pub(crate) fn acting(&self, acting: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.acting = acting;
        if acting {
            self.write(state.last.as_ref());
        } else if let Some(directory) = &self.directory {
            // Mostly it does not exist.
            let _ = directory.remove(NAME);
        }
    }

    /// The service gave these.
    pub(crate) fn note(&self, credentials: &Credentials) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(credentials.clone());
        if state.acting {
            self.write(state.last.as_ref());
        }
    }

    fn write(&self, credentials: Option<&Credentials>) {
        let (Some(directory), Some(credentials)) = (&self.directory, credentials) else { return };
        let (Some(token), Some(expires)) = (credentials.session_token(), credentials.expiry()) else {
            return;
        };
        let Ok(expires) = expires.duration_since(UNIX_EPOCH) else { return };
        let content = Content {
            boot: self.boot.clone(),
            instance_id: self.instance_id.clone(),
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            token: token.to_owned(),
            expires: expires.as_secs(),
        };
        if let Err(error) = directory.replace_json(NAME, &content) {
            say(&format!("the credentials are not cached for a restart: {error}"));
        }
    }

    /// What an earlier process of this boot cached, if it is still good.
    pub(crate) fn recall(&self, now: SystemTime) -> Option<Credentials> {
        // A file that cannot be read is none: the metadata service is asked.
        let content: Content = self.directory.as_ref()?.read_json(NAME).ok()??;
        let expires = UNIX_EPOCH.checked_add(Duration::from_secs(content.expires))?;
        let good = expires.duration_since(now).is_ok_and(|left| left > MARGIN);
        (good && content.boot == self.boot && content.instance_id == self.instance_id).then(|| {
            let token = Some(content.token);
            Credentials::new(content.access_key_id, content.secret_access_key, token, Some(expires), "cache")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn seconds(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn credentials() -> Credentials {
        let token = Some("token".to_owned());
        Credentials::new("ASIAIOSFODNN7EXAMPLE", SECRET, token, Some(seconds(1_000)), "test")
    }

    fn cache(directory: &tempfile::TempDir, boot: &str, instance_id: &str) -> CredentialCache {
        CredentialCache::new(Some(directory.path()), BootId::new(boot).as_ref(), instance_id)
    }

    #[test]
    fn they_are_there_while_an_action_is_worked_on_and_for_nobody_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let first = cache(&directory, "b-1", "i-1");
        first.note(&credentials());
        assert!(first.recall(seconds(0)).is_none(), "no action, no file");
        first.acting(true);
        let mode = std::fs::metadata(directory.path().join("credentials.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let next = cache(&directory, "b-1", "i-1");
        assert_eq!(next.recall(seconds(939)).unwrap().secret_access_key(), SECRET);
        assert!(next.recall(seconds(940)).is_none(), "about to expire");
        assert!(cache(&directory, "b-2", "i-1").recall(seconds(0)).is_none(), "another start");
        assert!(cache(&directory, "b-1", "i-2").recall(seconds(0)).is_none(), "another instance");
        assert!(!format!("{first:?}").contains(SECRET));
        next.acting(false);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn those_that_come_during_an_action_are_cached_too() {
        let directory = tempfile::tempdir().unwrap();
        let first = cache(&directory, "b-1", "i-1");
        first.acting(true);
        assert!(first.recall(seconds(0)).is_none());
        first.note(&credentials());
        assert_eq!(first.recall(seconds(0)).unwrap().expiry(), Some(seconds(1_000)));
        std::fs::write(directory.path().join("credentials.json"), "{").unwrap();
        assert!(first.recall(seconds(0)).is_none(), "damaged");
    }

    #[test]
    fn without_a_directory_or_a_boot_id_nothing_is_cached() {
        let directory = tempfile::tempdir().unwrap();
        let place = || Some(directory.path());
        for cache in [
            CredentialCache::new(None, BootId::new("b-1").as_ref(), "i-1"),
            CredentialCache::new(place(), None, "i-1"),
        ] {
            cache.note(&credentials());
            cache.acting(true);
            assert!(cache.recall(seconds(0)).is_none());
            cache.acting(false);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
