//! Turns an amazon-ec2-metadata-mock configuration into an instance file.

use serde_json::{Map, Value, json};

use super::instance_file;
use super::parse::from_json;
use crate::base::error::Invalid;
use crate::instance::{Instance, Preset};

/// What came of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// An instance file, JSON.
    pub instance_file: String,
    /// What has no equal in an instance file, and what to do instead.
    pub notes: Vec<String>,
}

/// The MAC address that the mock's default paths hold.
const MOCK_MAC: &str = "0e:49:61:0f:c3:11";

/// Its configuration names that are not the path with `-` instead of `/`.
const NAMES: [(&str, &str); 12] = [
    ("block-device-mapping-ebs", "block-device-mapping/ebs0"),
    ("block-device-mapping-ephemeral", "block-device-mapping/ephemeral0"),
    ("mac-ipv6-associations", "mac/ipv6s"),
    ("mac-network-interface-id", "mac/interface-id"),
    ("mac-network-interface-card-index", "mac/network-card-index"),
    ("public-key", "public-keys/0/openssh-key"),
    ("events", "events/maintenance/scheduled"),
    ("spot-termination-time", "spot/termination-time"),
    ("target-lifecycle-state", "autoscaling/target-lifecycle-state"),
    ("elastic-inference-associations", "elastic-inference/associations"),
    ("fws-instance-monitoring", "/latest/dynamic/fws/instance-monitoring"),
    ("mac-ipv4-associations", "mac/public-ipv4s"),
];

/// Values that the model has members for, so that listings and the identity document follow.
const MEMBERS: [(&str, &[&str]); 9] = [
    ("instance-id", &["instance-id"]),
    ("ami-id", &["ami-id"]),
    ("instance-type", &["instance-type"]),
    ("instance-life-cycle", &["instance-life-cycle"]),
    ("reservation-id", &["reservation-id"]),
    ("placement-region", &["placement", "region"]),
    ("placement-availability-zone", &["placement", "availability-zone"]),
    ("placement-availability-zone-id", &["placement", "availability-zone-id"]),
    ("kernel-id", &["kernel-id"]),
];

/// Reads a configuration (JSON).
///
/// # Errors
/// Returns an error if it is no JSON object, or the instance that it describes cannot be written.
pub fn import_aemm(text: &str) -> Result<Imported, Invalid> {
    let config: Map<String, Value> = from_json(text)?;
    let mut import = Import::default();
    for (name, value) in &config {
        match name.as_str() {
            "metadata" => import.metadata(value),
            "dynamic" => import.dynamic(value),
            "userdata" => import.user_data(value),
            "imdsv2" if value == &Value::Bool(true) => import.required = true,
            "imdsv2" => {}
            "server" => import.note("server", "pass `--listen ADDRESS:PORT` to `imds serve`"),
            "mock-delay-sec"
            | "mock-trigger-time"
            | "mock-ip-count"
            | "rebalance-delay-sec"
            | "rebalance-trigger-time"
            | "asg-termination-delay-sec"
            | "asg-termination-trigger-time" => import.note(name, "write the times into a scenario file"),
            "spot" | "spot-itn" | "events" | "scheduled-events" | "asg-terminate" => {
                import.note(
                    name,
                    "write a scenario file with the events `interrupt`, `rebalance`, \
                    `schedule-maintenance` or `target-lifecycle-state`",
                );
            }
            "config-file" | "save-config-to-file" | "watch-config-file" => {
                import.note(name, "it is not needed")
            }
            _ => import.note(name, "it is not known"),
        }
    }
    import.finish()
}

#[derive(Default)]
struct Import {
    instance: Map<String, Value>,
    role: Map<String, Value>,
    tags: Map<String, Value>,
    set: Map<String, Value>,
    notes: Vec<String>,
    required: bool,
}

impl Import {
    fn note(&mut self, name: &str, advice: &str) {
        self.notes.push(format!("`{name}` has no equal in an instance file: {advice}"));
    }

    fn metadata(&mut self, metadata: &Value) {
        let paths = &metadata["paths"];
        let Some(values) = metadata["values"].as_object() else { return };
        let mac = values.get("mac").and_then(Value::as_str).unwrap_or(MOCK_MAC);
        self.interface(mac);
        for (name, value) in values {
            if let Some(key) = name.strip_prefix("tags-instance-") {
                // The mock saves its names in lower case; the paths keep theirs.
                let path = paths[name].as_str().unwrap_or_default();
                let key = path.strip_prefix("/latest/meta-data/tags/instance/").unwrap_or(key);
                self.tags.insert(key.to_owned(), value.clone());
                continue;
            }
            if let Some((_, member)) = MEMBERS.iter().find(|(known, _)| known == name) {
                let mut place = &mut self.instance;
                for outer in &member[..member.len() - 1] {
                    let inner = place.entry(*outer).or_insert_with(|| json!({}));
                    let Value::Object(inner) = inner else { return };
                    place = inner;
                }
                place.insert(member[member.len() - 1].to_owned(), value.clone());
                continue;
            }
            match name.as_str() {
                "tags-instance" => self.tags.extend(value.as_object().cloned().unwrap_or_default()),
                // The interface has it.
                "mac" => {}
                "iam-security-credentials" => self.credentials(value),
                "iam-security-credentials-role" => drop(self.role.insert("name".to_owned(), value.clone())),
                "iam-info" => self.note(name, "it follows from `[instance.role]` and `account-id`"),
                "event-id" => self.note(name, "give it to the event `schedule-maintenance` as `id`"),
                _ => match paths[name].as_str().map(str::to_owned).or_else(|| path_of(name, mac)) {
                    Some(path) => {
                        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        self.set.insert(path, Value::String(text));
                    }
                    None => self.note(name, "no path is known for it; write it under `[set]`"),
                },
            }
        }
    }

    /// The one interface of the mock, so that `mac` and the listing of interfaces agree. What the
    /// configuration says of it lies above, under `set`.
    fn interface(&mut self, mac: &str) {
        let Some(mut interface) = Preset::Default.instance().interfaces.into_iter().next() else { return };
        mac.clone_into(&mut interface.mac);
        self.instance.insert("interfaces".into(), json!([interface]));
    }

    fn credentials(&mut self, value: &Value) {
        let text = |name: &str| member(value, name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let credentials = json!({
            "access-key-id": text("AccessKeyId"),
            "secret-access-key": text("SecretAccessKey"),
            "token": text("Token"),
        });
        self.role.insert("credentials".into(), credentials);
        self.note(
            "iam-security-credentials.Expiration",
            "credentials are renewed by `lifetime-seconds` of `[instance.role]`",
        );
    }

    fn dynamic(&mut self, dynamic: &Value) {
        let Some(values) = dynamic["values"].as_object() else { return };
        for (name, value) in values {
            match name.as_str() {
                "fws-instance-monitoring" => {
                    self.instance.insert("monitoring".into(), Value::Bool(value == "enabled"));
                }
                "instance-identity-document" => {
                    if let Some(id) = member(value, "accountId").and_then(Value::as_str) {
                        self.instance.insert("account-id".into(), Value::String(format!("{id:0>12}")));
                    }
                    if let Some(architecture) = member(value, "architecture").and_then(Value::as_str) {
                        self.instance.insert("architecture".into(), Value::String(architecture.to_owned()));
                    }
                    self.note(name, "the document follows from the instance; `account-id` and `architecture` were taken over");
                }
                _ => self.note(name, "the signatures are made over the document that is served"),
            }
        }
    }

    fn user_data(&mut self, userdata: &Value) {
        if let Some(encoded) = userdata["values"]["userdata"].as_str() {
            self.instance.insert("user-data".into(), json!({ "base64": encoded }));
        }
    }

    /// Has the Region, the zone id and the architecture follow from the zone and the type: the mock
    /// saves its defaults beside what a user changed, and does not compare them.
    fn agree(&mut self) {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let mut notes = Vec::new();
        let mut told = |name: &str, own: &str, other: &str| {
            notes.push(format!("`{name}` is `{own}`, which contradicts `{other}`: the latter was taken"));
        };
        if let Some(Value::Object(placement)) = self.instance.get_mut("placement")
            && let Some(zone) = text(placement.get("availability-zone"))
        {
            let before = text(placement.get("region"));
            if before.as_ref().is_none_or(|region| !zone.starts_with(region.as_str())) {
                let region = zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).to_owned();
                if let Some(before) = before {
                    told("placement-region", &before, &zone);
                }
                placement.insert("region".into(), Value::String(region));
            }
            let id = text(placement.get("availability-zone-id"));
            let region = text(placement.get("region")).unwrap_or_default();
            if let Some(id) = id.filter(|id| !Instance::is_zone_id_of(id, &region)) {
                told("placement-availability-zone-id", &id, &zone);
                placement.shift_remove("availability-zone-id");
            }
        }
        let kind = text(self.instance.get("instance-type")).unwrap_or_default();
        if let (Some(own), Some(known)) =
            (text(self.instance.get("architecture")), Instance::architecture_of(&kind))
            && own != known
        {
            told("architecture", &own, &kind);
            self.instance.shift_remove("architecture");
        }
        self.notes.extend(notes);
    }

    fn finish(mut self) -> Result<Imported, Invalid> {
        self.agree();
        if !self.role.is_empty() {
            self.instance.insert("role".into(), Value::Object(self.role));
        }
        let mut file = Map::new();
        if !self.tags.is_empty() {
            let others =
                Preset::Default.instance().tags.into_keys().filter(|key| !self.tags.contains_key(key));
            let unset: Vec<String> =
                others.map(|key| format!("/latest/meta-data/tags/instance/{key}")).collect();
            file.insert("unset".into(), json!(unset));
            self.instance.insert("tags".into(), Value::Object(self.tags));
        }
        if self.required {
            file.insert("options".into(), json!({ "tokens": "required" }));
        }
        file.insert("instance".into(), Value::Object(self.instance));
        file.insert("set".into(), Value::Object(self.set));
        let instance_file = format!("{:#}\n", Value::Object(file));
        // Written and read again: an import that cannot be served is an error now.
        instance_file::parse(&instance_file, true).map_err(|wrong| Invalid { line: None, ..wrong })?;
        Ok(Imported { instance_file, notes: self.notes })
    }
}

/// A member by its name, whose case the mock does not keep when it saves a configuration.
fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The path of one of the mock's configuration names.
fn path_of(name: &str, mac: &str) -> Option<String> {
    let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, path)| (*path).to_owned());
    let path = match found {
        Some(path) => path,
        None => match name.strip_prefix("mac-") {
            Some(rest) => format!("mac/{rest}"),
            None => imds_model::catalogue::CATALOGUE
                .iter()
                .filter_map(|category| category.path().strip_prefix("meta-data/"))
                .find(|path| !path.ends_with('/') && path.replace('/', "-") == name)?
                .to_owned(),
        },
    };
    Some(match path.strip_prefix("mac/") {
        Some(rest) => format!("/latest/meta-data/network/interfaces/macs/{mac}/{rest}"),
        None if path.starts_with('/') => path,
        None => format!("/latest/meta-data/{path}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_becomes_an_instance_file() {
        let imported = import_aemm(
            r#"{"metadata":{"paths":{"ipv4-associations":"/latest/meta-data/x/192.0.2.54"},
                "values":{"mac":"0e:49:61:0f:c3:77","public-ipv4":"54.92.157.77","ipv4-associations":"10.0.0.1",
                "placement-availability-zone":"eu-west-1b","instance-id":"i-0abc","tags-instance":{"Name":"n"},
                "mac-owner-id":"515336597381","iam-security-credentials-role":"baskinc-role",
                "iam-security-credentials":{"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"s","Token":"t"},
                "never-heard-of":"x"}},
                "userdata":{"values":{"userdata":"MTIzNA=="}},"imdsv2":true,"server":{"port":"1550"},
                "spot":{"action":"stop"}}"#,
        )
        .unwrap();
        let described = instance_file::parse(&imported.instance_file, true).unwrap();
        assert_eq!(described.instance.placement.region, "eu-west-1");
        assert_eq!(described.instance.tags["Name"], "n");
        assert_eq!(described.instance.user_data.unwrap().0, b"1234");
        assert_eq!(described.instance.role.unwrap().name, "baskinc-role");
        assert_eq!(described.options.http_tokens.as_str(), "required");
        for path in [
            "meta-data/public-ipv4",
            "meta-data/x/192.0.2.54",
            "meta-data/network/interfaces/macs/0e:49:61:0f:c3:77/owner-id",
        ] {
            let key = crate::base::path::ValuePath::parse(path).unwrap();
            assert!(described.overrides.contains_key(&key), "{path}: {}", imported.instance_file);
        }
        let notes = imported.notes.join("\n");
        for name in ["`server`", "`spot`", "`never-heard-of`"] {
            assert!(notes.contains(name), "{notes}");
        }
    }

    #[test]
    fn defaults_that_the_mock_saved_yield_to_what_was_changed() {
        let imported = import_aemm(
            r#"{"metadata":{"values":{"placement-region":"us-east-1","placement-availability-zone":"eu-west-1b",
                "placement-availability-zone-id":"use1-az5","instance-type":"c7g.large"}},
                "dynamic":{"values":{"instance-identity-document":{"architecture":"x86_64"}}}}"#,
        )
        .unwrap();
        let instance = instance_file::parse(&imported.instance_file, true).unwrap().instance;
        assert_eq!(instance.placement.region, "eu-west-1");
        assert_eq!(instance.placement.availability_zone_id.as_deref(), Some("euw1-az2"));
        assert_eq!(instance.architecture, "arm64");
        let notes = imported.notes.join("\n");
        for name in ["placement-region", "placement-availability-zone-id", "architecture"] {
            assert!(notes.contains(&format!("`{name}` is `")), "{notes}");
        }
    }

    /// As the mock 1.13 writes it with `--save-config-to-file`.
    #[test]
    fn a_configuration_that_the_mock_saved_has_lower_case_names() {
        let imported = import_aemm(
            r#"{"metadata":{"paths":{"tags-instance-team":"/latest/meta-data/tags/instance/Team"},
                "values":{"mac":"0e:49:61:0f:c3:77","mac-owner-id":"515336597381","tags-instance-team":"a",
                "iam-security-credentials-role":"r","iam-security-credentials":{"accesskeyid":"AKIAIOSFODNN7EXAMPLE",
                "secretaccesskey":"s","token":"t","code":"Success"}}},
                "dynamic":{"values":{"instance-identity-document":{"accountid":"123456789","architecture":"x86_64"}}},
                "rebalance-delay-sec":0,"watch-config-file":false}"#,
        )
        .unwrap();
        let described = instance_file::parse(&imported.instance_file, true).unwrap();
        let instance = described.instance;
        let role = instance.role.unwrap();
        let credentials = serde_json::to_value(&role).unwrap()["credentials"].clone();
        assert_eq!(credentials["access-key-id"], "AKIAIOSFODNN7EXAMPLE", "{credentials}");
        assert_eq!(instance.account_id, "000123456789");
        let macs: Vec<&str> = instance.interfaces.iter().map(|interface| &*interface.mac).collect();
        assert_eq!(macs, ["0e:49:61:0f:c3:77"]);
        assert_eq!(instance.tags["Team"], "a");
        let hidden = crate::base::path::ValuePath::parse("tags/instance/Name").unwrap();
        assert_eq!(described.overrides[&hidden], None, "tags of the preset are not the mock's");
        assert!(!imported.notes.join("\n").contains("it is not known"), "{:?}", imported.notes);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let error = import_aemm("[]").unwrap_err().to_string();
        assert!(error.starts_with("line 1: invalid type: sequence, expected a map"), "{error}");
        let error = import_aemm(r#"{"metadata":{"values":{"instance-id":"x"}}}"#).unwrap_err().to_string();
        assert_eq!(error, "`instance-id` is `x`; `i-` and hexadecimal digits");
    }
}
