//! Names of containers and pods, where the host's files have them. No runtime's socket is asked.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use crate::who::cgroup::{Container, Place, Pod};

/// Most containers whose names are remembered.
const REMEMBERED: usize = 16_384;

/// Looks names up below the host's root.
#[derive(Debug)]
pub(crate) struct Names {
    root: PathBuf,
    containers: HashMap<String, Named>,
    pods: HashMap<String, Option<(String, String)>>,
}

/// What the files say of a container's id.
#[derive(Clone, Debug, Default)]
struct Named {
    container: Option<String>,
    /// Namespace and name of its pod.
    pod: Option<(String, String)>,
}

impl Names {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), containers: HashMap::new(), pods: HashMap::new() }
    }

    /// Adds the names that are known to what a cgroup's path says.
    pub(crate) fn add(&mut self, place: &mut Place) {
        if let Some(container) = &mut place.container {
            let named = self.container(container);
            container.name = named.container;
            if let (Some(pod), Some((namespace, name))) = (&mut place.pod, named.pod) {
                (pod.namespace, pod.name) = (Some(namespace), Some(name));
            }
        }
        if let Some(pod) = place.pod.as_mut().filter(|pod| pod.name.is_none())
            && let Some((namespace, name)) = self.pod(pod)
        {
            (pod.namespace, pod.name) = (Some(namespace), Some(name));
        }
    }

    fn container(&mut self, container: &Container) -> Named {
        if let Some(known) = self.containers.get(&container.id) {
            return known.clone();
        }
        let named = self.find_container(container);
        if self.containers.len() >= REMEMBERED {
            self.containers.clear();
        }
        // A name that is not there yet may be there with the next request.
        if named.container.is_some() {
            self.containers.insert(container.id.clone(), named.clone());
        }
        named
    }

    fn find_container(&self, container: &Container) -> Named {
        // An id that is no number is a name already, and no part of a path.
        if !container.id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Named { container: Some(container.id.clone()), pod: None };
        }
        let named = self.in_kubernetes_logs(&container.id);
        if named.container.is_some() {
            return named;
        }
        Named {
            container: self.in_docker(&container.id).or_else(|| self.in_podman(&container.id)),
            pod: None,
        }
    }

    /// `/var/log/containers/POD_NAMESPACE_CONTAINER-ID.log`, which the kubelet keeps.
    fn in_kubernetes_logs(&self, id: &str) -> Named {
        let Ok(entries) = fs::read_dir(self.root.join("var/log/containers")) else { return Named::default() };
        let end = format!("-{id}.log");
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(start) = name.to_str().and_then(|name| name.strip_suffix(&end)) else { continue };
            let mut words = start.splitn(3, '_');
            if let (Some(pod), Some(namespace), Some(container)) = (words.next(), words.next(), words.next())
            {
                return Named {
                    container: Some(container.to_owned()),
                    pod: Some((namespace.to_owned(), pod.to_owned())),
                };
            }
        }
        Named::default()
    }

    fn in_docker(&self, id: &str) -> Option<String> {
        let path = self.root.join("var/lib/docker/containers").join(id).join("config.v2.json");
        let config: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(config.get("Name")?.as_str()?.trim_start_matches('/').to_owned())
    }

    fn in_podman(&self, id: &str) -> Option<String> {
        let path = self.root.join("var/lib/containers/storage/overlay-containers/containers.json");
        let list: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let entry = list.as_array()?.iter().find(|entry| entry.get("id").is_some_and(|known| known == id))?;
        Some(entry.get("names")?.as_array()?.first()?.as_str()?.to_owned())
    }

    /// `/var/log/pods/NAMESPACE_NAME_UID/`.
    fn pod(&mut self, pod: &Pod) -> Option<(String, String)> {
        if let Some(known) = self.pods.get(&pod.uid) {
            return known.clone();
        }
        let end = format!("_{}", pod.uid);
        let found = fs::read_dir(self.root.join("var/log/pods")).ok()?.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (namespace, name) = name.strip_suffix(&end)?.split_once('_')?;
            Some((namespace.to_owned(), name.to_owned()))
        });
        if self.pods.len() >= REMEMBERED {
            self.pods.clear();
        }
        if found.is_some() {
            self.pods.insert(pod.uid.clone(), found.clone());
        }
        found
    }
}
