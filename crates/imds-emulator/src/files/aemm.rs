//! Turns an amazon-ec2-metadata-mock configuration into an instance file.

use serde_json::{Map, Value, json};

use super::instance_file;
use super::parse::from_json;
use crate::base::error::Invalid;

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
            "mock-delay-sec" | "mock-trigger-time" | "mock-ip-count" => {
                import.note(name, "write the times into a scenario file");
            }
            "spot" | "spot-itn" | "events" | "scheduled-events" | "asg-terminate" => {
                import.note(
                    name,
                    "write a scenario file with the events `interrupt`, `rebalance`, \
                    `schedule-maintenance` or `target-lifecycle-state`",
                );
            }
            "config-file" | "save-config-to-file" => import.note(name, "it is not needed"),
            _ => import.note(name, "it is not known"),
        }
    }
    import.finish()
}

#[derive(Default)]
struct Import {
    instance: Map<String, Value>,
    role: Map<String, Value>,
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
        for (name, value) in values {
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
                "tags-instance" => {
                    self.instance.insert("tags".into(), value.clone());
                }
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

    fn credentials(&mut self, value: &Value) {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
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
                    if let Some(id) = value["accountId"].as_str() {
                        self.instance.insert("account-id".into(), Value::String(format!("{id:0>12}")));
                    }
                    if let Some(architecture) = value["architecture"].as_str() {
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

    fn finish(mut self) -> Result<Imported, Invalid> {
        // The Region of a zone that was given without it.
        if let Some(Value::Object(placement)) = self.instance.get_mut("placement")
            && !placement.contains_key("region")
            && let Some(zone) = placement.get("availability-zone").and_then(Value::as_str)
        {
            let region = zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).to_owned();
            placement.insert("region".into(), Value::String(region));
        }
        if !self.role.is_empty() {
            self.instance.insert("role".into(), Value::Object(self.role));
        }
        let mut file = Map::new();
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

/// The path of one of the mock's configuration names.
fn path_of(name: &str, mac: &str) -> Option<String> {
    let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, path)| (*path).to_owned());
    let path = match found {
        Some(path) => path,
        None if name == "mac" => name.to_owned(),
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
    fn what_is_no_configuration_is_refused() {
        let error = import_aemm("[]").unwrap_err().to_string();
        assert!(error.starts_with("line 1: invalid type: sequence, expected a map"), "{error}");
        let error = import_aemm(r#"{"metadata":{"values":{"instance-id":"x"}}}"#).unwrap_err().to_string();
        assert_eq!(error, "`instance-id` is `x`; `i-` and hexadecimal digits");
    }
}
