//! How a replacement must be written so that the text around it still reads it as it is meant.

/// The quoting of one layer of embedding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escape {
    /// A JSON string, or a double-quoted scalar of YAML.
    Json,
    /// A single-quoted scalar of YAML.
    YamlSingle,
    /// A plain scalar of YAML.
    YamlPlain,
    /// A block scalar of YAML whose lines are indented by this much.
    YamlBlock(usize),
    /// A quoted string of HCL.
    HclString,
    /// A heredoc of HCL, or a template file.
    HclTemplate,
    /// The text of `Fn::Sub`.
    CloudFormationSub,
    /// The text of `Fn::Sub` in a block scalar whose lines are indented by this much.
    SubInBlock(usize),
    /// The text of `Fn::Sub` in a JSON string.
    SubInJson,
    /// A word of shell in single quotes.
    ShellSingle,
    /// A word of shell in double quotes, or the body of a heredoc that is expanded.
    ShellDouble,
}

impl Escape {
    /// The replacement in this quoting; `None` if it cannot be written there.
    #[must_use]
    pub fn apply(&self, text: &str) -> Option<String> {
        match self {
            Self::Json => {
                let quoted = serde_json::to_string(text).ok()?;
                Some(quoted.get(1..quoted.len().saturating_sub(1))?.to_owned())
            }
            Self::YamlSingle => (!text.contains('\n')).then(|| text.replace('\'', "''")),
            Self::YamlPlain => {
                let special = text.contains(": ") || text.contains(" #") || text.contains(['\n', ':']);
                (!special).then(|| text.to_owned())
            }
            Self::YamlBlock(indent) => Some(text.replace('\n', &format!("\n{}", " ".repeat(*indent)))),
            Self::HclString => {
                let text = Self::HclTemplate.apply(text)?;
                Some(text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
            }
            Self::HclTemplate => Some(text.replace("${", "$${").replace("%{", "%%{")),
            Self::CloudFormationSub => Some(text.replace("${", "${!")),
            Self::SubInBlock(indent) => Self::YamlBlock(*indent).apply(&Self::CloudFormationSub.apply(text)?),
            Self::SubInJson => Self::Json.apply(&Self::CloudFormationSub.apply(text)?),
            Self::ShellSingle => (!text.contains('\'')).then(|| text.to_owned()),
            Self::ShellDouble => (!text.contains(['"', '$', '`', '\\', '!'])).then(|| text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Escape;

    #[test]
    fn a_replacement_is_written_in_the_quoting_around_it() {
        let text = r#"a "${b}""#;
        assert_eq!(Escape::Json.apply(text).as_deref(), Some(r#"a \"${b}\""#));
        assert_eq!(Escape::HclTemplate.apply(text).as_deref(), Some(r#"a "$${b}""#));
        assert_eq!(Escape::HclString.apply(text).as_deref(), Some(r#"a \"$${b}\""#));
        assert_eq!(Escape::CloudFormationSub.apply(text).as_deref(), Some(r#"a "${!b}""#));
        assert_eq!(Escape::YamlBlock(2).apply("a\nb").as_deref(), Some("a\n  b"));
        assert_eq!(Escape::YamlSingle.apply("it's").as_deref(), Some("it''s"));
    }

    #[test]
    fn a_replacement_that_cannot_be_written_is_refused() {
        assert_eq!(Escape::YamlPlain.apply("a: b"), None);
        assert_eq!(Escape::ShellSingle.apply("it's"), None);
        assert_eq!(Escape::ShellDouble.apply("$x"), None);
    }
}
