//! `crates/imds-emulator/src/instance/builtin.rs`: the emulator's default instance, out of the
//! examples.
//!
//! `instance.template` is that file with marks such as `«text meta-data/ami-id»` for the values.

use std::collections::BTreeMap;

use imds_model::calendar::DateTime;
use serde_json::{Map, Value};

use super::ast::{Ast, text};

const TEMPLATE: &str = include_str!("instance.template");

pub(super) fn write(ast: &Ast) -> Result<String, String> {
    fill(TEMPLATE, &examples(ast)?)
}

/// The body of every example, by its path below a version.
fn examples(ast: &Ast) -> Result<BTreeMap<String, String>, String> {
    let mut bodies = BTreeMap::new();
    for read in ast.reads()? {
        for example in &read.examples {
            bodies.extend(path(read.uri, example.input).map(|path| (path, example.body.clone())));
        }
    }
    Ok(bodies)
}

/// The path that an example reads, where it lies below a version.
fn path(uri: &str, input: &Map<String, Value>) -> Option<String> {
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|label| label.strip_suffix('}')) {
        Some(label) => input.get(label)?.as_str().map(str::to_owned),
        None => Some(segment.to_owned()),
    };
    let below = uri.strip_prefix("/{apiVersion}/")?;
    below.split('/').map(segment).collect::<Option<Vec<_>>>().map(|segments| segments.join("/"))
}

fn fill(template: &str, examples: &BTreeMap<String, String>) -> Result<String, String> {
    let mut parts = template.split('«');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (mark, rest) = part.split_once('»').ok_or_else(|| format!("a mark that does not end: {part}"))?;
        filled.push_str(&value(mark, examples).map_err(|error| format!("mark `{mark}`: {error}"))?);
        filled.push_str(rest);
    }
    Ok(filled)
}

/// A mark as an expression.
fn value(mark: &str, examples: &BTreeMap<String, String>) -> Result<String, String> {
    let words: Vec<&str> = mark.split(' ').collect();
    let path = words.last().copied().unwrap_or_default();
    let body = examples.get(path).ok_or("no example has this path")?;
    let member = |name: &str| {
        let document: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        text(&document[name], name).map(str::to_owned)
    };
    Ok(match words.as_slice() {
        ["str", _] => format!("{body:?}"),
        ["text", _] => format!("{body:?}.into()"),
        ["bytes", _] => format!("{body:?}.into()"),
        // A number, or the name of an enum's variant.
        ["bare", _] if body.chars().all(char::is_alphanumeric) => body.clone(),
        ["is", word, _] => (body == word).to_string(),
        ["lines", _] => each_line(body, |line| Ok(format!("{line:?}.into()")))?,
        ["addresses", _] => each_line(body, |line| {
            let address: std::net::Ipv4Addr = line.parse().map_err(|_| format!("`{line}` is no address"))?;
            Ok(format!("Ipv4Addr::from({:?})", address.octets()))
        })?,
        ["member", name, _] => format!("{:?}.into()", member(name)?),
        ["time", name, _] => {
            let time = DateTime::parse_rfc3339(&member(name)?).map_err(|error| error.to_string())?;
            format!("Timestamp::from_seconds({})", time.unix_seconds())
        }
        _ => return Err("it is not understood".to_owned()),
    })
}

fn each_line(body: &str, write: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    Ok(body.lines().map(write).collect::<Result<Vec<_>, _>>()?.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(mark: &str) -> Result<String, String> {
        let examples = [
            ("n", "7"),
            ("two", "a\nb"),
            ("quoted", "\"\\\n"),
            ("ips", "10.0.0.1\n10.0.0.2"),
            ("document", r#"{"at": "1970-01-01T00:01:00Z", "name": "x"}"#),
        ];
        let examples = examples.map(|(path, body)| (path.to_owned(), body.to_owned())).into();
        fill(&format!("<«{mark}»>"), &examples)
    }

    #[test]
    fn marks() {
        for (mark, expected) in [
            ("bare n", "<7>"),
            ("is 7 n", "<true>"),
            ("text quoted", r#"<"\"\\\n".into()>"#),
            ("str n", "<\"7\">"),
            ("lines two", r#"<"a".into(), "b".into()>"#),
            ("addresses ips", "<Ipv4Addr::from([10, 0, 0, 1]), Ipv4Addr::from([10, 0, 0, 2])>"),
            ("member name document", "<\"x\".into()>"),
            ("time at document", "<Timestamp::from_seconds(60)>"),
        ] {
            assert_eq!(filled(mark).as_deref(), Ok(expected));
        }
        for (mark, told) in [
            ("text none", "mark `text none`: no example has this path"),
            ("bare two", "mark `bare two`: it is not understood"),
            (
                "time name document",
                "mark `time name document`: `x` is not a time; write it as `2027-01-31T12:00:00Z`",
            ),
            ("addresses n", "mark `addresses n`: `7` is no address"),
            ("member n document", "mark `member n document`: `n` is no text"),
        ] {
            assert_eq!(filled(mark), Err(told.to_owned()));
        }
    }
}
