//! The service's documents as names with values, from which the package makes its dataclasses.

use std::time::{SystemTime, UNIX_EPOCH};

use imds::{
    Credentials, IamInfo, IdentityCredentialsInfo, IdentityDocument, Interface, MaintenanceEvent, PublicKey,
    RebalanceRecommendation, RoleCredentials, SpotInstanceAction,
};
use pyo3::prelude::*;

/// A document of the service.
pub(crate) enum Document {
    Identity,
    IamInfo,
    InstanceCredentials,
    RoleCredentials(String),
    IdentityCredentials,
    IdentityCredentialsInfo,
    SpotInstanceAction,
    Rebalance,
    ScheduledMaintenance,
    MaintenanceHistory,
}

impl Document {
    /// Returns the document of this name.
    pub(crate) fn parse(name: &str, role: Option<String>) -> Option<Self> {
        Some(match (name, role) {
            ("identity-document", None) => Self::Identity,
            ("iam-info", None) => Self::IamInfo,
            ("credentials", None) => Self::InstanceCredentials,
            ("credentials", Some(role)) => Self::RoleCredentials(role),
            ("identity-credentials", None) => Self::IdentityCredentials,
            ("identity-credentials-info", None) => Self::IdentityCredentialsInfo,
            ("spot-instance-action", None) => Self::SpotInstanceAction,
            ("rebalance-recommendation", None) => Self::Rebalance,
            ("scheduled-maintenance", None) => Self::ScheduledMaintenance,
            ("maintenance-history", None) => Self::MaintenanceHistory,
            _ => return None,
        })
    }
}

/// A member of a document.
#[derive(IntoPyObject)]
pub(crate) enum Member {
    Text(Option<String>),
    Texts(Option<Vec<String>>),
    /// Seconds since 1970.
    Time(Option<f64>),
    Number(Option<u32>),
    Pairs(Vec<(String, Vec<String>)>),
}

/// The members of a document, by name.
pub(crate) type Members = Vec<(&'static str, Member)>;

/// A document that may be absent, or several of one kind.
pub(crate) enum Shape {
    One(Option<Members>),
    Many(Vec<Members>),
}

fn seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

fn time(time: SystemTime) -> Member {
    Member::Time(Some(seconds(time)))
}

fn optional_time(time: Option<SystemTime>) -> Member {
    Member::Time(time.map(seconds))
}

fn text(text: impl Into<Option<String>>) -> Member {
    Member::Text(text.into())
}

fn texts(texts: Vec<String>) -> Member {
    Member::Texts(Some(texts))
}

/// A document with its members.
pub(crate) trait HasMembers {
    fn members(self) -> Members;
}

impl<T: HasMembers> From<T> for Shape {
    fn from(document: T) -> Self {
        Self::One(Some(document.members()))
    }
}

impl<T: HasMembers> From<Option<T>> for Shape {
    fn from(document: Option<T>) -> Self {
        Self::One(document.map(T::members))
    }
}

impl<T: HasMembers> From<Vec<T>> for Shape {
    fn from(documents: Vec<T>) -> Self {
        Self::Many(documents.into_iter().map(T::members).collect())
    }
}

impl HasMembers for IdentityDocument {
    fn members(self) -> Members {
        vec![
            ("account_id", text(self.account_id)),
            ("architecture", text(self.architecture)),
            ("availability_zone", text(self.availability_zone)),
            ("billing_products", Member::Texts(self.billing_products)),
            ("devpay_product_codes", Member::Texts(self.devpay_product_codes)),
            ("marketplace_product_codes", Member::Texts(self.marketplace_product_codes)),
            ("image_id", text(self.image_id)),
            ("instance_id", text(self.instance_id)),
            ("instance_type", text(self.instance_type)),
            ("kernel_id", text(self.kernel_id)),
            ("pending_time", optional_time(self.pending_time)),
            ("private_ip", text(self.private_ip)),
            ("ramdisk_id", text(self.ramdisk_id)),
            ("region", text(self.region)),
            ("version", text(self.version)),
        ]
    }
}

impl HasMembers for IamInfo {
    fn members(self) -> Members {
        vec![
            ("code", text(self.code)),
            ("last_updated", time(self.last_updated)),
            ("instance_profile_arn", text(self.instance_profile_arn)),
            ("instance_profile_id", text(self.instance_profile_id)),
        ]
    }
}

impl HasMembers for IdentityCredentialsInfo {
    fn members(self) -> Members {
        vec![
            ("code", text(self.code)),
            ("last_updated", time(self.last_updated)),
            ("account_id", text(self.account_id)),
        ]
    }
}

impl HasMembers for Credentials {
    fn members(self) -> Members {
        vec![
            ("access_key_id", text(self.access_key_id)),
            ("secret_access_key", text(self.secret_access_key)),
            ("token", text(self.token)),
            ("expiration", time(self.expiration)),
            ("last_updated", optional_time(self.last_updated)),
            ("account_id", text(self.account_id)),
        ]
    }
}

impl HasMembers for RoleCredentials {
    fn members(self) -> Members {
        let mut members = self.credentials.members();
        members.push(("role", text(self.role)));
        members
    }
}

impl HasMembers for SpotInstanceAction {
    fn members(self) -> Members {
        vec![("action", text(self.action)), ("time", time(self.time))]
    }
}

impl HasMembers for RebalanceRecommendation {
    fn members(self) -> Members {
        vec![("notice_time", time(self.notice_time))]
    }
}

impl HasMembers for MaintenanceEvent {
    fn members(self) -> Members {
        vec![
            ("code", text(self.code)),
            ("description", text(self.description)),
            ("state", text(self.state)),
            ("not_before", time(self.not_before)),
            ("not_after", optional_time(self.not_after)),
            ("not_before_deadline", optional_time(self.not_before_deadline)),
            ("event_id", text(self.event_id)),
        ]
    }
}

impl HasMembers for PublicKey {
    fn members(self) -> Members {
        vec![("index", text(self.index)), ("name", text(self.name)), ("openssh_key", text(self.openssh_key))]
    }
}

impl HasMembers for Interface {
    fn members(self) -> Members {
        vec![
            ("mac", text(self.mac)),
            ("device_number", Member::Number(self.device_number)),
            ("network_card", Member::Number(self.network_card)),
            ("interface_id", text(self.interface_id)),
            ("owner_id", text(self.owner_id)),
            ("local_hostname", text(self.local_hostname)),
            ("local_ipv4s", texts(self.local_ipv4s)),
            ("ipv6s", texts(self.ipv6s)),
            ("ipv4_prefixes", texts(self.ipv4_prefixes)),
            ("ipv6_prefixes", texts(self.ipv6_prefixes)),
            ("public_hostname", text(self.public_hostname)),
            ("public_ipv4s", texts(self.public_ipv4s)),
            ("ipv4_associations", Member::Pairs(self.ipv4_associations)),
            ("security_groups", texts(self.security_groups)),
            ("security_group_ids", texts(self.security_group_ids)),
            ("subnet_id", text(self.subnet_id)),
            ("subnet_ipv4_cidr_block", text(self.subnet_ipv4_cidr_block)),
            ("subnet_ipv6_cidr_blocks", texts(self.subnet_ipv6_cidr_blocks)),
            ("vpc_id", text(self.vpc_id)),
            ("vpc_ipv4_cidr_blocks", texts(self.vpc_ipv4_cidr_blocks)),
            ("vpc_ipv6_cidr_blocks", texts(self.vpc_ipv6_cidr_blocks)),
        ]
    }
}
