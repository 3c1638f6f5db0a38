//! Python, JavaScript, Go, Ruby and Java, as far as literal addresses and known calls go.

use std::collections::BTreeMap;

use crate::syntax::tree::{NodeId, Tree};

use super::url::{self, Asked, HOLE, Target};

/// How many names may stand in each other's values.
const DEPTH: usize = 6;

/// A program: its syntax and what its names are assigned from.
#[derive(Debug)]
pub struct Program<'t> {
    /// Its syntax.
    pub tree: Tree<'t>,
    values: BTreeMap<&'t str, Vec<NodeId>>,
}

/// A call that makes, or prepares, a request of the service.
#[derive(Debug)]
pub struct Call {
    /// The call.
    pub node: NodeId,
    /// What it calls: `requests.get`.
    pub callee: String,
    /// What it asks for.
    pub target: Target,
    /// Whether a session token goes along; `None` if that cannot be told.
    pub sends_token: Option<bool>,
    /// Whether it is a PUT.
    pub put: bool,
}

const CALLS: [&str; 5] =
    ["call", "call_expression", "method_invocation", "object_creation_expression", "new_expression"];

/// Last names of calls that make a request, or an object for one.
const REQUESTS: [&str; 31] = [
    "get",
    "put",
    "post",
    "head",
    "request",
    "urlopen",
    "Request",
    "urlretrieve",
    "fetch",
    "axios",
    "got",
    "ajax",
    "Get",
    "Head",
    "Post",
    "NewRequest",
    "NewRequestWithContext",
    "get_response",
    "get_print",
    "open",
    "new",
    "read",
    "URL",
    "create",
    "uri",
    "getForObject",
    "getForEntity",
    "exchange",
    "httpRequest",
    "needle",
    "send_request",
];

impl<'t> Program<'t> {
    /// Reads what is assigned.
    #[must_use]
    pub fn new(tree: Tree<'t>) -> Self {
        let mut values: BTreeMap<&'t str, Vec<NodeId>> = BTreeMap::new();
        for node in tree.all() {
            let (name, value) = match tree.kind(node) {
                "assignment"
                | "assignment_expression"
                | "assignment_statement"
                | "short_var_declaration"
                | "augmented_assignment" => (tree.field(node, "left"), tree.field(node, "right")),
                "variable_declarator" | "const_spec" | "var_spec" | "default_parameter" | "pair" => {
                    (tree.field(node, "name").or_else(|| tree.field(node, "key")), tree.field(node, "value"))
                }
                _ => continue,
            };
            if let (Some(name), Some(value)) = (name, value) {
                // `resp, err := http.Get(url)`: the first name gets the value.
                let first =
                    if tree.kind(name) == "expression_list" { tree.named(name).next() } else { Some(name) };
                if let Some(name) = first.and_then(|name| last_name(&tree, name)) {
                    values.entry(name).or_default().push(value);
                }
            }
        }
        Self { tree, values }
    }

    /// The nodes that a name is assigned from.
    #[must_use]
    pub fn values(&self, name: &str) -> &[NodeId] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The nodes that a name is assigned from, as `node` sees it: those of its own function, if
    /// there are any.
    fn seen_from(&self, name: &str, node: NodeId) -> Vec<NodeId> {
        let all = self.values(name);
        let scope = self.scope(node);
        let own: Vec<NodeId> = all.iter().copied().filter(|value| self.scope(*value) == scope).collect();
        if own.is_empty() { all.to_vec() } else { own }
    }

    /// Names and the nodes that they are assigned from.
    pub fn assignments(&self) -> impl Iterator<Item = (&'t str, &[NodeId])> + '_ {
        self.values.iter().map(|(name, nodes)| (*name, nodes.as_slice()))
    }

    /// Every call.
    pub fn call_nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.tree.all().filter(|node| CALLS.contains(&self.tree.kind(*node)))
    }

    /// What a call calls, with the names that lead there.
    #[must_use]
    pub fn callee(&self, call: NodeId) -> String {
        let tree = &self.tree;
        let name = ["function", "method", "name", "type", "constructor"]
            .iter()
            .find_map(|field| tree.field(call, field));
        let name = name.map_or("", |name| tree.text(name));
        let receiver = tree.field(call, "receiver").or_else(|| tree.field(call, "object"));
        match receiver {
            Some(receiver) => {
                let receiver = tree.text(receiver);
                // Of a chain of calls, only the head matters.
                let short = if receiver.len() > 80 { "" } else { receiver };
                format!("{short}.{name}")
            }
            None => name.to_owned(),
        }
    }

    /// The arguments of a call.
    #[must_use]
    pub fn arguments(&self, call: NodeId) -> Vec<NodeId> {
        let list = self.tree.field(call, "arguments").or_else(|| self.tree.child(call, "argument_list"));
        list.map_or_else(Vec::new, |list| {
            self.tree.named(list).filter(|node| self.tree.kind(*node) != "comment").collect()
        })
    }

    /// What an expression is worth as text, [`HOLE`] for what is not known.
    #[must_use]
    pub fn text(&self, node: NodeId) -> String {
        self.value(node, 0)
    }

    fn value(&self, node: NodeId, depth: usize) -> String {
        let tree = &self.tree;
        if depth > DEPTH {
            return HOLE.to_string();
        }
        match tree.kind(node) {
            "string"
            | "template_string"
            | "string_literal"
            | "interpreted_string_literal"
            | "raw_string_literal"
            | "concatenated_string" => {
                let mut text = String::new();
                for child in tree.named(node) {
                    match tree.kind(child) {
                        "string_content"
                        | "string_fragment"
                        | "interpreted_string_literal_content"
                        | "raw_string_literal_content"
                        | "escape_sequence"
                        | "multiline_string_fragment" => {
                            text.push_str(tree.text(child));
                        }
                        "interpolation" | "template_substitution" => {
                            let inner = tree.named(child).next();
                            text.push_str(
                                &inner.map_or_else(|| HOLE.to_string(), |inner| self.value(inner, depth + 1)),
                            );
                        }
                        "string" => text.push_str(&self.value(child, depth + 1)),
                        _ => {}
                    }
                }
                text
            }
            "binary_operator" | "binary_expression" | "binary" => {
                let left =
                    tree.field(node, "left").map(|left| self.value(left, depth + 1)).unwrap_or_default();
                let right = tree.field(node, "right");
                if tree.field(node, "operator").is_some_and(|operator| tree.text(operator) == "%") {
                    return right.map_or(left.clone(), |right| self.formatted(&left, &[right], depth));
                }
                let right = right.map(|right| self.value(right, depth + 1)).unwrap_or_default();
                format!("{left}{right}")
            }
            "parenthesized_expression"
            | "expression_list"
            | "await_expression"
            | "keyword_argument"
            | "argument" => {
                let inner = tree.field(node, "value").or_else(|| tree.named(node).next());
                inner.map_or_else(|| HOLE.to_string(), |inner| self.value(inner, depth + 1))
            }
            kind if CALLS.contains(&kind) => self.called(node, depth),
            "identifier"
            | "constant"
            | "attribute"
            | "selector_expression"
            | "member_expression"
            | "field_access"
            | "property_identifier"
            | "instance_variable"
            | "class_variable"
            | "scope_resolution" => {
                let Some(name) = last_name(tree, node) else { return HOLE.to_string() };
                let seen = self.seen_from(name, node);
                let texts = seen.iter().map(|value| self.value(*value, depth + 1));
                let known: Vec<String> = texts.filter(|text| !text.chars().all(|c| c == HOLE)).collect();
                known
                    .iter()
                    .find(|text| url::find(text).is_some())
                    .or_else(|| known.first())
                    .cloned()
                    .unwrap_or_else(|| HOLE.to_string())
            }
            _ => HOLE.to_string(),
        }
    }

    /// Calls that make text, or an address, out of their arguments.
    fn called(&self, node: NodeId, depth: usize) -> String {
        let callee = self.callee(node);
        let last = callee.rsplit(['.', ':']).next().unwrap_or_default();
        let arguments = self.arguments(node);
        match last {
            "format" | "Sprintf" | "sprintf" => {
                let receiver = self
                    .tree
                    .field(node, "function")
                    .and_then(|function| self.tree.field(function, "object"));
                match receiver.filter(|_| last == "format").map(|receiver| self.value(receiver, depth + 1)) {
                    Some(format) if format.contains('{') => self.formatted(&format, &arguments, depth),
                    _ => match arguments.split_first() {
                        Some((format, rest)) => self.formatted(&self.value(*format, depth + 1), rest, depth),
                        None => HOLE.to_string(),
                    },
                }
            }
            "URI" | "parse" | "create" | "URL" | "URLEncoder" | "urljoin" | "join" | "String" | "str"
            | "strip" | "freeze" => {
                arguments.iter().map(|argument| self.value(*argument, depth + 1)).collect()
            }
            _ => HOLE.to_string(),
        }
    }

    fn formatted(&self, format: &str, arguments: &[NodeId], depth: usize) -> String {
        let mut result = format.to_owned();
        for argument in arguments {
            let value = self.value(*argument, depth + 1);
            let Some((at, length)) = ["%s", "%v", "{}", "{0}"]
                .iter()
                .filter_map(|mark| result.find(mark).map(|at| (at, mark.len())))
                .min()
            else {
                break;
            };
            result.replace_range(at..at + length, &value);
        }
        result
    }

    /// The calls that ask the service.
    #[must_use]
    pub fn requests(&self) -> Vec<Call> {
        let mut found: Vec<Call> = Vec::new();
        for node in self.call_nodes() {
            let callee = self.callee(node);
            let last = callee.rsplit(['.', ':']).next().unwrap_or_default();
            if !REQUESTS.contains(&last) || is_foreign(&callee) {
                continue;
            }
            let arguments = self.arguments(node);
            let Some(target) =
                arguments.iter().take(3).find_map(|argument| url::find(&self.address(*argument)))
            else {
                continue;
            };
            // `Net::HTTP.get(URI(url))`: the call around it is the request.
            let prepares = matches!(last, "URL" | "create" | "parse" | "URI" | "uri");
            let text = self.tree.text(node);
            let put = last.eq_ignore_ascii_case("put") || is_put(text) || self.later_put(node, &callee);
            if prepares && !self.opens_later(node) {
                continue;
            }
            let sends_token = self.sends_token(node, &callee, &arguments);
            found.push(Call { node, callee, target, sends_token, put });
        }
        // Of calls inside each other, the outermost is the request.
        let outer: Vec<NodeId> = found.iter().map(|call| call.node).collect();
        found.retain(|call| {
            call.target.asked != Asked::Other
                && !outer
                    .iter()
                    .any(|other| *other != call.node && self.tree.below(*other).contains(&call.node))
        });
        found
    }

    /// The address in an argument: as text, or in an object of options (`{ host, path }`,
    /// `{ url }`).
    fn address(&self, argument: NodeId) -> String {
        let tree = &self.tree;
        let object = match tree.kind(argument) {
            "object" | "hash" | "dictionary" => Some(argument),
            "identifier" => last_name(tree, argument).and_then(|name| {
                self.values(name).iter().copied().find(|value| tree.kind(*value) == "object")
            }),
            _ => None,
        };
        let Some(object) = object else { return self.text(argument) };
        let value = |names: &[&str]| {
            tree.named(object).filter(|pair| tree.kind(*pair) == "pair").find_map(|pair| {
                let key = tree.field(pair, "key")?;
                let key = tree.text(key).trim_matches(['"', '\'', ':']);
                let value = self.text(tree.field(pair, "value").filter(|_| names.contains(&key))?);
                Some(value).filter(|text| !text.chars().all(|c| c == HOLE))
            })
        };
        match value(&["url", "uri", "baseURL"]) {
            Some(url) => url,
            None => match value(&["host", "hostname"]) {
                Some(host) => {
                    format!("{host}{}", value(&["path", "pathname"]).unwrap_or_else(|| HOLE.to_string()))
                }
                None => HOLE.to_string(),
            },
        }
    }

    /// Whether a prepared request is made a PUT afterwards: `req.method = "PUT"`,
    /// `get_method = lambda: "PUT"`.
    fn later_put(&self, call: NodeId, callee: &str) -> bool {
        let later = ["Request", "URL", "openConnection", "uri", "create"];
        later.iter().any(|name| callee.ends_with(name)) && is_put(self.tree.text(self.scope(call)))
    }

    /// Whether an address object is opened somewhere: `url.openConnection()`,
    /// `client.send(request)`.
    fn opens_later(&self, call: NodeId) -> bool {
        let text = self.tree.text(self.scope(call));
        [
            "openConnection",
            "openStream",
            "HttpRequest",
            "HttpGet",
            "urlopen",
            "Net::HTTP",
            ".send(",
            "Request.Builder",
        ]
        .iter()
        .any(|sign| text.contains(sign))
    }

    /// The function that a node stands in, or the file.
    #[must_use]
    pub fn scope(&self, node: NodeId) -> NodeId {
        let functions = [
            "function_definition",
            "function_declaration",
            "method_declaration",
            "method",
            "singleton_method",
            "arrow_function",
            "function_expression",
            "method_definition",
            "func_literal",
            "constructor_declaration",
        ];
        let tree = &self.tree;
        tree.ancestors(node).find(|node| functions.contains(&tree.kind(*node))).unwrap_or(tree.root())
    }

    fn sends_token(&self, call: NodeId, callee: &str, arguments: &[NodeId]) -> Option<bool> {
        let tree = &self.tree;
        if url::has_token_header(&self.expanded(call)) {
            return Some(true);
        }
        let last = callee.rsplit(['.', ':']).next().unwrap_or_default();
        let head = callee.split(['.', ':', '(']).next().unwrap_or_default();
        // The whole of what it sends stands in the call.
        let complete =
            matches!(callee, "fetch" | "urlopen" | "axios" | "got" | "needle" | "open" | "urlretrieve")
                || matches!(last, "urlopen" | "urlretrieve" | "openStream")
                || (matches!(
                    head,
                    "requests" | "httpx" | "axios" | "http" | "https" | "urllib" | "urllib2" | "Net" | "$"
                ) && matches!(
                    last,
                    "get" | "put" | "request" | "head" | "Get" | "Head" | "get_response" | "ajax"
                ))
                || (callee.ends_with("URI.open") || callee.ends_with("OpenURI.open_uri"));
        let headers = arguments.iter().copied().find(|argument| {
            let text = tree.text(*argument);
            text.starts_with("headers")
                || text.contains("headers:")
                || text.contains("headers=")
                || text.contains("\"headers\"")
        });
        let options = arguments.iter().copied().skip(1).find(|argument| {
            matches!(
                tree.kind(*argument),
                "identifier"
                    | "member_expression"
                    | "spread_element"
                    | "dictionary_splat"
                    | "call_expression"
            )
        });
        if complete {
            // Headers, options or a request object that were made elsewhere.
            let made_elsewhere = headers.is_some_and(|headers| !self.is_literal(headers))
                || (options.is_some() && matches!(last, "fetch" | "request" | "axios" | "got" | "ajax"))
                || (matches!(last, "request" | "get")
                    && matches!(head, "http" | "https")
                    && self.scope_has_token(call));
            if made_elsewhere {
                return self.scope_has_token(call).then_some(true);
            }
            return Some(false);
        }
        // A request object that gets its headers afterwards, a session that has them.
        if self.scope_has_token(call) {
            Some(true)
        } else if self.file_has_token() {
            None
        } else {
            Some(false)
        }
    }

    /// Whether headers are written out here, or in a value of this file that was looked at.
    fn is_literal(&self, headers: NodeId) -> bool {
        let value = self.tree.field(headers, "value").unwrap_or(headers);
        matches!(self.tree.kind(value), "dictionary" | "object" | "hash")
            || last_name(&self.tree, value).is_some_and(|name| !self.values(name).is_empty())
    }

    fn scope_has_token(&self, node: NodeId) -> bool {
        url::has_token_header(self.tree.text(self.scope(node)))
    }

    fn file_has_token(&self) -> bool {
        url::has_token_header(self.tree.text)
    }

    /// The text of a call with the values of the names in it.
    fn expanded(&self, call: NodeId) -> String {
        let tree = &self.tree;
        let mut text = tree.text(call).to_owned();
        for node in tree.below(call) {
            if matches!(tree.kind(node), "identifier" | "constant" | "shorthand_property_identifier") {
                for value in self
                    .seen_from(tree.text(node), node)
                    .iter()
                    .filter(|value| !tree.below(**value).contains(&call))
                {
                    let value = tree.text(*value);
                    if value.len() < 2_000 {
                        text.push('\n');
                        text.push_str(value);
                        // `headers = {HEADER: token}`
                        for (name, nodes) in &self.values {
                            if value.contains(name) && name.len() > 3 {
                                let known =
                                    nodes.iter().map(|node| tree.text(*node)).filter(|text| text.len() < 200);
                                text.extend(known.flat_map(|known| ["\n", known]));
                            }
                        }
                    }
                }
            }
        }
        text
    }
}

/// Calls that run a command line, by their last name.
const RUNNERS: [&str; 19] = [
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "check_output",
    "check_call",
    "run",
    "call",
    "Popen",
    "exec",
    "execSync",
    "spawnSync",
    "spawn",
    "capture2",
    "capture3",
    "Command",
    "CommandContext",
    "ProcessBuilder",
    "sh",
];

impl Program<'_> {
    /// The strings that the program runs as a command line: where they are written, quotes left
    /// out.
    #[must_use]
    pub fn command_lines(&self) -> Vec<std::ops::Range<usize>> {
        let tree = &self.tree;
        let mut found = Vec::new();
        for node in tree.all() {
            let shell = tree.kind(node) == "subshell";
            let string = matches!(
                tree.kind(node),
                "string"
                    | "string_literal"
                    | "interpreted_string_literal"
                    | "raw_string_literal"
                    | "template_string"
            );
            if !(shell || string) || url::find(tree.text(node)).is_none() {
                continue;
            }
            let span = tree.span(node);
            let text = tree.text(node);
            let opening = text.chars().take_while(|c| c.is_ascii_alphabetic()).count();
            let quotes = text.chars().skip(opening).take_while(|c| matches!(c, '"' | '\'' | '`')).count();
            let quotes = if quotes >= 3 { 3 } else { 1 };
            let inside = span.start + opening + quotes..span.end.saturating_sub(quotes);
            let line = tree.text.get(inside.clone()).unwrap_or_default();
            let runs = shell
                || tree.ancestors(node).take(4).any(|around| {
                    let callee = self.callee(around);
                    let last = callee.rsplit(['.', ':']).next().unwrap_or_default();
                    CALLS.contains(&tree.kind(around)) && RUNNERS.contains(&last)
                });
            if runs && (line.contains("curl ") || line.contains("wget ")) {
                found.push(inside);
            }
        }
        found
    }
}

fn is_put(text: &str) -> bool {
    ["\"PUT\"", "'PUT'", "\"put\"", "'put'", ":put", "MethodPut", "HttpPut", "Net::HTTP::Put", ".PUT("]
        .iter()
        .any(|sign| text.contains(sign))
}

/// Calls that are no requests, whatever their name: look-ups, log lines, assertions.
fn is_foreign(callee: &str) -> bool {
    let head = callee.split(['.', '(']).next().unwrap_or_default();
    matches!(
        head,
        "os" | "environ" | "config" | "cfg" | "settings" | "System" | "process" | "log" | "logger" | "File"
    )
}

/// The last name of `a.b.C`.
fn last_name<'t>(tree: &Tree<'t>, node: NodeId) -> Option<&'t str> {
    let text = tree.text(node);
    let name = text.rsplit(['.', ':', '@']).next().unwrap_or(text).trim_matches(['"', '\'']);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    is_name.then_some(name)
}
