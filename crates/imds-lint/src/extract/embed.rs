//! Which strings of a document are scripts.

use crate::text::mapped::Mapped;

use super::document::{Value, ValueKind};
use super::kind::{self, Kind};
use super::needles;
use super::scalar::{Scalar, TEMPLATE_VALUE};

/// A script in a document.
#[derive(Debug)]
pub struct Embedded {
    /// Its text.
    pub mapped: Mapped,
    /// What it is.
    pub kind: Kind,
    /// What a finding in it says it is in.
    pub label: String,
}

/// Keys whose values are shell: of CI systems, cloud-config, Kubernetes, Compose, Ansible, Packer,
/// Terraform.
const SCRIPT_KEYS: [&str; 42] = [
    "run",
    "script",
    "scripts",
    "before_script",
    "after_script",
    "command",
    "commands",
    "cmd",
    "cmds",
    "args",
    "shell",
    "bash",
    "sh",
    "exec",
    "execute_command",
    "inline",
    "inline_shebang",
    "runcmd",
    "bootcmd",
    "user_data",
    "userdata",
    "user_data_base64",
    "user-data",
    "userData",
    "UserData",
    "entrypoint",
    "test",
    "content",
    "contents",
    "source",
    "preBootstrapCommands",
    "preBootstrapCommand",
    "overrideBootstrapCommand",
    "bootstrap",
    "pre_bootstrap_user_data",
    "post_bootstrap_user_data",
    "Fn::Base64",
    "Fn::Sub",
    "command_line",
    "ansible.builtin.shell",
    "ansible.builtin.command",
    "rendered",
];

/// What a string is, under the keys that lead to it.
#[must_use]
pub fn kind_of(text: &str, keys: &[&str]) -> Option<Kind> {
    if let Some(kind) = kind::by_content(text.trim_start().as_bytes()) {
        return Some(kind);
    }
    let named = keys.iter().rev().take(3).any(|key| SCRIPT_KEYS.contains(key) || key.ends_with(".sh"));
    let python = keys.last().is_some_and(|key| key.ends_with(".py"));
    if python {
        return Some(Kind::Python);
    }
    // A file in a ConfigMap, or a local value: several lines that ask the service.
    let lines = text.trim().contains('\n') && !needles::addresses(text).is_empty();
    (named || lines).then_some(Kind::Shell)
}

/// The scripts of a document.
#[must_use]
pub fn scripts(document: &Value, outer: &Mapped) -> Vec<Embedded> {
    let mut found = Vec::new();
    let mut keys = Vec::new();
    document.walk(&mut keys, &mut |keys, value| match &value.kind {
        ValueKind::Scalar(scalar) => {
            let sub = value.tag.as_deref() == Some("!Sub") || keys.last() == Some(&"Fn::Sub");
            let scalar = if sub { scalar.substituted() } else { scalar.clone() };
            found.extend(script(&scalar, keys, outer));
        }
        ValueKind::List(elements) => {
            if keys.last() == Some(&"Fn::Join") || value.tag.as_deref() == Some("!Join") {
                found.extend(joined(elements).and_then(|scalar| script(&scalar, keys, outer)));
            } else if keys.last() == Some(&"Fn::Sub") || value.tag.as_deref() == Some("!Sub") {
                let text = elements.first().and_then(Value::scalar).map(Scalar::substituted);
                found.extend(text.and_then(|scalar| script(&scalar, keys, outer)));
            } else {
                found.extend(words(elements, outer));
            }
        }
        ValueKind::Map(_) => found.extend(written_file(value, outer)),
        ValueKind::Other => {}
    });
    found
}

fn script(scalar: &Scalar, keys: &[&str], outer: &Mapped) -> Option<Embedded> {
    if !needles::any(scalar.text.as_bytes(), true) {
        return None;
    }
    let kind = kind_of(&scalar.text, keys)?;
    let key = keys.iter().rev().find(|key| !key.starts_with("Fn::")).copied().unwrap_or("a value");
    Some(Embedded { mapped: scalar.mapped(outer), kind, label: format!("`{key}`") })
}

/// `Fn::Join` of text: what is not text is put in when the stack is made.
fn joined(elements: &[Value]) -> Option<Scalar> {
    let [delimiter, parts] = elements else { return None };
    let delimiter = delimiter.text()?;
    let mut pieces: Vec<(String, std::ops::Range<usize>)> = Vec::new();
    for part in parts.elements() {
        if let Some(last) = pieces.last().map(|piece| piece.1.end).filter(|_| !delimiter.is_empty()) {
            pieces.push((delimiter.to_owned(), last..last));
        }
        match part.scalar() {
            Some(scalar) => pieces.extend(scalar.pieces.iter().cloned()),
            None => pieces.push((TEMPLATE_VALUE.to_owned(), part.span.clone())),
        }
    }
    let escape = parts.elements().iter().find_map(Value::scalar).and_then(|scalar| scalar.escape.clone());
    Some(Scalar::new(pieces, escape))
}

/// A program and its arguments: `[curl, -s, http://...]`, `[sh, -c, "curl ..."]`.
fn words(elements: &[Value], outer: &Mapped) -> Option<Embedded> {
    let scalars: Vec<&Scalar> = elements.iter().filter_map(Value::scalar).collect();
    let first = scalars.first()?;
    let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    let any = scalars.iter().any(|scalar| needles::any(scalar.text.as_bytes(), true));
    if !any || scalars.len() < 2 || scalars.len() != elements.len() || !plain(&first.text) {
        return None;
    }
    let runs = ["sh", "bash", "curl", "wget", "sudo", "env", "timeout", "aws", "pip", "pip3", "npm", "gem"];
    if !runs.contains(&first.text.rsplit('/').next().unwrap_or_default()) {
        return None;
    }
    if let [.., flag, script] = scalars.as_slice()
        && flag.text.starts_with('-')
        && flag.text.ends_with('c')
    {
        let label = "a command list".to_owned();
        return Some(Embedded { mapped: script.mapped(outer), kind: Kind::Shell, label });
    }
    let mut pieces = Vec::new();
    for scalar in scalars {
        if let Some((_, last)) = pieces.last() {
            let last: &std::ops::Range<usize> = last;
            pieces.push((" ".to_owned(), last.end..last.end));
        }
        let span = scalar.span();
        if scalar.text.contains([' ', '$', '"', '\\', '\n', '*', '&', ';', '(', ')']) {
            pieces.push((format!("'{}'", scalar.text.replace('\'', "'\\''")), span));
        } else {
            pieces.push((scalar.text.clone(), span));
        }
    }
    let joined = Scalar::new(pieces, None);
    Some(Embedded { mapped: joined.mapped(outer), kind: Kind::Shell, label: "a command list".to_owned() })
}

/// An entry of cloud-config's `write_files`: its path says what it is, its encoding how to read it.
fn written_file(value: &Value, outer: &Mapped) -> Option<Embedded> {
    let path = value.get("path").or_else(|| value.get("dest")).and_then(Value::text)?;
    let content = value.get("content").and_then(Value::scalar)?;
    let encoding = value.get("encoding").and_then(Value::text).unwrap_or_default();
    let label = format!("the file `{path}`");
    let encoded = matches!(encoding, "b64" | "base64" | "gz+b64" | "gzip+base64" | "gz+base64" | "gzip+b64");
    if encoded || value.get("content").and_then(|content| content.tag.as_deref()) == Some("!!binary") {
        return Some(Embedded { mapped: content.mapped(outer), kind: Kind::Base64, label });
    }
    if !needles::any(content.text.as_bytes(), true) {
        return None;
    }
    let kind = kind::by_content(content.text.as_bytes()).or_else(|| kind::by_name(path))?;
    Some(Embedded { mapped: content.mapped(outer), kind, label })
}
