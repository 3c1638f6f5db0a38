//! What is done with a text of each kind.

use crate::extract::document::Value;
use crate::extract::embed::{self, Embedded};
use crate::extract::kind::{self, Kind};
use crate::extract::{dockerfile, hcl, json, mime, needles, packed, yaml};
use crate::fix;
use crate::model::code::Program;
use crate::model::powershell;
use crate::model::shell::embedded;
use crate::model::shell::request::Request;
use crate::model::shell::script::Script;
use crate::rules::finding::{Finding, Unread};
use crate::rules::shell::Judged;
use crate::rules::{self, infrastructure, manifests};
use crate::syntax::grammar::Grammar;
use crate::syntax::tree::Tree;
use crate::text::mapped::Mapped;

use super::{Results, Settings, Text};

/// Tells whether a finding is suppressed.
pub(super) type Suppressed<'a> = &'a dyn Fn(&Finding) -> bool;

pub(super) fn check(text: &Text, settings: Settings, suppressed: Suppressed<'_>) -> Results {
    match text.kind {
        Kind::Shell => shell(text, &text.mapped, settings, suppressed),
        Kind::ShellTemplate => {
            let mapped = hcl::template_file(text.mapped.text()).mapped(&text.mapped);
            shell(text, &mapped, settings, suppressed)
        }
        Kind::Yaml | Kind::CloudConfig => documents(text, Grammar::Yaml),
        Kind::Json => documents(text, Grammar::Json),
        Kind::Hcl => terraform(text),
        Kind::Dockerfile => docker(text),
        Kind::Mime => parts(text),
        Kind::WindowsUserData => windows(text),
        Kind::Base64 | Kind::Gzip => encoded(text),
        Kind::Manifest(manifest) => {
            let mut findings = manifests::judge(manifest, text.mapped.text());
            for finding in &mut findings {
                finding.span = text.mapped.origin(finding.span.clone());
            }
            Results { findings, ..Results::default() }
        }
        Kind::PowerShell => powershell(text, settings),
        Kind::Python => code(text, Grammar::Python),
        Kind::JavaScript => code(text, Grammar::JavaScript),
        Kind::Go => code(text, Grammar::Go),
        Kind::Ruby => code(text, Grammar::Ruby),
        Kind::Java => code(text, Grammar::Java),
    }
}

fn powershell(text: &Text, settings: Settings) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(&text.mapped, Grammar::PowerShell, &mut results) else { return results };
    let script = powershell::Script::new(tree);
    let requests = script.requests();
    for (mut finding, number) in rules::powershell::judge(&script, &requests, &text.mapped) {
        if let Some(request) = number.and_then(|number| requests.get(number)) {
            finding.edits = fix::powershell::rewrite(&script, request, &text.mapped, settings.style);
        }
        results.findings.push(finding);
    }
    results
}

fn code(text: &Text, grammar: Grammar) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(&text.mapped, grammar, &mut results) else { return results };
    let program = Program::new(tree);
    results.findings = rules::code::judge(&program, &text.mapped);
    for line in program.command_lines() {
        // The program's own quoting is not worked out: nothing in it is rewritten.
        let mapped = Mapped::part(&text.mapped, line, None).frozen();
        let label = "a command line".to_owned();
        inner(text, Embedded { mapped, kind: Kind::Shell, label }, &mut results);
    }
    results
}

/// Parses a text; what cannot be is said.
fn parse<'t>(text: &'t Mapped, grammar: Grammar, results: &mut Results) -> Option<Tree<'t>> {
    match Tree::parse(grammar, text.text()) {
        Ok(tree) => {
            unparsed(text, &tree, grammar, results);
            Some(tree)
        }
        Err(reason) => {
            let span = text.origin(0..text.text().len());
            results.unread.push(Unread { span, reason });
            None
        }
    }
}

/// Addresses of the service in a part that the grammar could not read.
fn unparsed(text: &Mapped, tree: &Tree<'_>, grammar: Grammar, results: &mut Results) {
    for address in needles::addresses(text.text()) {
        let mut node = Some(tree.at(address));
        while let Some(at) = node {
            if tree.is_broken(at) {
                let span = text.origin(address..address + 1);
                let reason = format!("could not be parsed as {}", grammar.name());
                results.unread.push(Unread { span, reason });
                break;
            }
            // A command or a call that is whole was read, whatever is around it.
            let whole =
                ["command", "call", "call_expression", "method_invocation", "comment", "block_scalar"];
            if whole.contains(&tree.kind(at)) {
                break;
            }
            node = tree.parent(at);
        }
    }
}

fn inner(text: &Text, found: Embedded, results: &mut Results) {
    let Embedded { mapped, kind, label } = found;
    results.inner.push(Text { mapped, kind, label: Some(label), depth: text.depth + 1 });
}

fn shell(text: &Text, mapped: &Mapped, settings: Settings, suppressed: Suppressed<'_>) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(mapped, Grammar::Bash, &mut results) else { return results };
    let script = Script::new(tree);
    let judged = Judged::new(&script, mapped);
    let found = judged.findings();
    let blocked: Vec<usize> =
        found.iter().filter(|(finding, _)| suppressed(finding)).filter_map(|(_, request)| *request).collect();
    let place = |request: &Request| script.tree.span(request.command.node);
    let edits = fix::shell::edits(&judged, settings.style, |request| {
        let same =
            |number: &usize| judged.requests.get(*number).is_some_and(|other| place(other) == place(request));
        !blocked.iter().any(same)
    });
    for (mut finding, request) in found {
        if let Some(edits) = request.and_then(|number| edits.get(number)) {
            finding.edits.clone_from(edits);
        }
        results.findings.push(finding);
    }
    for found in embedded::all(&script, mapped) {
        let bytes = found.text.text().as_bytes();
        let kind = if found.is_shell { Some(Kind::Shell) } else { kind::by_content(bytes) };
        if let Some(kind) = kind.filter(|_| needles::any(bytes, true)) {
            let found = Embedded { mapped: found.text, kind, label: found.label.to_owned() };
            inner(text, found, &mut results);
        }
    }
    results
}

fn documents(text: &Text, grammar: Grammar) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(&text.mapped, grammar, &mut results) else { return results };
    let found: Vec<Value> = match grammar {
        Grammar::Json => json::document(&tree).into_iter().collect(),
        _ => yaml::documents(&tree),
    };
    for document in &found {
        results.findings.extend(infrastructure::documents::judge(document, &text.mapped));
        for script in embed::scripts(document, &text.mapped) {
            inner(text, script, &mut results);
        }
    }
    results
}

fn terraform(text: &Text) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(&text.mapped, Grammar::Hcl, &mut results) else { return results };
    results.findings = infrastructure::hcl::judge(&tree, &text.mapped);
    for (name, scalar) in hcl::strings(&tree) {
        if !needles::any(scalar.text.as_bytes(), true) {
            continue;
        }
        let keys: Vec<&str> = name.into_iter().collect();
        if let Some(kind) = embed::kind_of(&scalar.text, &keys) {
            let label = name.map_or_else(|| "a string".to_owned(), |name| format!("`{name}`"));
            inner(text, Embedded { mapped: scalar.mapped(&text.mapped), kind, label }, &mut results);
        }
    }
    results
}

fn docker(text: &Text) -> Results {
    let mut results = Results::default();
    let Some(tree) = parse(&text.mapped, Grammar::Containerfile, &mut results) else { return results };
    for run in dockerfile::runs(&tree) {
        match run {
            dockerfile::Run::Script(script) => {
                if needles::any(script.text.as_bytes(), true) {
                    let kind = kind::by_content(script.text.as_bytes()).unwrap_or(Kind::Shell);
                    let label = "an instruction".to_owned();
                    inner(text, Embedded { mapped: script.mapped(&text.mapped), kind, label }, &mut results);
                }
            }
            dockerfile::Run::Words(list) => {
                for script in embed::scripts(&list, &text.mapped) {
                    inner(text, script, &mut results);
                }
            }
        }
    }
    results
}

fn parts(text: &Text) -> Results {
    let mut results = Results::default();
    for part in mime::parts(text.mapped.text()) {
        let mapped = Mapped::part(&text.mapped, part.body.clone(), None);
        let by_type = match part.content_type.as_str() {
            "text/cloud-config" => Some(Kind::CloudConfig),
            "text/x-shellscript"
            | "text/x-shellscript-per-boot"
            | "text/x-shellscript-per-instance"
            | "text/cloud-boothook"
            | "text/upstart-job" => Some(Kind::Shell),
            _ => None,
        };
        let kind = if part.is_base64 {
            Some(Kind::Base64)
        } else {
            kind::by_content(mapped.text().as_bytes()).or(by_type)
        };
        if let Some(kind) = kind {
            let label = part.file_name.unwrap_or(part.content_type);
            inner(text, Embedded { mapped, kind, label: format!("the part `{label}`") }, &mut results);
        }
    }
    results
}

fn windows(text: &Text) -> Results {
    let mut results = Results::default();
    for body in mime::powershell(text.mapped.text()) {
        let mapped = Mapped::part(&text.mapped, body, None);
        let label = "<powershell>".to_owned();
        inner(text, Embedded { mapped, kind: Kind::PowerShell, label }, &mut results);
    }
    results
}

/// base64, and gzip below it.
fn encoded(text: &Text) -> Results {
    let mut results = Results::default();
    let whole = 0..text.mapped.text().len();
    let decoded = packed::decode_base64(text.mapped.text()).and_then(|bytes| {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            packed::gunzip(&bytes)
        } else {
            String::from_utf8(bytes).map_err(|_| "base64 data holds no UTF-8 text".to_owned())
        }
    });
    match decoded {
        Ok(decoded) => {
            let bytes = decoded.as_bytes();
            if let Some(kind) = kind::by_content(bytes).filter(|_| needles::any(bytes, true)) {
                let mapped = Mapped::decoded(&text.mapped, whole, decoded);
                let label = "encoded data".to_owned();
                inner(text, Embedded { mapped, kind, label }, &mut results);
            }
        }
        Err(reason) => results.unread.push(Unread { span: text.mapped.origin(whole), reason }),
    }
    results
}
