//! Rewrites of requests in shell scripts.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::shell::request::{Request, TokenSent};
use crate::model::shell::script::Script;
use crate::model::url::{self, HOLE};
use crate::rules::finding::Edit;
use crate::rules::shell::Judged;
use crate::syntax::tree::NodeId;

use super::plain::{self, Change};
use super::{Style, curl, removal};

/// For each request, the edits that fix it: its own, and those of the requests that share its
/// token.
#[must_use]
pub fn edits(judged: &Judged<'_, '_>, style: Style, allowed: impl Fn(&Request) -> bool) -> Vec<Vec<Edit>> {
    let changes: Vec<Option<Vec<Change>>> = judged
        .requests
        .iter()
        .map(|request| {
            if !allowed(request) || !judged.mapped.is_editable() || request.called_by.is_some() {
                return None;
            }
            match style {
                Style::Imds => imds(judged.script, request),
                Style::Curl => curl::changes(judged.script, request),
            }
        })
        .collect();
    let mut groups: Vec<Vec<Change>> =
        changes.iter().map(|change| change.clone().unwrap_or_default()).collect();
    if style == Style::Imds {
        join_by_token(judged, &changes, &mut groups);
    }
    groups.into_iter().map(|changes| place(judged, &changes)).collect()
}

/// Makes one group of the requests that send a token and, if no other is left, of the removal of
/// its request.
fn join_by_token(judged: &Judged<'_, '_>, changes: &[Option<Vec<Change>>], groups: &mut [Vec<Change>]) {
    let mut senders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, request) in judged.requests.iter().enumerate() {
        if let TokenSent::Yes { variables, .. } = &request.token {
            for variable in variables {
                senders.entry(variable).or_default().push(number);
            }
        }
    }
    for (variable, fetches) in &judged.tokens.variables {
        let senders = senders.get(variable.as_str()).map_or(&[][..], Vec::as_slice);
        let rewritten: Vec<usize> = senders
            .iter()
            .copied()
            .filter(|number| changes.get(*number).is_some_and(Option::is_some))
            .collect();
        if rewritten.len() != senders.len() || senders.is_empty() {
            continue;
        }
        let spans: Vec<Range<usize>> = rewritten
            .iter()
            .filter_map(|number| judged.requests.get(*number))
            .map(|request| judged.script.tree.span(request.command.node))
            .collect();
        let Some(removed) = removal::of_token(judged, variable, fetches, &spans) else { continue };
        let mut all = removed;
        for number in &rewritten {
            all.extend(changes.get(*number).cloned().flatten().unwrap_or_default());
        }
        for number in rewritten.iter().chain(fetches) {
            if let Some(group) = groups.get_mut(*number) {
                group.clone_from(&all);
            }
        }
    }
}

fn place(judged: &Judged<'_, '_>, changes: &[Change]) -> Vec<Edit> {
    let placed: Option<Vec<Edit>> = changes
        .iter()
        .map(|(span, text)| judged.mapped.edit(span.clone(), text).map(|(span, text)| Edit { span, text }))
        .collect();
    placed.unwrap_or_default()
}

fn imds(script: &Script<'_>, request: &Request) -> Option<Vec<Change>> {
    if !plain::only_reads(script, request) {
        return None;
    }
    let tree = &script.tree;
    let word = request.command.words.get(request.url_word)?;
    // A path with a part that is not known may name a directory, or another version: it is kept
    // whole.
    let short = !request.target.path.contains(HOLE);
    let path = replaced_prefix(script, word.node, &request.target.path, short)?;
    let name = tree.field(request.command.node, "name")?;
    let url = tree.span(word.node);
    let end = plain::last_word_end(script, request.command.node)?;
    let mut changes = vec![(tree.span(name).start..url.start, "imds get ".to_owned())];
    changes.push(path);
    if end > url.end {
        changes.push((url.end..end, String::new()));
    }
    Some(changes)
}

/// The change of a word that leaves the path of its URL, written as it was.
fn replaced_prefix(script: &Script<'_>, node: NodeId, path: &str, short: bool) -> Option<Change> {
    let tree = &script.tree;
    let span = tree.span(node);
    let written = tree.text(node);
    let quote = usize::from(written.starts_with(['"', '\'']));
    let inside = written.get(quote..)?;
    let (length, known) = if let Some(rest) = inside.strip_prefix('$') {
        // A variable that holds the beginning of the URL, and nothing unknown.
        let braced = rest.starts_with('{');
        let name: String =
            rest.trim_start_matches('{').chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let length = 1 + name.len() + if braced { 2 } else { 0 };
        if braced && !inside.get(..length)?.ends_with('}') {
            return None;
        }
        let [value] = script.values(&name) else { return None };
        let value = tree.text(*value).trim_matches(['"', '\'']);
        if value.contains(['$', '`', '\\', ' ']) {
            return None;
        }
        let target = url::find(value)?;
        (length, target.path)
    } else {
        let target = url::find(inside)?;
        (target.path_start, String::new())
    };
    let rest = inside.get(length..)?;
    let whole = format!("{known}{rest}");
    let meta_data = "/latest/meta-data/";
    if short && whole.starts_with(meta_data) && path.len() > meta_data.len() && known.len() <= meta_data.len()
    {
        // Only as long as nothing is lost of what stands in the word.
        let cut = meta_data.len() - known.len();
        return Some((span.start + quote..span.start + quote + length + cut, String::new()));
    }
    if !whole.starts_with('/') {
        return None;
    }
    Some((span.start + quote..span.start + quote + length, known))
}
