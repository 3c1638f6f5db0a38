//! What `imds-lint` found in user data.

use serde::{Deserialize, Serialize};

/// A finding in user data. The text is not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDataFinding {
    /// The rule of `imds-lint`.
    pub rule: String,
    /// Whether it is a use of IMDSv1, rather than of something that is fragile.
    pub v1: bool,
    /// The line, from 1.
    pub line: usize,
    /// What of the user data it is in, where that has several parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// What was found in the user data of a template version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserData {
    /// The findings.
    pub findings: Vec<UserDataFinding>,
    /// What was not checked, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_checked: Vec<String>,
}
