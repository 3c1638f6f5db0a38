//! Which paths hold secrets: role credentials, user data, signatures that prove the instance's
//! identity.
//!
//! A secret is a path prefix and not a leaf. Some services list a role as a directory and answer
//! 200 with its credentials when it is asked for with a trailing slash (uswitch/kiam#383,
//! jtblin/kube2iam#204), so what lies below a secret is as secret as the secret.

use std::borrow::Cow;

use crate::MetadataPath;

/// Trees in which everything is secret that [`PUBLIC`] does not name, as segments below a schema
/// version.
const SECRET: [&[&str]; 7] = [
    &["user-data"],
    &["meta-data", "iam"],
    &["meta-data", "identity-credentials"],
    &["dynamic", "instance-identity", "dsa2048"],
    &["dynamic", "instance-identity", "pkcs7"],
    &["dynamic", "instance-identity", "rsa2048"],
    &["dynamic", "instance-identity", "signature"],
];

/// What is not secret in those trees: the directories above the secrets, and two documents without
/// credentials.
const PUBLIC: [&[&str]; 8] = [
    &["meta-data", "iam"],
    &["meta-data", "iam", "info"],
    &["meta-data", "iam", "security-credentials"],
    &["meta-data", "iam", "security-credentials-extended"],
    &["meta-data", "identity-credentials"],
    &["meta-data", "identity-credentials", "ec2"],
    &["meta-data", "identity-credentials", "ec2", "info"],
    &["meta-data", "identity-credentials", "ec2", "security-credentials"],
];

/// The directories whose entries are secrets; a line of their listing that is no name may be a
/// secret itself.
const LISTINGS: [&[&str]; 6] = [
    &["meta-data", "iam"],
    &["meta-data", "iam", "security-credentials"],
    &["meta-data", "iam", "security-credentials-extended"],
    &["meta-data", "identity-credentials"],
    &["meta-data", "identity-credentials", "ec2"],
    &["meta-data", "identity-credentials", "ec2", "security-credentials"],
];

impl MetadataPath {
    /// Returns whether the value at the path must be kept out of dumps, messages and logs. The
    /// schema version, letter case, percent-encoding, doubled and trailing slashes make no
    /// difference.
    ///
    /// ```
    /// use imds_model::MetadataPath;
    ///
    /// for path in ["user-data", "iam/security-credentials/web", "iam/security-credentials/web/Token/"] {
    ///     assert!(path.parse::<MetadataPath>()?.is_secret());
    /// }
    /// assert!(!"iam/security-credentials/".parse::<MetadataPath>()?.is_secret());
    /// # Ok::<(), imds_model::PathError>(())
    /// ```
    #[must_use]
    pub fn is_secret(&self) -> bool {
        let decoded = self.decoded();
        let segments = segments(&decoded);
        SECRET.iter().any(|tree| starts_with(&segments, tree))
            && !PUBLIC.iter().any(|path| path.len() == segments.len() && starts_with(&segments, path))
    }

    /// Returns whether the path is a directory that lists secrets by their names, such as
    /// `iam/security-credentials/`.
    #[must_use]
    pub fn lists_secrets(&self) -> bool {
        let decoded = self.decoded();
        let segments = segments(&decoded);
        LISTINGS.iter().any(|path| path.len() == segments.len() && starts_with(&segments, path))
    }

    /// Returns the path as a log may show it: cut where a secret begins, so that neither a part of
    /// a secret nor the name of one is in it.
    ///
    /// ```
    /// use imds_model::MetadataPath;
    ///
    /// let path: MetadataPath = "iam/security-credentials/web/Token".parse()?;
    /// assert_eq!(path.redacted(), "/latest/meta-data/iam/security-credentials/...");
    /// # Ok::<(), imds_model::PathError>(())
    /// ```
    #[must_use]
    pub fn redacted(&self) -> Cow<'_, str> {
        if !self.is_secret() {
            return Cow::Borrowed(self.as_str());
        }
        let decoded = self.decoded();
        let segments = segments(&decoded);
        let known = SECRET.iter().chain(&PUBLIC).filter(|known| starts_with(&segments, known));
        let known = known.max_by_key(|known| known.len()).map(|known| known.join("/")).unwrap_or_default();
        let all = known.split('/').count() == segments.len();
        Cow::Owned(format!("/{}/{known}{}", self.version(), if all { "" } else { "/..." }))
    }

    /// The path below the version, percent-decoded until nothing is left to decode, because a
    /// server may decode twice.
    fn decoded(&self) -> Cow<'_, str> {
        let mut below = self.below_version();
        // Each round makes it shorter.
        while below.contains('%') {
            let again: Result<MetadataPath, _> = format!("/x/{}", below.trim_start_matches('/')).parse();
            let Ok(again) = again else { break };
            let next = again.below_version().into_owned();
            if next.len() >= below.len() {
                break;
            }
            below = Cow::Owned(next);
        }
        below
    }
}

fn segments(below_version: &str) -> Vec<&str> {
    below_version.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn starts_with(segments: &[&str], prefix: &[&str]) -> bool {
    segments.len() >= prefix.len()
        && prefix.iter().zip(segments).all(|(known, given)| known.eq_ignore_ascii_case(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CATALOGUE;

    fn path(text: &str) -> MetadataPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_secret_is_a_prefix_however_it_is_written() {
        for text in [
            "user-data",
            "user-data/",
            "user-data/part",
            "/2009-04-04/user-data",
            "iam/security-credentials/web",
            "iam/security-credentials/web/",
            "iam/security-credentials/web/SecretAccessKey",
            "/latest/meta-data//iam///security-credentials/web",
            "/latest/meta-data/%69am/security-credentials/web",
            "/latest/meta-data/%2569am/security-credentials/web",
            "/latest/meta-data/iam%2Fsecurity-credentials%2Fweb",
            "/latest/meta-data/IAM/Security-Credentials/web",
            "iam/security-credentials-extended/web",
            "iam/security-credentials-2027/web",
            "iam/new-leaf",
            "iam/info/more",
            "identity-credentials/ec2/security-credentials/ec2-instance",
            "identity-credentials/ec2/security-credentials/ec2-instance/",
            "identity-credentials/new/thing",
            "dynamic/instance-identity/pkcs7",
        ] {
            assert!(path(text).is_secret(), "{text}");
        }
        for text in [
            "/",
            "/latest/",
            "meta-data/",
            "iam/",
            "iam/info",
            "iam/security-credentials/",
            "iam/security-credentials-extended/",
            "identity-credentials/",
            "identity-credentials/ec2/info",
            "identity-credentials/ec2/security-credentials/",
            "dynamic/instance-identity/document",
            "dynamic/instance-identity/",
            "instance-id",
            "tags/instance/iam",
            "tags/instance/user-data",
        ] {
            assert!(!path(text).is_secret(), "{text}");
        }
    }

    #[test]
    fn a_log_shows_no_part_of_a_secret() {
        for (text, shown) in [
            ("instance-id", "/latest/meta-data/instance-id"),
            ("iam/security-credentials/", "/latest/meta-data/iam/security-credentials/"),
            ("iam/security-credentials/web", "/latest/meta-data/iam/security-credentials/..."),
            ("iam/security-credentials/web/ASIA", "/latest/meta-data/iam/security-credentials/..."),
            ("/2021-03-23/meta-data/%2569am/x", "/2021-03-23/meta-data/iam/..."),
            ("iam/info/more", "/latest/meta-data/iam/info/..."),
            ("user-data", "/latest/user-data"),
            ("user-data/password=1", "/latest/user-data/..."),
            ("dynamic/instance-identity/rsa2048", "/latest/dynamic/instance-identity/rsa2048"),
        ] {
            assert_eq!(path(text).redacted(), shown, "{text}");
        }
    }

    #[test]
    fn every_secret_category_is_secret() {
        for category in CATALOGUE.iter().filter(|category| category.secret()) {
            let concrete = category.path().replace("<role-name>", "web");
            assert!(path(&format!("/latest/{concrete}")).is_secret(), "{concrete}");
        }
        for category in CATALOGUE.iter().filter(|category| !category.secret() && !category.has_labels()) {
            assert!(!path(&format!("/latest/{}", category.path())).is_secret(), "{}", category.path());
        }
    }

    #[test]
    fn directories_that_list_secrets() {
        for text in
            ["iam/security-credentials", "iam/security-credentials/", "iam/", "identity-credentials/ec2/"]
        {
            assert!(path(text).lists_secrets(), "{text}");
        }
        for text in ["meta-data/", "iam/info", "iam/security-credentials/web", "user-data", "placement/"] {
            assert!(!path(text).lists_secrets(), "{text}");
        }
    }
}
