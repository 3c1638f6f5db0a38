//! `policy`: the least that a task needs, as IAM JSON, as a StackSet with the role, and the
//! policies of the organization that keep IMDSv1 off.

use serde_json::{Value, json};

use super::End;
use crate::cli::{PolicyArgs, PolicyOutput, PolicyTask};
use crate::error::Error;
use crate::output::{Out, written};

/// Runs it.
///
/// # Errors
///
/// Returns an error if the output cannot be written.
pub fn run(args: &PolicyArgs, out: Out<'_>) -> Result<End, Error> {
    let document = match (args.task, args.output) {
        (PolicyTask::Organization, PolicyOutput::Stackset) => {
            return Err(Error::Input(
                "`policy organization` holds for the organization, not for a role: leave `--output stackset` out"
                    .to_owned(),
            ));
        }
        (PolicyTask::Organization, PolicyOutput::Json) => json!({
            "service_control_policy": service_control(args),
            "declarative_policy_ec2": declarative(),
        }),
        (_, PolicyOutput::Json) => identity(args),
        (_, PolicyOutput::Stackset) => stack_set(args),
    };
    written(
        serde_json::to_writer_pretty(&mut *out, &document)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(out)),
    )?;
    Ok(End::Clean)
}

/// The calls of `state`, `audit`, `usage`, `report` and `plan`.
fn read(args: &PolicyArgs) -> Vec<&'static str> {
    let mut actions = vec![
        "cloudwatch:GetMetricData",
        "ec2:DescribeInstances",
        "ec2:DescribeRegions",
        "ec2:DescribeSecurityGroups",
    ];
    if !args.instances_only {
        actions.extend([
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeLaunchConfigurations",
            "autoscaling:DescribeWarmPool",
            "ec2:DescribeFleets",
            "ec2:DescribeImages",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:DescribeLaunchTemplates",
            "ec2:DescribeSpotFleetRequests",
            "ec2:GetInstanceMetadataDefaults",
            // An image that a template names by a parameter: EC2 reads it as the caller.
            "ssm:GetParameters",
        ]);
    }
    if args.organization {
        actions.extend([
            "organizations:DescribeEffectivePolicy",
            "organizations:ListAccounts",
            "organizations:ListAccountsForParent",
            "organizations:ListOrganizationalUnitsForParent",
        ]);
    }
    if args.aggregator {
        actions.push("config:SelectAggregateResourceConfig");
    }
    actions
}

/// The calls of `apply` and `rollback` that read.
fn read_to_apply(args: &PolicyArgs) -> Vec<&'static str> {
    let mut actions =
        vec!["cloudwatch:GetMetricData", "ec2:DescribeInstances", "ec2:GetInstanceMetadataDefaults"];
    if args.launch_templates {
        actions.extend(["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeLaunchTemplateVersions"]);
    }
    if args.account_defaults {
        actions.push("ec2:ModifyInstanceMetadataDefaults");
    }
    actions
}

fn identity(args: &PolicyArgs) -> Value {
    let allow = |actions: &[&str], resource: Value| {
        let mut actions = actions.to_vec();
        actions.sort_unstable();
        json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
    };
    let mut statements = Vec::new();
    if args.task == PolicyTask::Read {
        statements.push(allow(&read(args), json!("*")));
    } else {
        statements.push(allow(&read_to_apply(args), json!("*")));
        statements.push(allow(&["ec2:ModifyInstanceMetadataOptions"], json!("arn:*:ec2:*:*:instance/*")));
        if args.launch_templates {
            statements.push(allow(
                &[
                    "ec2:CreateLaunchTemplateVersion",
                    "ec2:DeleteLaunchTemplateVersions",
                    "ec2:ModifyLaunchTemplate",
                ],
                json!("arn:*:ec2:*:*:launch-template/*"),
            ));
            statements.push(allow(
                &["autoscaling:UpdateAutoScalingGroup"],
                json!("arn:*:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/*"),
            ));
            // Auto Scaling asks whether the caller could launch from the template itself
            // (aws-samples/ec2-auto-scaling-instance-refresh-sample#7).
            statements.push(allow(&["ec2:CreateTags", "ec2:RunInstances"], json!("*")));
            let mut pass = allow(&["iam:PassRole"], json!("*"));
            pass["Condition"] = json!({ "StringLike": { "iam:PassedToService": "ec2.amazonaws.com*" } });
            statements.push(pass);
        }
    }
    if args.organization {
        let role = format!("arn:*:iam::*:role/{}", args.role_name);
        statements.push(allow(&["sts:AssumeRole"], json!(role)));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn stack_set(args: &PolicyArgs) -> Value {
    let trusted = args.trusted_account.as_deref().unwrap_or_default();
    let mut trust = json!({
        "Effect": "Allow",
        "Principal": { "AWS": { "Fn::Sub": format!("arn:${{AWS::Partition}}:iam::{trusted}:root") } },
        "Action": "sts:AssumeRole",
    });
    if let Some(id) = &args.external_id {
        trust["Condition"] = json!({ "StringEquals": { "sts:ExternalId": id } });
    }
    // The role in a member account assumes no other.
    let member = PolicyArgs { organization: false, ..args.clone() };
    let mut policy = identity(&member);
    if args.organization && args.task == PolicyTask::Read {
        // What the organization's declarative policy says for the account is asked in the account.
        let action = json!({
            "Effect": "Allow", "Action": ["organizations:DescribeEffectivePolicy"], "Resource": "*",
        });
        if let Some(statements) = policy["Statement"].as_array_mut() {
            statements.push(action);
        }
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The role that imds-fleet assumes in this account",
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": args.role_name,
                    "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [trust] },
                    "Policies": [{ "PolicyName": "imds-fleet", "PolicyDocument": policy }],
                },
            },
        },
    })
}

/// Denies launches and changes that allow IMDSv1, and what is asked for with a role's credentials
/// that were delivered by IMDSv1 ("Amazon EC2 policies: work with instance metadata", EC2 User
/// Guide).
fn service_control(args: &PolicyArgs) -> Value {
    let deny = |sid: &str, action: &str, resource: &str, condition: Value| {
        let mut condition = condition;
        if !args.exempt.is_empty() {
            condition["ArnNotLike"] = json!({ "aws:PrincipalArn": args.exempt });
        }
        json!({ "Sid": sid, "Effect": "Deny", "Action": action, "Resource": resource, "Condition": condition })
    };
    let required = |key: &str| json!({ "StringNotEquals": { key: "required" } });
    let mut modify = required("ec2:Attribute/HttpTokens");
    // Without this a call that changes another option would be denied too.
    modify["Null"] = json!({ "ec2:Attribute/HttpTokens": "false" });
    let instance = "arn:*:ec2:*:*:instance/*";
    json!({
        "Version": "2012-10-17",
        "Statement": [
            deny("LaunchesRequireImdsV2", "ec2:RunInstances", instance, required("ec2:MetadataHttpTokens")),
            deny("ImdsV1StaysOff", "ec2:ModifyInstanceMetadataOptions", instance, modify),
            deny(
                "NoRoleCredentialsByImdsV1",
                "*",
                "*",
                json!({ "NumericLessThan": { "ec2:RoleDelivery": "2.0" } }),
            ),
        ],
    })
}

/// The account defaults of every account ("Declarative policy syntax and examples", Organizations
/// User Guide).
fn declarative() -> Value {
    let assign = |value: &str| json!({ "@@assign": value });
    json!({
        "ec2_attributes": {
            "instance_metadata_defaults": {
                "http_tokens": assign("required"),
                "http_put_response_hop_limit": assign("2"),
                "http_endpoint": assign("no_preference"),
                "instance_metadata_tags": assign("no_preference"),
            },
        },
    })
}
