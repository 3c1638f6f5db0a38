//! Whose a resource is: a service that keeps its instances, groups and templates as it wants them
//! would set back what is changed behind its back, or replace what was changed.

use serde::{Deserialize, Serialize};

/// A service or tool that owns a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is named as its owner names it")]
pub enum Owner {
    Eks,
    Ecs,
    Batch,
    ElasticBeanstalk,
    Emr,
    Karpenter,
    ImageBuilder,
    Cloud9,
    Cloudformation,
}

/// Keys of tags by which an owner marks what is its own; a key that ends with `*` stands for all
/// that start so. Sources: "Tag your Amazon EKS resources" (EKS User Guide), "Amazon ECS capacity
/// providers" (ECS Developer Guide), "Tag your compute resources" (Batch User Guide),
/// awsdocs/elastic-beanstalk-samples#105, "Tag and categorize Amazon EMR cluster resources" (EMR
/// Management Guide), "NodePools" (Karpenter documentation), "AWS CloudFormation resource tags".
/// CloudFormation comes last: most of the others create stacks.
const TAGS: [(&str, Owner); 17] = [
    ("karpenter.sh/*", Owner::Karpenter),
    ("karpenter.k8s.aws/*", Owner::Karpenter),
    ("eks:nodegroup-name", Owner::Eks),
    ("eks:eks-cluster-name", Owner::Eks),
    ("eks:kubernetes-node-class-name", Owner::Eks),
    ("eks:kubernetes-node-pool-name", Owner::Eks),
    ("AmazonECSManaged", Owner::Ecs),
    ("AmazonECSCreated", Owner::Ecs),
    ("aws:ecs:*", Owner::Ecs),
    ("AWSBatchServiceTag", Owner::Batch),
    ("aws:batch:*", Owner::Batch),
    ("elasticbeanstalk:*", Owner::ElasticBeanstalk),
    ("aws:elasticmapreduce:*", Owner::Emr),
    ("CreatedBy=EC2 Image Builder", Owner::ImageBuilder),
    ("Ec2ImageBuilderArn", Owner::ImageBuilder),
    ("aws:cloud9:*", Owner::Cloud9),
    ("aws:cloudformation:*", Owner::Cloudformation),
];

/// How the names of templates and groups begin that an owner makes.
const NAMES: [(&str, Owner); 8] = [
    ("Karpenter-", Owner::Karpenter),
    ("karpenter.k8s.aws/", Owner::Karpenter),
    ("eks-", Owner::Eks),
    ("Batch-lt-", Owner::Batch),
    ("AWSBatch-", Owner::Batch),
    ("awseb-", Owner::ElasticBeanstalk),
    ("AWSEB", Owner::ElasticBeanstalk),
    ("EC2ContainerService-", Owner::Ecs),
];

impl Owner {
    /// Every owner.
    pub const ALL: [Self; 9] = [
        Self::Eks,
        Self::Ecs,
        Self::Batch,
        Self::ElasticBeanstalk,
        Self::Emr,
        Self::Karpenter,
        Self::ImageBuilder,
        Self::Cloud9,
        Self::Cloudformation,
    ];

    /// The owner that the tags name.
    pub fn of_tags<'a>(tags: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Option<Self> {
        let marks = |mark: &str, key: &str, value: &str| match (mark.strip_suffix('*'), mark.split_once('='))
        {
            (Some(start), _) => key.starts_with(start),
            (None, Some((wanted, is))) => key == wanted && value == is,
            (None, None) => key == mark,
        };
        TAGS.iter()
            .find(|(mark, _)| tags.clone().any(|(key, value)| marks(mark, key, value)))
            .map(|(_, owner)| *owner)
    }

    /// The owner that makes templates and groups of such names. A name of EKS ends with a UUID, so
    /// that a template called `eks-nodes` is nobody's but yours.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let (_, owner) = NAMES.iter().find(|(start, _)| name.starts_with(start))?;
        (*owner != Self::Eks || ends_with_uuid(name)).then_some(*owner)
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eks => "EKS",
            Self::Ecs => "ECS",
            Self::Batch => "Batch",
            Self::ElasticBeanstalk => "Elastic Beanstalk",
            Self::Emr => "EMR",
            Self::Karpenter => "Karpenter",
            Self::ImageBuilder => "Image Builder",
            Self::Cloud9 => "Cloud9",
            Self::Cloudformation => "CloudFormation",
        }
    }

    /// What it is called as the value of an option.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::Eks => "eks",
            Self::Ecs => "ecs",
            Self::Batch => "batch",
            Self::ElasticBeanstalk => "elastic-beanstalk",
            Self::Emr => "emr",
            Self::Karpenter => "karpenter",
            Self::ImageBuilder => "image-builder",
            Self::Cloud9 => "cloud9",
            Self::Cloudformation => "cloudformation",
        }
    }

    /// What to do there.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Eks => {
                "set `metadataOptions` in the launch template of the node group and update the node group"
            }
            Self::Ecs => "set the options in the launch template of the capacity provider's group",
            Self::Batch => "set the options in the launch template that the compute environment names",
            Self::ElasticBeanstalk => {
                "set `DisableIMDSv1` of `aws:autoscaling:launchconfiguration` in the environment"
            }
            Self::Emr => "set `IMDSv2` by a security configuration and make the cluster anew",
            Self::Karpenter => "set `spec.metadataOptions` of the `EC2NodeClass`",
            Self::ImageBuilder => "set `instanceMetadataOptions` of the infrastructure configuration",
            Self::Cloud9 => {
                "Cloud9 makes the instance: make the environment anew, or set it by the account default"
            }
            Self::Cloudformation => "set the options in the template of the stack and update the stack",
        }
    }

    /// Why what it owns is left out.
    #[must_use]
    pub fn reason(self) -> String {
        format!("owned by {}: {}", self.name(), self.advice())
    }
}

fn ends_with_uuid(name: &str) -> bool {
    let Some(at) = name.len().checked_sub(36) else { return false };
    name.get(at..).is_some_and(|end| {
        end.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_by_tags_the_more_special_first() {
        let of = |tags: &[(&str, &str)]| Owner::of_tags(tags.iter().copied());
        assert_eq!(of(&[("aws:cloudformation:stack-name", "x")]), Some(Owner::Cloudformation));
        let both = [("aws:cloudformation:stack-name", "x"), ("elasticbeanstalk:environment-name", "y")];
        assert_eq!(of(&both), Some(Owner::ElasticBeanstalk));
        assert_eq!(of(&[("karpenter.sh/nodepool", "default")]), Some(Owner::Karpenter));
        assert_eq!(of(&[("aws:elasticmapreduce:job-flow-id", "j-1")]), Some(Owner::Emr));
        assert_eq!(of(&[("CreatedBy", "EC2 Image Builder")]), Some(Owner::ImageBuilder));
        assert_eq!(of(&[("CreatedBy", "me"), ("Name", "eks")]), None);
    }

    #[test]
    fn owners_by_names() {
        let cases = [
            ("eks-0ac1b2d3-4444-4444-8888-123456789abc", Some(Owner::Eks)),
            ("eks-nodes", None),
            ("Batch-lt-1", Some(Owner::Batch)),
            ("Karpenter-main-123", Some(Owner::Karpenter)),
            ("web", None),
        ];
        for (name, owner) in cases {
            assert_eq!(Owner::of_name(name), owner, "{name}");
        }
    }
}
