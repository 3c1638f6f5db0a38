//! What launches instances and is not read here: never shown as clean.

use serde::Serialize;

/// Something that launches instances and is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NotCovered {
    /// What it is.
    pub what: &'static str,
    /// Why it is not read.
    pub reason: &'static str,
    /// A command that shows it.
    pub command: &'static str,
}

/// All of it. The running EC2 instances of these services are found as all others are, those of
/// Lightsail and SageMaker excepted: they are in accounts of AWS.
pub const NOT_COVERED: [NotCovered; 8] = [
    NotCovered {
        what: "template versions of EKS node groups and Batch compute environments without instances",
        reason: "a version that they name by its number is known by the tags of the instances launched from it, and \
                 by their Auto Scaling groups",
        command: "aws eks describe-nodegroup --cluster-name CLUSTER --nodegroup-name NAME --query \
                  nodegroup.launchTemplate; aws batch describe-compute-environments --query \
                  'computeEnvironments[].computeResources.launchTemplate'",
    },
    NotCovered {
        what: "persistent Spot Instance requests",
        reason: "their launch specifications have no metadata options: the account default and the image decide",
        command: "aws ec2 describe-spot-instance-requests --filters Name=type,Values=persistent",
    },
    NotCovered {
        what: "EC2 Fleet requests of type instant",
        reason: "they launch once, and EC2 lists them only by their ids",
        command: "aws ec2 describe-fleets --fleet-ids ID",
    },
    NotCovered {
        what: "Image Builder infrastructure configurations",
        reason: "each needs a call of its own to an API of its own",
        command: "aws imagebuilder list-infrastructure-configurations; aws imagebuilder \
                  get-infrastructure-configuration --infrastructure-configuration-arn ARN --query \
                  infrastructureConfiguration.instanceMetadataOptions",
    },
    NotCovered {
        what: "EMR clusters",
        reason: "the API of EMR does not tell the metadata options of the next cluster; the security configuration \
                 does",
        command: "aws emr list-security-configurations; aws emr describe-security-configuration --name NAME",
    },
    NotCovered {
        what: "SageMaker notebook instances",
        reason: "they run in an account of AWS, and each needs a call of its own",
        command: "aws sagemaker list-notebook-instances; aws sagemaker describe-notebook-instance \
                  --notebook-instance-name NAME --query \
                  InstanceMetadataServiceConfiguration.MinimumInstanceMetadataServiceVersion",
    },
    NotCovered {
        what: "Cloud9 environments",
        reason: "the API of Cloud9 does not tell metadata options; the account default holds for new environments",
        command: "aws cloud9 list-environments; aws ec2 get-instance-metadata-defaults",
    },
    NotCovered {
        what: "Lightsail instances",
        reason: "they run in an account of AWS, and have an API of their own",
        command: "aws lightsail get-instances --query 'instances[].[name,metadataOptions]'",
    },
];
