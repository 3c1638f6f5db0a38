//! `model/openapi.json`: the service as an OpenAPI 3.1 document, for readers and tools that know no
//! Smithy.
//!
//! Smithy's own converter wants an AWS protocol, none of which has line lists or errors that
//! differ by their status alone; so the document is written here.

use super::ast::{Ast, Read, json_name, local_name, object, payload_of, text};
use serde_json::{Map, Value, json};

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    let service = ast.shape("imds#InstanceMetadata")?;
    let token_header = text(&service["traits"]["imds.traits#imdsv2"]["tokenHeader"], "token header")?;
    let mut schemas = Schemas { ast, written: Map::new() };
    let mut paths = Map::new();
    paths.insert("/latest/api/token".to_owned(), json!({ "put": create_token(ast, &mut schemas)? }));
    let errors = errors(ast, &service["errors"])?;
    for read in ast.reads()? {
        let operation =
            operation(&mut schemas, &read, &errors).map_err(|error| format!("{}: {error}", read.name))?;
        // OpenAPI has no greedy labels: a reader must encode the slashes, or use the typed path.
        paths.insert(read.uri.replace("+}", "}"), json!({ "get": operation }));
    }
    paths.sort_keys();
    let Schemas { written: mut schemas, .. } = schemas;
    schemas.sort_keys();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": service["traits"]["smithy.api#title"],
            "version": service["version"],
            "description": service["traits"]["smithy.api#documentation"],
        },
        "servers": [
            { "url": "http://169.254.169.254", "description": "IPv4" },
            { "url": "http://[fd00:ec2::254]", "description": "IPv6, on Nitro instances" },
        ],
        "security": [{ "imdsv2": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "imdsv2": {
                    "type": "apiKey",
                    "in": "header",
                    "name": token_header,
                    "description": "A session token, which `CreateToken` gives.",
                },
            },
            "schemas": schemas,
        },
    });
    let text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

fn create_token(ast: &Ast, schemas: &mut Schemas<'_>) -> Result<Value, String> {
    let shape = ast.shape("imds#CreateToken")?;
    let input = ast.members(text(&shape["input"]["target"], "input")?)?;
    let output = ast.members(text(&shape["output"]["target"], "output")?)?;
    let mut responses = Map::new();
    responses.insert("200".to_owned(), success(schemas, output, "text")?);
    responses.extend(errors(ast, &shape["errors"])?);
    responses.extend(errors(ast, &ast.shape("imds#InstanceMetadata")?["errors"])?);
    Ok(json!({
        "operationId": "CreateToken",
        "description": shape["traits"]["smithy.api#documentation"],
        "security": [],
        "parameters": parameters(schemas, input)?,
        "responses": responses,
    }))
}

fn operation(
    schemas: &mut Schemas<'_>,
    read: &Read<'_>,
    errors: &Map<String, Value>,
) -> Result<Value, String> {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), success(schemas, read.output, read.format)?);
    responses.extend(errors.clone());
    Ok(json!({
        "operationId": read.name,
        "description": read.documentation,
        "parameters": parameters(schemas, read.input)?,
        "responses": responses,
        "x-imds-format": read.format,
        "x-imds-category": read.category,
        "x-imds-secret": read.secret,
    }))
}

fn success(schemas: &mut Schemas<'_>, output: &Map<String, Value>, format: &str) -> Result<Value, String> {
    let (payload, member) = payload_of(output).ok_or("no payload")?;
    let (media_type, schema) = match format {
        "opaque" => ("application/octet-stream", json!({ "format": "binary" })),
        "lines" | "directory" => ("text/plain", json!({ "type": "string", "description": "One per line." })),
        // The service says `text/plain` of JSON too; the schema is what the text holds.
        _ => ("text/plain", schemas.reference(text(&member["target"], payload)?)?),
    };
    let mut headers = Map::new();
    for (name, member) in output {
        if let Some(header) = member["traits"]["smithy.api#httpHeader"].as_str() {
            let schema = schemas.reference(text(&member["target"], name)?)?;
            let description = &member["traits"]["smithy.api#documentation"];
            headers.insert(header.to_owned(), json!({ "description": description, "schema": schema }));
        }
    }
    Ok(json!({
        "description": member["traits"]["smithy.api#documentation"],
        "headers": headers,
        "content": { media_type: { "schema": schema } },
    }))
}

fn parameters(schemas: &mut Schemas<'_>, input: &Map<String, Value>) -> Result<Vec<Value>, String> {
    let mut parameters = Vec::new();
    for (name, member) in input {
        let traits = object(&member["traits"], name)?;
        let (place, name_on_wire) = match traits.get("smithy.api#httpHeader").and_then(Value::as_str) {
            Some(header) => ("header", header),
            None => ("path", name.as_str()),
        };
        parameters.push(json!({
            "name": name_on_wire,
            "in": place,
            "required": true,
            "description": traits.get("smithy.api#documentation"),
            "schema": schemas.reference(text(&member["target"], name)?)?,
        }));
    }
    Ok(parameters)
}

/// The errors of an operation or of the service, by status.
fn errors(ast: &Ast, references: &Value) -> Result<Map<String, Value>, String> {
    let mut errors = Map::new();
    for reference in references.as_array().into_iter().flatten() {
        let traits = &ast.shape(text(&reference["target"], "error")?)?["traits"];
        let status = traits["smithy.api#httpError"].to_string();
        errors.insert(status, json!({ "description": traits["smithy.api#documentation"] }));
    }
    Ok(errors)
}

/// Shapes that are written as JSON schemas on first mention.
struct Schemas<'a> {
    ast: &'a Ast,
    written: Map<String, Value>,
}

impl Schemas<'_> {
    fn reference(&mut self, target: &str) -> Result<Value, String> {
        if let Some(name) = target.strip_prefix("smithy.api#") {
            return Err(format!("`{name}` is used without a shape of the model's own"));
        }
        let name = local_name(target);
        if !self.written.contains_key(name) {
            self.written.insert(name.to_owned(), Value::Null);
            let schema = self.schema(target)?;
            self.written.insert(name.to_owned(), schema);
        }
        Ok(json!({ "$ref": format!("#/components/schemas/{name}") }))
    }

    fn schema(&mut self, target: &str) -> Result<Value, String> {
        let shape = self.ast.shape(target)?;
        let traits = &shape["traits"];
        let mut schema = Map::new();
        let mut set = |key: &str, value: Value| {
            if !value.is_null() {
                schema.insert(key.to_owned(), value);
            }
        };
        set("description", traits["smithy.api#documentation"].clone());
        match text(&shape["type"], target)? {
            "integer" => {
                set("type", json!("integer"));
                set("minimum", traits["smithy.api#range"]["min"].clone());
                set("maximum", traits["smithy.api#range"]["max"].clone());
            }
            "timestamp" => {
                set("type", json!("string"));
                set("format", json!("date-time"));
            }
            "enum" => {
                let members = object(&shape["members"], target)?.values();
                set("type", json!("string"));
                set("enum", members.map(|member| member["traits"]["smithy.api#enumValue"].clone()).collect());
            }
            "list" => {
                set("type", json!("array"));
                set("items", self.reference(text(&shape["member"]["target"], target)?)?);
            }
            "structure" => {
                let mut properties = Map::new();
                let mut required = Vec::new();
                for (name, member) in object(&shape["members"], target)? {
                    let json_name = json_name(member, name).to_owned();
                    if !member["traits"]["smithy.api#required"].is_null() {
                        required.push(Value::String(json_name.clone()));
                    }
                    properties.insert(json_name, self.reference(text(&member["target"], name)?)?);
                }
                set("type", json!("object"));
                set("properties", Value::Object(properties));
                set("required", if required.is_empty() { Value::Null } else { Value::Array(required) });
            }
            "blob" => set("format", json!("binary")),
            _ => {
                set("type", json!("string"));
                set("pattern", traits["smithy.api#pattern"].clone());
                set("minLength", traits["smithy.api#length"]["min"].clone());
                set("maxLength", traits["smithy.api#length"]["max"].clone());
            }
        }
        Ok(Value::Object(schema))
    }
}
