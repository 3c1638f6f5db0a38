//! Instance files: TOML or JSON, on top of a preset; errors name the line and what is accepted.

use std::collections::BTreeMap;
use std::path::Path;

use imds_model::MetadataOptions;
use imds_model::options::{HttpTokens, Switch};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::parse::{from_json, from_toml, read};
use super::snapshot::{self, Snapshot};
use crate::base::error::{Error, Invalid};
use crate::base::path::ValuePath;
use crate::base::profile::Profile;
use crate::base::span::{self, Step};
use crate::event::OptionsChange;
use crate::event::text::hop_limit;
use crate::instance::{Instance, Preset};

/// The JSON Schema of instance files, for editors. A test derives it from the parser's own types.
pub const INSTANCE_SCHEMA: &str = include_str!("instance.schema.json");

/// What an instance file describes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Described {
    /// The instance.
    pub instance: Instance,
    /// A snapshot in its place.
    pub snapshot: Option<Snapshot>,
    /// The metadata options.
    pub options: MetadataOptions,
    /// The wire profile.
    pub profile: Profile,
    /// Values by path that stand above the instance's; `None` takes a path away.
    pub overrides: BTreeMap<ValuePath, Option<Vec<u8>>>,
}

impl std::fmt::Debug for Described {
    /// Values that a user set may be secrets: they are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Described")
            .field("instance", &self.instance)
            .field("options", &self.options)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl From<Preset> for Described {
    fn from(preset: Preset) -> Self {
        Self {
            instance: preset.instance(),
            snapshot: None,
            options: preset.options(),
            profile: preset.profile(),
            overrides: BTreeMap::new(),
        }
    }
}

/// What the emulator serves, and how: `imds serve --instance FILE`.
#[derive(Deserialize, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct File {
    /// Ready-made instance that the rest stands on; `default` if it is not named.
    preset: Option<Preset>,
    /// Generation of the service to answer as; the preset's if it is not named.
    profile: Option<Profile>,
    /// Metadata options, as `ModifyInstanceMetadataOptions` changes them.
    options: Option<Options>,
    // Checked with the file's lines at hand; its values are read once they lie on top of the
    // preset's.
    /// The instance: what is not named here is the preset's.
    #[serde(rename = "instance")]
    _instance: Option<Instance>,
    /// Values by path, above everything else.
    set: BTreeMap<String, String>,
    /// Paths at which nothing is served.
    unset: Vec<String>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Options {
    /// Whether requests need a session token.
    #[serde(deserialize_with = "tokens")]
    #[cfg_attr(test, schemars(with = "crate::manual::Tokens"))]
    tokens: Option<HttpTokens>,
    /// Whether the service answers at all.
    #[serde(deserialize_with = "switch")]
    #[cfg_attr(test, schemars(with = "crate::manual::OnOff"))]
    endpoint: Option<Switch>,
    /// How far the answer to a token PUT travels.
    #[serde(deserialize_with = "hops")]
    #[cfg_attr(test, schemars(with = "u8", range(min = 1, max = 64)))]
    hop_limit: Option<imds_model::options::HopLimit>,
    /// Whether the IPv6 endpoint answers.
    #[serde(deserialize_with = "switch")]
    #[cfg_attr(test, schemars(with = "crate::manual::OnOff"))]
    ipv6: Option<Switch>,
    /// Whether instance tags are shown.
    #[serde(deserialize_with = "switch")]
    #[cfg_attr(test, schemars(with = "crate::manual::OnOff"))]
    tags: Option<Switch>,
}

fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<HttpTokens>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = HttpTokens::parse(&text);
    found.map(Some).ok_or_else(|| expected(&text, "one of `optional`, `required`"))
}

fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Switch>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Switch::parse(&text).map(Some).ok_or_else(|| expected(&text, "one of `enabled`, `disabled`"))
}

fn hops<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<imds_model::options::HopLimit>, D::Error> {
    let hops = u64::deserialize(deserializer)?;
    hop_limit(hops).map(Some).map_err(serde::de::Error::custom)
}

fn expected<E: serde::de::Error>(text: &str, accepted: &str) -> E {
    E::custom(format!("`{}` is not accepted; {accepted}", text.escape_debug()))
}

/// What an instance file describes.
///
/// # Errors
/// Returns an error if the file cannot be read, or what it says cannot be.
pub fn read_instance(path: &Path) -> Result<Described, Error> {
    let text = read(path)?;
    // A snapshot and JSON are known by their first character, whatever the file is called: no TOML
    // begins so.
    parse(&text, is_json(path) || text.trim_start().starts_with('{'))
        .map_err(|invalid| Error::Invalid(invalid.in_file(path)))
}

/// Whether a file's name says that it is JSON; everything else is TOML.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

pub(crate) fn parse(text: &str, json: bool) -> Result<Described, Invalid> {
    if json && let Some(snapshot) = snapshot::parse(text)? {
        let options =
            MetadataOptions { instance_metadata_tags: Switch::Enabled, ..MetadataOptions::default() };
        return Ok(Described { snapshot: Some(snapshot), options, ..Preset::Default.into() });
    }
    let (file, values): (File, Value) =
        if json { (from_json(text)?, from_json(text)?) } else { (from_toml(text)?, from_toml(text)?) };
    let preset = file.preset.unwrap_or_default();
    let mut described = Described::from(preset);
    if let Some(given) = values.get("instance") {
        let mut merged =
            serde_json::to_value(&described.instance).map_err(|error| Invalid::new(error.to_string()))?;
        merge(&mut merged, given);
        // From a text again: a second reader of every member would cost the binary more than this
        // costs time.
        described.instance =
            from_json(&merged.to_string()).map_err(|wrong| Invalid { line: None, ..wrong })?;
        let before = preset.instance();
        let is_given =
            |members: &[&str]| members.iter().try_fold(given, |value, member| value.get(member)).is_some();
        described.instance.derive(&before, &is_given);
    }
    described.instance.flaw().map_err(|flaw| {
        let line = flaw.places.iter().find_map(|place| {
            let place: Vec<Step> = std::iter::once("instance".into()).chain(place.iter().cloned()).collect();
            span::line(text, json, &place)
        });
        Invalid { line, ..Invalid::new(flaw.message) }
    })?;
    described.profile = file.profile.unwrap_or(described.profile);
    if let Some(options) = file.options {
        let change = OptionsChange {
            tokens: options.tokens,
            endpoint: options.endpoint,
            hop_limit: options.hop_limit,
            ipv6: options.ipv6,
            tags: options.tags,
            ..OptionsChange::default()
        };
        described.options = change.apply(described.options);
    }
    let wrong =
        |steps: [Step; 2], message| Invalid { line: span::line(text, json, &steps), ..Invalid::new(message) };
    for (path, value) in file.set {
        let key = ValuePath::parse(&path)
            .map_err(|message| wrong(["set".into(), path.as_str().into()], message))?;
        described.overrides.insert(key, Some(value.into_bytes()));
    }
    for (index, path) in file.unset.iter().enumerate() {
        let key = ValuePath::parse(path).map_err(|message| wrong(["unset".into(), index.into()], message))?;
        described.overrides.insert(key, None);
    }
    Ok(described)
}

/// Lays `given` on top: objects member by member, tags and block devices included; everything else
/// as a whole.
fn merge(base: &mut Value, given: &Value) {
    match (base, given) {
        (Value::Object(base), Value::Object(given)) => {
            for (name, value) in given {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, given) => *base = given.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn on_top_of_a_preset() {
        let described = parse(
            "preset = 'spot'\nunset = ['iam']\n[instance]\ninstance-id = 'i-0abc'\n[instance.tags]\nTeam = 'x'\n\
             [options]\ntokens = 'required'\nhop-limit = 2\n[set]\n'placement/group-name' = 'g'\n",
            false,
        )
        .unwrap();
        let path = |text| ValuePath::parse(text).unwrap();
        assert_eq!(described.instance.instance_id, "i-0abc");
        assert_eq!(described.instance.instance_life_cycle, "spot");
        assert_eq!(described.instance.tags["Name"], "my-instance");
        assert_eq!(described.instance.tags["Team"], "x");
        assert_eq!(described.options.http_tokens, HttpTokens::Required);
        assert_eq!(described.overrides[&path("iam")], None);
        assert_eq!(described.overrides[&path("placement/group-name")], Some(b"g".to_vec()));
    }

    #[test]
    fn the_rest_follows_from_the_region_and_the_type() {
        let text = "[instance]\ninstance-type = 'c7g.large'\n[instance.placement]\nregion = 'cn-north-1'\n\
                    availability-zone = 'cn-north-1b'\n";
        let instance = parse(text, false).unwrap().instance;
        assert_eq!(instance.placement.availability_zone_id.as_deref(), Some("cnn1-az2"));
        assert_eq!(
            (&*instance.services.partition, &*instance.services.domain),
            ("aws-cn", "amazonaws.com.cn")
        );
        let primary = &instance.interfaces[0];
        assert_eq!(primary.local_hostname, "ip-10-0-0-157.cn-north-1.compute.internal");
        let public = "ec2-203-0-113-25.cn-north-1.compute.amazonaws.com.cn";
        assert_eq!(primary.public_hostname.as_deref(), Some(public));
        assert_eq!(instance.architecture, "arm64");
    }

    #[test]
    fn contradictions_are_refused_with_their_line() {
        for (text, message) in [
            (
                "[instance]\ninstance-type = 'c7g.large'\narchitecture = 'x86_64'",
                "line 3: `architecture` is `x86_64`, but `instance-type` `c7g.large` is of `arm64`",
            ),
            (
                "[instance.placement]\nregion = 'eu-west-1'\navailability-zone = 'eu-west-1a'\n\
                 availability-zone-id = 'use1-az4'",
                "line 4: `availability-zone-id` is `use1-az4`, which is not in `region` `eu-west-1`; such as `euw1-az1`",
            ),
            (
                "instance.services.partition = 'aws-cn'",
                "line 1: `partition` is `aws-cn`, but `region` `us-east-1` is in the partition `aws`",
            ),
        ] {
            assert_eq!(parse(text, false).unwrap_err().to_string(), message);
        }
    }

    const FIRST: &str = "[[instance.interfaces]]\nmac = '02:00:00:00:00:01'\ninterface-id = 'eni-1'\n\
        local-hostname = 'a'\nsubnet-id = 'subnet-1'\nvpc-id = 'vpc-1'\n";

    /// An instance of this type with interfaces after the first, each with these members.
    fn interfaces(instance_type: &str, members: &[&str]) -> Result<Described, Invalid> {
        let mut text = format!("[instance]\ninstance-type = '{instance_type}'\n{FIRST}");
        for (index, members) in members.iter().enumerate() {
            let number = index + 2;
            text += &format!(
                "[[instance.interfaces]]\nmac = '02:00:00:00:00:{number:02}'\ninterface-id = 'eni-{number}'\n\
                 local-hostname = 'a'\nvpc-id = 'vpc-1'\n{members}\n"
            );
        }
        parse(&text, false)
    }

    #[test]
    fn interfaces_that_no_instance_has_are_refused_with_their_line() {
        let two = "subnet-id = 'subnet-2'\ndevice-number = 1";
        for (kind, members, message) in [
            (
                "m5.large",
                &["subnet-id = 's'"][..],
                "line 10: `device-number` is `0` on network card 0, as that of \
              interface 1; each on a card has its own",
            ),
            (
                "m5.large",
                &[two, two],
                "line 22: `device-number` is `1` on network card 0, as that of interface 2; \
              each on a card has its own",
            ),
            (
                "m5.large",
                &["subnet-id = 's'\nnetwork-card = 1"],
                "line 15: `network-card` is `1`; an instance of type \
              `m5.large` has 0 only",
            ),
            (
                "c6in.32xlarge",
                &["subnet-id = 's'\nnetwork-card = 2"],
                "line 15: `network-card` is `2`; an instance \
              of type `c6in.32xlarge` has 0 to 1",
            ),
            (
                "t3.micro",
                &[two, "subnet-id = 's'\ndevice-number = 2"],
                "line 16: interface 3 is one too many: an \
              instance of type `t3.micro` has at most 2",
            ),
            (
                "t3.micro",
                &["subnet-id = 's'\ndevice-number = 1\nlocal-ipv4s = ['10.0.0.1', '10.0.0.2']\n\
              ipv4-prefix = ['10.0.0.16/28']"],
                "line 16: `local-ipv4s` and `ipv4-prefix` are 3; an interface of an \
              instance of type `t3.micro` has at most 2",
            ),
            (
                "x9.large",
                &[
                    "subnet-id = 'subnet-1'\nsubnet-ipv4-cidr-block = '10.0.1.0/24'\ndevice-number = 1",
                    "subnet-id = 'subnet-1'\nsubnet-ipv4-cidr-block = '10.0.2.0/24'\ndevice-number = 2",
                ],
                "line 23: `subnet-ipv4-cidr-block` differs from that of interface 2, which is in the subnet `subnet-1`, \
              too",
            ),
            (
                "x9.large",
                &["subnet-id = 's'\ndevice-number = 1\nsubnet-ipv4-cidr-block = '10.0.1.0/24'\n\
              local-ipv4s = ['10.0.2.1']"],
                "line 17: `10.0.2.1` is not in `subnet-ipv4-cidr-block`",
            ),
            (
                "x9.large",
                &["subnet-id = 's'\ndevice-number = 1\nsubnet-ipv4-cidr-block = '10.0.1.1/24'"],
                "line 16: `subnet-ipv4-cidr-block` is `10.0.1.1/24`; a block of IPv4 addresses, such as `10.0.0.0/24`",
            ),
            (
                "x9.large",
                &["subnet-id = 's'\ndevice-number = 1\nipv6-prefix = ['2001:db8::/64']"],
                "line 16: `ipv6-prefix` is `2001:db8::/64`; an IPv6 prefix of 80 bits, such as \
              `2001:db8:1234:1a00:9691::/80`",
            ),
            (
                "x9.large",
                &["subnet-id = 's'\ndevice-number = 1\nsubnet-ipv4-cidr-block = '10.1.1.0/24'\n\
              vpc-ipv4-cidr-blocks = ['10.0.0.0/16']"],
                "line 16: `subnet-ipv4-cidr-block` is in no block of the VPC",
            ),
        ] {
            assert_eq!(interfaces(kind, members).unwrap_err().to_string(), message);
        }
        let wrong = parse(&format!("{FIRST}device-number = 1"), false).unwrap_err().to_string();
        let first = "line 7: `device-number` of the primary interface, which comes first, is `1`; 0";
        assert_eq!(wrong, first);
        let preset = "preset = 'multi-interface'\n[instance]\ninstance-type = 'm5.large'";
        let wrong = parse(preset, false).unwrap_err().to_string();
        assert_eq!(wrong, "line 3: `network-card` is `1`; an instance of type `m5.large` has 0 only");
    }

    #[test]
    fn an_unknown_type_may_have_everything() {
        let members: Vec<String> = (1..40)
            .map(|number| format!("subnet-id = 'subnet-2'\ndevice-number = {number}\nnetwork-card = 9"))
            .collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        assert_eq!(interfaces("x9.large", &members).unwrap().instance.interfaces.len(), 40);
    }

    #[test]
    fn a_resource_name_follows_from_region_and_id() {
        let text = "preset = 'ipv6-only'\n[instance]\ninstance-id = 'i-0123'\n[instance.placement]\n\
                    region = 'us-west-2'\navailability-zone = 'us-west-2a'\n";
        let instance = parse(text, false).unwrap().instance;
        assert_eq!(instance.interfaces[0].local_hostname, "i-0123.us-west-2.compute.internal");
    }

    #[test]
    fn json_is_the_same() {
        let described = parse(
            r#"{"profile":"xen","instance":{"role":null,"user-data":{"base64":"H4sA"},"monitoring":true}}"#,
            true,
        )
        .unwrap();
        assert_eq!((described.profile, described.instance.role), (Profile::Xen, None));
        assert_eq!(described.instance.user_data.unwrap().0, [0x1f, 0x8b, 0]);
    }

    #[test]
    fn errors_name_the_line_and_what_is_accepted() {
        for (text, message) in [
            (
                "[instance]\n\ninstance-typ = 'x'",
                "line 3: unknown field `instance-typ`, expected one of `instance-id`",
            ),
            ("preset = 'huge'", "line 1: unknown variant `huge`, expected one of `default`, `spot`, `asg`"),
            ("\n[options]\nhop-limit = 0", "line 3: `hop-limit` is `0`; a number from 1 to 64"),
            ("[options]\nhop-limit = 65", "line 2: `hop-limit` is `65`; a number from 1 to 64"),
            ("[options]\ntokens = 'on'", "line 2: `on` is not accepted; one of `optional`, `required`"),
            ("[options]\nipv6 = 'on'", "line 2: `on` is not accepted; one of `enabled`, `disabled`"),
            (
                "[instance]\nuser-data = { base64 = '*' }",
                "line 2: `base64` does not hold base64: Invalid symbol",
            ),
            (
                "[instance]\nuser-data = 5",
                "line 2: invalid type: integer `5`, expected a text or `{ base64 = ",
            ),
            ("[instance.tags]\n'a/b' = 'x'", "line 2: tag key `a/b` holds `/`; letters, digits and"),
            ("[instance]\npending-time = 'now'", "line 2: `now` is not a time; expected the form"),
            ("[set]\na = 'x'\n'a/../b' = 'x'", "line 3: `a/../b` is not the path of a value: `.` and"),
            (
                "unset = [\n'iam',\n'meta-data']",
                "line 3: `meta-data` is not the path of a value: it is a whole",
            ),
            ("a = [", "line 1: "),
        ] {
            let error = parse(text, false).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        let error = parse("{\n\"instance\": {\"tag\": {}}}", true).unwrap_err().to_string();
        assert!(error.starts_with("line 2: unknown field `tag`, expected one of"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_file_or_an_error(text in any::<String>(), json: bool) {
            if let Err(error) = parse(&text, json) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
