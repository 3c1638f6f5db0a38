//! The end state of an account in a Region: IMDSv1 refused by default, refused altogether, and held
//! so by the organization.

use imds_model::options::HttpTokens;
use serde::{Deserialize, Serialize};

use super::options::Options;

/// What the effective declarative policy of the organization says for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// `http_tokens`: `required`, `optional`, `no_preference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<String>,
    /// `http_tokens_enforced`: `enabled`, `disabled`, `no_preference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens_enforced: Option<String>,
}

impl Declared {
    /// Reads the content of an effective policy. Nothing where it says nothing of instance metadata
    /// ("Declarative policy syntax and examples", Organizations User Guide).
    ///
    /// # Errors
    ///
    /// Returns why it is not JSON.
    pub fn read(content: &str) -> Result<Option<Self>, String> {
        let content: serde_json::Value = serde_json::from_str(content).map_err(|error| error.to_string())?;
        let Some(defaults) = content.pointer("/ec2_attributes/instance_metadata_defaults") else {
            return Ok(None);
        };
        // An effective policy has values where the policies have operators.
        let value = |name: &str| {
            let it = defaults.get(name)?;
            it.as_str().or_else(|| it.get("@@assign")?.as_str()).map(str::to_owned)
        };
        Ok(Some(Self {
            http_tokens: value("http_tokens"),
            http_tokens_enforced: value("http_tokens_enforced"),
        }))
    }
}

/// What the organization says of an account, where it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// Nobody asked: the scan is not of an organization.
    #[default]
    No,
    /// It could not be read.
    Unknown,
    /// It says this, or nothing.
    Says(Option<Declared>),
}

/// Whether the end state is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndState {
    /// Whether nothing is missing.
    pub reached: bool,
    /// What is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl EndState {
    /// The end state of an account in a Region.
    #[must_use]
    pub fn of(options: &Options, enforced: bool, managed_by: Option<&str>, asked: &Asked) -> Self {
        let mut missing = Vec::new();
        let required = options.http_tokens == Some(HttpTokens::Required);
        if !required {
            missing.push("the default of `HttpTokens` is not `required`".to_owned());
        }
        if !enforced {
            missing.push("`HttpTokensEnforced` is not `enabled`".to_owned());
        }
        let held = managed_by == Some("declarative-policy");
        match asked {
            Asked::No => {}
            Asked::Unknown if held => {}
            Asked::Unknown => {
                missing.push("whether a declarative policy holds it could not be read".to_owned())
            }
            Asked::Says(None) => {
                missing.push("no declarative policy of the organization holds it".to_owned())
            }
            Asked::Says(Some(declared)) => {
                let says = |name: &str, is: &Option<String>, wanted: &str| {
                    (is.as_deref() != Some(wanted)).then(|| {
                        let is = is.as_deref().unwrap_or("nothing");
                        format!("the declarative policy says `{is}` for `{name}`, not `{wanted}`")
                    })
                };
                missing.extend(says("http_tokens", &declared.http_tokens, "required"));
                missing.extend(says("http_tokens_enforced", &declared.http_tokens_enforced, "enabled"));
                if !held {
                    missing.push("the declarative policy is not in force here yet".to_owned());
                }
            }
        }
        Self { reached: missing.is_empty(), missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effective_policy_is_read_with_and_without_operators() {
        let plain = r#"{"ec2_attributes":{"instance_metadata_defaults":{"http_tokens":"required","http_tokens_enforced":"enabled"}}}"#;
        let assigned = r#"{"ec2_attributes":{"instance_metadata_defaults":{"http_tokens":{"@@assign":"required"},"http_tokens_enforced":{"@@assign":"enabled"}}}}"#;
        let expected = Declared {
            http_tokens: Some("required".to_owned()),
            http_tokens_enforced: Some("enabled".to_owned()),
        };
        assert_eq!(Declared::read(plain).unwrap(), Some(expected.clone()));
        assert_eq!(Declared::read(assigned).unwrap(), Some(expected));
        assert_eq!(
            Declared::read(r#"{"ec2_attributes":{"serial_console_access":{"status":"disabled"}}}"#),
            Ok(None)
        );
        assert!(Declared::read("{").unwrap_err().contains("EOF"), "what is wrong");
    }

    #[test]
    fn each_step_that_is_missing_is_named() {
        let required = Options { http_tokens: Some(HttpTokens::Required), ..Options::NONE };
        let declared = |tokens: &str, enforced: Option<&str>| {
            Asked::Says(Some(Declared {
                http_tokens: Some(tokens.to_owned()),
                http_tokens_enforced: enforced.map(str::to_owned),
            }))
        };
        let whole = declared("required", Some("enabled"));
        let policy = Some("declarative-policy");
        let of = |options: &Options, enforced, by, asked: &Asked| {
            EndState::of(options, enforced, by, asked).missing.len()
        };
        assert_eq!(of(&required, true, Some("account"), &Asked::No), 0);
        assert_eq!(of(&Options::NONE, false, None, &Asked::No), 2);
        assert_eq!(of(&required, true, policy, &whole), 0);
        assert_eq!(of(&required, true, Some("account"), &whole), 1, "not in force yet");
        assert_eq!(of(&required, true, Some("account"), &Asked::Says(None)), 1);
        assert_eq!(of(&required, true, policy, &declared("optional", None)), 2);
        assert_eq!(of(&required, true, Some("account"), &Asked::Unknown), 1);
        assert!(EndState::of(&required, true, policy, &Asked::Unknown).reached);
    }
}
