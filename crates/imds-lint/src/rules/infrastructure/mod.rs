//! Rules over infrastructure code: what it launches, and whether that allows IMDSv1.

pub mod documents;
pub mod hcl;

/// Words in user data and settings that say that containers run there.
const CONTAINER_SIGNS: [&str; 14] = [
    "docker",
    "containerd",
    "podman",
    "kubelet",
    "kubeadm",
    "k3s",
    "/etc/eks/bootstrap.sh",
    "nodeadm",
    "ecs_cluster",
    "ecs.config",
    "nerdctl",
    "eks.amazonaws.com",
    "amazon-eks",
    "amazon-ecs",
];

/// Whether a text says that containers run there.
fn runs_containers(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    CONTAINER_SIGNS.iter().any(|sign| lower.contains(sign))
}

const OPTIONAL: &str = "`optional` allows IMDSv1";
const HOPS: &str = "containers on these instances cannot reach the service at hop limit 1";
