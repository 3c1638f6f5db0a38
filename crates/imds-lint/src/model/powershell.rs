//! PowerShell: requests with `Invoke-RestMethod`, `Invoke-WebRequest`, `WebClient` and curl.

use std::collections::BTreeMap;

use crate::syntax::tree::{NodeId, Tree};

use super::url::{self, Asked, HOLE, Target};

/// A script: its syntax and what its variables are assigned from.
#[derive(Debug)]
pub struct Script<'t> {
    /// Its syntax.
    pub tree: Tree<'t>,
    values: BTreeMap<String, Vec<NodeId>>,
}

/// A parameter or an argument of a command.
#[derive(Debug)]
struct Element {
    parameter: Option<String>,
    node: NodeId,
}

/// A request of the service.
#[derive(Debug)]
pub struct Request {
    /// The command or the call.
    pub node: NodeId,
    /// What makes it.
    pub name: String,
    /// The node with the address.
    pub address: NodeId,
    /// What it asks for.
    pub target: Target,
    /// Whether a session token goes along; `None` if that cannot be told.
    pub sends_token: Option<bool>,
    /// Whether it is a PUT.
    pub put: bool,
    /// Whether it has a time limit.
    pub timeout: bool,
    /// Parameters, lower-cased.
    pub parameters: Vec<String>,
}

const CMDLETS: [&str; 6] = ["invoke-restmethod", "irm", "invoke-webrequest", "iwr", "curl", "wget"];

impl<'t> Script<'t> {
    /// Reads what is assigned.
    #[must_use]
    pub fn new(tree: Tree<'t>) -> Self {
        let mut values: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        for node in tree.of_kind(0, "assignment_expression") {
            let name = tree.named(node).next().map(|left| tree.text(left));
            if let (Some(name), Some(value)) = (name, tree.field(node, "value")) {
                values.entry(variable(name)).or_default().push(value);
            }
        }
        Self { tree, values }
    }

    /// The nodes that a variable is assigned from.
    #[must_use]
    pub fn values(&self, name: &str) -> &[NodeId] {
        self.values.get(&variable(name)).map_or(&[], Vec::as_slice)
    }

    /// Variables and the nodes that they are assigned from.
    pub fn assignments(&self) -> impl Iterator<Item = (&str, &[NodeId])> + '_ {
        self.values.iter().map(|(name, nodes)| (name.as_str(), nodes.as_slice()))
    }

    /// What an expression is worth as text, [`HOLE`] for what is not known.
    #[must_use]
    pub fn text(&self, node: NodeId) -> String {
        self.value(self.tree.text(node), 0)
    }

    /// PowerShell nests a dozen nodes around each literal: the text itself says more.
    fn value(&self, written: &str, depth: usize) -> String {
        let written = written.trim().trim_matches(['(', ')']).trim();
        if depth > 5 || written.len() > 4_000 {
            return HOLE.to_string();
        }
        if let Some(inner) = written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return inner.to_owned();
        }
        if let Some(inner) = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
            && !inner.contains("\" +")
        {
            return self.expanded(inner, depth);
        }
        if let Some((left, right)) = written.split_once('+').filter(|_| !written.starts_with("http")) {
            return format!("{}{}", self.value(left, depth + 1), self.value(right, depth + 1));
        }
        if written.starts_with('$') && !written.contains(char::is_whitespace) {
            let values = self.values(written);
            let texts: Vec<String> =
                values.iter().map(|value| self.value(self.tree.text(*value), depth + 1)).collect();
            let known = texts.iter().find(|text| url::find(text).is_some()).or_else(|| texts.first());
            return known.cloned().unwrap_or_else(|| HOLE.to_string());
        }
        if written.contains(['$', '(', ' ']) { HOLE.to_string() } else { written.to_owned() }
    }

    /// A string in double quotes with its variables put in.
    fn expanded(&self, inner: &str, depth: usize) -> String {
        let mut result = String::new();
        let mut rest = inner;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            let braced = after.starts_with(['{', '(']);
            let name: String = after
                .trim_start_matches(['{', '('])
                .trim_start_matches('$')
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
                .collect();
            let value = self.value(&format!("${name}"), depth + 1);
            result.push_str(&value);
            rest = if braced {
                after.split_once(['}', ')']).map_or("", |(_, rest)| rest)
            } else {
                after.get(name.len()..).unwrap_or_default()
            };
        }
        result.push_str(rest);
        result
    }

    /// The requests of the service.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let mut found: Vec<Request> = Vec::new();
        for node in self.tree.all() {
            let request = match self.tree.kind(node) {
                "command" => self.cmdlet(node),
                "invokation_expression" => self.web_client(node),
                _ => None,
            };
            found.extend(request.filter(|request| request.target.asked != Asked::Other));
        }
        found
    }

    fn elements(&self, command: NodeId) -> Vec<Element> {
        let tree = &self.tree;
        let Some(list) =
            tree.field(command, "command_elements").or_else(|| tree.child(command, "command_elements"))
        else {
            return Vec::new();
        };
        let mut elements: Vec<Element> = Vec::new();
        let mut parameter: Option<String> = None;
        for node in tree.named(list) {
            match tree.kind(node) {
                "command_argument_sep" => {}
                "command_parameter" => {
                    if let Some(name) = parameter.take() {
                        elements.push(Element { parameter: Some(name), node });
                    }
                    let name =
                        tree.text(node).trim_start_matches('-').trim_end_matches(':').to_ascii_lowercase();
                    parameter = Some(name);
                }
                _ => elements.push(Element { parameter: parameter.take(), node }),
            }
        }
        if let Some(name) = parameter {
            elements.push(Element { parameter: Some(name), node: command });
        }
        elements
    }

    fn cmdlet(&self, node: NodeId) -> Option<Request> {
        let tree = &self.tree;
        let name = tree.field(node, "command_name").map(|name| tree.text(name))?;
        let lower = name.to_ascii_lowercase();
        let program = lower.trim_end_matches(".exe");
        if !CMDLETS.contains(&program) {
            return None;
        }
        let elements = self.elements(node);
        let (address, target) =
            elements.iter().find_map(|element| Some((element.node, url::find(&self.text(element.node))?)))?;
        let parameters: Vec<String> =
            elements.iter().filter_map(|element| element.parameter.clone()).collect();
        let value = |names: &[&str]| {
            elements
                .iter()
                .find(|element| element.parameter.as_deref().is_some_and(|name| names.contains(&name)))
                .map(|element| element.node)
        };
        let written = tree.text(node);
        let put = value(&["method", "x", "me", "met"]).map_or_else(
            || written.contains("-X PUT"),
            |method| self.text(method).eq_ignore_ascii_case("put"),
        );
        let headers = value(&["headers", "header", "h", "hea", "head"]);
        let splat = elements.iter().any(|element| {
            tree.text(element.node).starts_with('@') && !tree.text(element.node).starts_with("@{")
        });
        let sends_token = if url::has_token_header(written) {
            Some(true)
        } else {
            match headers.map(|headers| tree.text(headers)) {
                Some(text) if text.starts_with('$') => {
                    let name = text.split(['.', '[']).next().unwrap_or(text);
                    let values = self.values(name);
                    let assigned = values.iter().any(|value| url::has_token_header(tree.text(*value)));
                    // `$headers.Add("X-aws-ec2-metadata-token", $token)`
                    let added =
                        tree.text.lines().any(|line| line.contains(name) && url::has_token_header(line));
                    if assigned || added {
                        Some(true)
                    } else if values.is_empty() {
                        None
                    } else {
                        Some(false)
                    }
                }
                _ if splat => None,
                Some(text) if url::is_other_cloud_header(&text.replace('=', ":")) => None,
                _ => Some(false),
            }
        };
        let timeout = splat
            || parameters
                .iter()
                .any(|name| name.starts_with("timeout") || name.starts_with("connectiont") || name == "m")
            || written.contains("--max-time")
            || written.contains("--connect-timeout");
        Some(Request { node, name: name.to_owned(), address, target, sends_token, put, timeout, parameters })
    }

    /// `(New-Object System.Net.WebClient).DownloadString("...")`
    fn web_client(&self, node: NodeId) -> Option<Request> {
        let tree = &self.tree;
        let member = tree.child(node, "member_name").map(|name| tree.text(name))?;
        let member = member.trim_start_matches('.');
        if !matches!(
            member.to_ascii_lowercase().as_str(),
            "downloadstring" | "downloaddata" | "downloadfile" | "create"
        ) {
            return None;
        }
        let list = tree.child(node, "argument_list")?;
        let address = tree.of_kind(list, "argument_expression").next()?;
        let target = url::find(&self.text(address))?;
        let sends_token = if url::has_token_header(tree.text) { None } else { Some(false) };
        let name = member.to_owned();
        let put = tree.text.contains("\"PUT\"") && member.eq_ignore_ascii_case("create");
        Some(Request { node, name, address, target, sends_token, put, timeout: true, parameters: Vec::new() })
    }
}

/// A variable's name as it is compared: without `$`, type or case.
fn variable(written: &str) -> String {
    let name = written.rsplit(']').next().unwrap_or(written).trim();
    let name = name.trim_start_matches('$').trim_matches(['{', '}']);
    let name = name.split_once(':').map_or(name, |(_, name)| name);
    name.to_ascii_lowercase()
}
