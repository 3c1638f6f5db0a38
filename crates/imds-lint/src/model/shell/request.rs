//! Requests that a script makes with curl, wget and their like.

use crate::model::url::{self, Asked, HOLE, Target};
use crate::syntax::tree::NodeId;

use super::arguments::{self, Given, Parsed};
use super::command::{Command, base_name};
use super::context;
use super::script::Script;
use super::words::Word;

/// The program that makes the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// curl.
    Curl,
    /// wget.
    Wget,
}

/// Whether a session token goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSent {
    /// In a header with these variables; `in_arguments` if the process list shows it.
    Yes {
        /// Variables in the header.
        variables: Vec<String>,
        /// Whether the value stands among the arguments.
        in_arguments: bool,
    },
    /// No.
    No,
    /// Options that are not known before the script runs may hold one.
    Unknown,
}

/// A request of the metadata service.
#[derive(Clone, Debug)]
pub struct Request {
    /// The command.
    pub command: Command,
    /// The call of the script's own function that gives it the URL, if there is one.
    pub called_by: Option<NodeId>,
    /// The program.
    pub client: Client,
    /// The word that names the program.
    pub client_word: usize,
    /// Its options and operands.
    pub parsed: Parsed,
    /// The word with the URL.
    pub url_word: usize,
    /// What it asks for.
    pub target: Target,
    /// Whether it is a PUT.
    pub put: bool,
    /// Whether a session token goes along.
    pub token: TokenSent,
    /// The TTL asked for.
    pub ttl: Option<String>,
    /// Whether it has a time limit.
    pub timeout: bool,
    /// Whether it is tried again when it fails.
    pub retry: bool,
    /// Whether it may have options that are not known before the script runs.
    pub open: bool,
}

impl Request {
    /// Whether it asks for a session token.
    #[must_use]
    pub fn is_token_request(&self) -> bool {
        self.target.asked == Asked::Token
    }

    /// The node that a finding stands at.
    #[must_use]
    pub fn place(&self) -> NodeId {
        self.called_by.unwrap_or(self.command.node)
    }
}

/// Programs that run another one, and the options of theirs that matter: `timeout` limits, `retry`
/// repeats.
const WRAPPERS: [&str; 21] = [
    "sudo", "env", "timeout", "command", "exec", "nohup", "time", "retry", "xargs", "nice", "ionice",
    "setsid", "stdbuf", "chroot", "doas", "builtin", "docker", "podman", "kubectl", "gtimeout", "runuser",
];

/// Every request of the script.
#[must_use]
pub fn all(script: &Script<'_>) -> Vec<Request> {
    let mut requests = Vec::new();
    for node in script.command_nodes(script.tree.root()) {
        let command = script.command(node, &[]);
        if let Some(definition) = script.function(command.name()) {
            let through = through_function(script, &command, definition);
            // `retry 5 curl ...`, whose function runs its arguments.
            let own = if through.is_empty() { read(script, command) } else { None };
            requests.extend(through.into_iter().chain(own));
        } else if let Some(request) = read(script, command) {
            requests.push(request);
        }
    }
    requests
}

/// Requests of a function whose URL the caller gives.
fn through_function(script: &Script<'_>, call: &Command, definition: NodeId) -> Vec<Request> {
    let arguments = call.words.get(1..).unwrap_or_default();
    let known = |word: &Word| url::find(&word.text).is_some();
    if !arguments.iter().any(known) {
        return Vec::new();
    }
    let mut requests = Vec::new();
    for node in script.command_nodes(definition) {
        // A URL that is not the caller's is a request in itself.
        if read(script, script.command(node, &[])).is_some() {
            continue;
        }
        let mut command = script.command(node, arguments);
        local_names(script, definition, node, arguments, &mut command);
        if let Some(mut request) = read(script, command) {
            request.called_by = Some(call.node);
            requests.push(request);
        }
    }
    requests
}

/// Puts in what the function calls its arguments by: `local url=$1`.
fn local_names(
    script: &Script<'_>,
    definition: NodeId,
    node: NodeId,
    arguments: &[Word],
    command: &mut Command,
) {
    for word in &mut command.words {
        let [variable] = word.variables.as_slice() else { continue };
        let assigned = script.values(variable).iter().copied().find(|value| {
            script.tree.below(definition).contains(value) && !script.tree.below(node).contains(value)
        });
        let Some(value) = assigned else { continue };
        let position: Option<usize> = script
            .tree
            .text(value)
            .trim_matches('"')
            .trim_start_matches(['$', '{'])
            .trim_end_matches('}')
            .parse()
            .ok();
        let given = position.and_then(|position| arguments.get(position.checked_sub(1)?));
        if let Some(given) = given {
            word.text = word.text.replacen(HOLE, &given.text, 1);
            word.variables.clone_from(&given.variables);
            word.open = false;
        }
    }
}

/// The request that a command makes.
fn read(script: &Script<'_>, command: Command) -> Option<Request> {
    let words = &command.words;
    let client_word = client_word(words)?;
    let client = client(words.get(client_word)?)?;
    let parsed = match client {
        Client::Curl => arguments::curl(words, client_word + 1),
        Client::Wget => arguments::wget(words, client_word + 1),
    };
    let by_option = parsed.named(&["url"]).map(|option| option.words.end - 1);
    let (url_word, target) = parsed
        .operands
        .iter()
        .copied()
        .chain(by_option)
        .find_map(|index| Some((index, url::find(&words.get(index)?.text)?)))?;
    if target.asked == Asked::Other {
        return None;
    }
    let headers: Vec<&Given> = parsed.named(&["H", "header"]).collect();
    let is_foreign = |option: &&Given| option.value.as_deref().is_some_and(url::is_other_cloud_header);
    if headers.iter().any(is_foreign) {
        return None;
    }
    let method = parsed.value(&["X", "request", "method"]).unwrap_or_default();
    let put =
        method.eq_ignore_ascii_case("put") || (client == Client::Curl && parsed.has(&["T", "upload-file"]));
    let before = words.get(..client_word).unwrap_or_default();
    let wrapped = |name: &str| before.iter().any(|word| base_name(&word.text).ends_with(name));
    let timeouts: &[&str] = match client {
        Client::Curl => &["m", "max-time", "connect-timeout", "speed-time", "Y", "y"],
        Client::Wget => &["T", "timeout", "connect-timeout", "read-timeout"],
    };
    let retry = match client {
        Client::Curl => parsed.has(&["retry"]),
        // wget tries 20 times, but not after "connection refused" or a 5xx.
        Client::Wget => parsed.has(&["t", "tries", "retry-connrefused", "retry-on-http-error"]),
    };
    let unknown = words.iter().any(|word| word.open && url::find(&word.text).is_none());
    let open = unknown || parsed.has(&["K", "config"]);
    let token = token(words, &headers, open);
    let ttl =
        headers.iter().filter_map(|option| option.value.as_deref()).find(|value| url::has_ttl_header(value));
    let ttl = ttl.and_then(|header| header.split_once([':', ';'])).map(|(_, value)| value.trim().to_owned());
    let timeout = parsed.has(timeouts) || wrapped("timeout");
    let retry = retry || wrapped("retry") || context::in_loop(script, command.node);
    Some(Request {
        called_by: None,
        client,
        client_word,
        url_word,
        target,
        put,
        token,
        ttl,
        timeout,
        retry,
        open,
        parsed,
        command,
    })
}

fn token(words: &[Word], headers: &[&Given], open: bool) -> TokenSent {
    for header in headers {
        let Some(value) = header.value.as_deref() else { continue };
        if url::has_token_header(value) {
            let taken = words.get(header.words.clone()).unwrap_or_default();
            let variables = taken.iter().flat_map(|word| word.variables.clone()).collect();
            return TokenSent::Yes { variables, in_arguments: true };
        }
        // Headers out of a file, or out of standard input.
        if value.starts_with('@') || value.starts_with(HOLE) {
            return TokenSent::Yes { variables: Vec::new(), in_arguments: false };
        }
    }
    if open { TokenSent::Unknown } else { TokenSent::No }
}

fn client(word: &Word) -> Option<Client> {
    match base_name(&word.text).trim_end_matches(".exe") {
        "curl" => Some(Client::Curl),
        "wget" => Some(Client::Wget),
        _ => None,
    }
}

/// The word that names the client: the first, or one after programs that run others.
fn client_word(words: &[Word]) -> Option<usize> {
    let first = words.first()?;
    if client(first).is_some() {
        return Some(0);
    }
    // The script's own `retry` function, as well as the programs.
    let name = base_name(&first.text);
    let wraps = WRAPPERS.contains(&name) || name.ends_with("retry") || name.ends_with("timeout");
    wraps.then(|| words.iter().position(|word| client(word).is_some())).flatten()
}
