//! The AWS config file, as far as the metadata service is concerned: flat keys of one profile.

/// The keys of one profile of an AWS config file.
///
/// The file is `[default]` and `[profile NAME]` sections with `key = value` lines; nested
/// (indented) blocks and comments are passed over, as the AWS CLI does.
#[derive(Debug)]
pub(crate) struct Profile<'a> {
    lines: Vec<(&'a str, &'a str)>,
    found: bool,
}

impl<'a> Profile<'a> {
    pub(crate) fn parse(text: &'a str, name: &str) -> Self {
        let mut profile = Self { lines: Vec::new(), found: false };
        let mut inside = false;
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = section_of(trimmed) {
                inside = is_profile(section, name);
                profile.found |= inside;
            } else if inside
                && !line.starts_with([' ', '\t'])
                && let Some((key, value)) = trimmed.split_once('=')
            {
                profile.lines.push((key.trim(), value.trim()));
            }
        }
        profile
    }

    /// Whether the file has such a profile.
    pub(crate) fn found(&self) -> bool {
        self.found
    }

    /// The key's last non-empty value.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let mut matching =
            self.lines.iter().rev().filter(|(k, v)| k.eq_ignore_ascii_case(key) && !v.is_empty());
        matching.next().map(|(_, value)| *value)
    }
}

/// The text between the brackets of a section line, which may carry a comment.
fn section_of(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.split_once(']')?.0.trim())
}

fn is_profile(section: &str, name: &str) -> bool {
    let mut words = section.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some("default"), None, _) => name == "default",
        (Some("profile"), Some(_), _) => {
            let quoted = section["profile".len()..].trim();
            quoted.trim_matches(['"', '\'']) == name
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# comment
[default]
region = eu-west-1
ec2_metadata_service_endpoint = http://127.0.0.1:1
s3 =
  ec2_metadata_service_endpoint = http://nested
[profile other] ; comment
EC2_Metadata_Service_Endpoint_Mode=IPv6
ec2_metadata_service_endpoint =
[profile \"two words\"]
ec2_metadata_service_endpoint = http://127.0.0.1:2
[sso-session other]
ec2_metadata_service_endpoint = http://wrong
broken line
[unclosed
";

    #[test]
    fn keys_of_one_profile() {
        let key = "ec2_metadata_service_endpoint";
        let default = Profile::parse(FILE, "default");
        assert_eq!((default.found(), default.get(key)), (true, Some("http://127.0.0.1:1")));
        let other = Profile::parse(FILE, "other");
        assert_eq!((other.get(key), other.get("ec2_metadata_service_endpoint_mode")), (None, Some("IPv6")));
        assert_eq!(Profile::parse(FILE, "two words").get(key), Some("http://127.0.0.1:2"));
        assert!(!Profile::parse(FILE, "missing").found());
    }
}
