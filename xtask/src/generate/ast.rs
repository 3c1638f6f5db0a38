//! Reads the flattened JSON AST of `model/` into what the generators ask for.

use serde_json::{Map, Value};

/// The model's abstract syntax tree (Smithy 2.0, "JSON AST").
pub(super) struct Ast(Value);

/// An operation that reads a path.
pub(super) struct Read<'a> {
    pub(super) name: &'a str,
    pub(super) uri: &'a str,
    pub(super) documentation: &'a str,
    pub(super) format: &'a str,
    pub(super) category: &'a Map<String, Value>,
    pub(super) secret: bool,
    pub(super) input: &'a Map<String, Value>,
    pub(super) output: &'a Map<String, Value>,
    pub(super) examples: Vec<Example<'a>>,
}

/// What an operation is asked in an example, and answers.
pub(super) struct Example<'a> {
    pub(super) input: &'a Map<String, Value>,
    /// The body, as the service would send it.
    pub(super) body: String,
}

impl Ast {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|error| format!("model/ast.json: {error}"))
    }

    pub(super) fn shapes(&self) -> Result<&Map<String, Value>, String> {
        object(&self.0["shapes"], "shapes")
    }

    pub(super) fn shape(&self, id: &str) -> Result<&Value, String> {
        self.shapes()?.get(id).ok_or_else(|| format!("model/ast.json: no shape `{id}`"))
    }

    pub(super) fn members(&self, id: &str) -> Result<&Map<String, Value>, String> {
        object(&self.shape(id)?["members"], id)
    }

    pub(super) fn member(&self, id: &str, name: &str) -> Result<&Value, String> {
        self.members(id)?.get(name).ok_or_else(|| format!("no member `{name}` in `{id}`"))
    }

    /// Every operation with `@readonly`, by name.
    pub(super) fn reads(&self) -> Result<Vec<Read<'_>>, String> {
        let mut reads = Vec::new();
        for (id, shape) in self.shapes()? {
            let traits = &shape["traits"];
            if shape["type"] == "operation" && !traits["smithy.api#readonly"].is_null() {
                reads.push(self.read(id, shape).map_err(|error| format!("{id}: {error}"))?);
            }
        }
        Ok(reads)
    }

    fn read<'a>(&'a self, id: &'a str, shape: &'a Value) -> Result<Read<'a>, String> {
        let traits = &shape["traits"];
        let output = self.members(text(&shape["output"]["target"], "output")?)?;
        let (payload, member) = payload_of(output).ok_or("no payload")?;
        let target = text(&member["target"], "payload")?;
        let mut examples = Vec::new();
        for example in traits["smithy.api#examples"].as_array().into_iter().flatten() {
            examples.push(Example {
                input: object(&example["input"], "input of an example")?,
                body: self.body(target, &example["output"][payload])?,
            });
        }
        Ok(Read {
            name: local_name(id),
            uri: text(&traits["smithy.api#http"]["uri"], "uri")?,
            documentation: text(&traits["smithy.api#documentation"], "documentation")?,
            format: text(&traits["imds.traits#bodyFormat"], "body format")?,
            category: object(&traits["imds.traits#category"], "category")?,
            secret: !self.shape(target)?["traits"]["smithy.api#sensitive"].is_null(),
            input: self.members(text(&shape["input"]["target"], "input")?)?,
            output,
            examples,
        })
    }

    /// A value of the model as the bytes of an answer.
    pub(super) fn body(&self, target: &str, value: &Value) -> Result<String, String> {
        Ok(match value {
            Value::String(text) => text.clone(),
            Value::Array(lines) if lines.iter().all(Value::is_string) => {
                lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            document => serde_json::to_string_pretty(&self.wire(target, document)?)
                .map_err(|error| error.to_string())?,
        })
    }

    /// A value with the member names of the model turned into those of the wire (`jsonName`), and
    /// times into text.
    pub(super) fn wire(&self, target: &str, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::Object(map) => {
                let mut wire = Map::new();
                for (name, value) in map {
                    let member = self.member(target, name)?;
                    wire.insert(
                        json_name(member, name).to_owned(),
                        self.wire(text(&member["target"], name)?, value)?,
                    );
                }
                Value::Object(wire)
            }
            Value::Array(items) => {
                let member = text(&self.shape(target)?["member"]["target"], target)?;
                Value::Array(items.iter().map(|item| self.wire(member, item)).collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        })
    }
}

/// The member that is the body, with its name.
pub(super) fn payload_of(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    members
        .iter()
        .find(|(_, member)| !member["traits"]["smithy.api#httpPayload"].is_null())
        .map(|(name, member)| (name.as_str(), member))
}

/// The name of a member in JSON.
pub(super) fn json_name<'a>(member: &'a Value, name: &'a str) -> &'a str {
    member["traits"]["smithy.api#jsonName"].as_str().unwrap_or(name)
}

/// `imds#GetTag` -> `GetTag`.
pub(super) fn local_name(id: &str) -> &str {
    id.rsplit('#').next().unwrap_or(id)
}

/// `virtualName` -> `virtual-name`.
pub(super) fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab
}

pub(super) fn text<'a>(value: &'a Value, what: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("`{what}` is no text"))
}

pub(super) fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("`{what}` is no object"))
}
