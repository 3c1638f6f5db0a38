//! What becomes of a command's output, and how often it runs.

use crate::syntax::tree::NodeId;

use super::script::Script;
use super::words;

/// Where the standard output of a command goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Into a variable or a word: the nearest command substitution.
    Substituted(NodeId),
    /// Into the next commands of a pipeline.
    Piped(Vec<NodeId>),
    /// Into a file.
    File(String),
    /// To the caller of a function.
    Returned,
    /// To the terminal or the log.
    Shown,
}

/// Where the output of `command` goes first.
#[must_use]
pub fn output(script: &Script<'_>, command: NodeId) -> Output {
    let tree = &script.tree;
    let mut node = command;
    for ancestor in tree.ancestors(command) {
        match tree.kind(ancestor) {
            "redirected_statement" => {
                if let Some(path) = redirect(script, ancestor) {
                    return path;
                }
                // `cmd <<EOF | next`: the rest of the pipeline hangs off the heredoc.
                let inside = tree.children(ancestor).filter(|child| tree.kind(*child) == "heredoc_redirect");
                let later: Vec<NodeId> = inside
                    .flat_map(|heredoc| tree.named(heredoc))
                    .filter(|child| tree.kind(*child) == "pipeline")
                    .flat_map(|pipeline| script.command_nodes(pipeline))
                    .collect();
                if !later.is_empty() {
                    return Output::Piped(later);
                }
            }
            "pipeline" => {
                let later: Vec<NodeId> = tree
                    .named(ancestor)
                    .skip_while(|child| *child != node)
                    .skip(1)
                    .flat_map(|stage| script.command_nodes(stage).take(1))
                    .collect();
                if !later.is_empty() {
                    return Output::Piped(later);
                }
            }
            "command_substitution" | "process_substitution" => return Output::Substituted(ancestor),
            "function_definition" => return Output::Returned,
            _ => {}
        }
        node = ancestor;
    }
    Output::Shown
}

fn redirect(script: &Script<'_>, statement: NodeId) -> Option<Output> {
    let tree = &script.tree;
    for redirect in tree.children(statement).filter(|child| tree.kind(*child) == "file_redirect") {
        let text = tree.text(redirect);
        let descriptor = tree.child(redirect, "file_descriptor").map(|node| tree.text(node));
        if text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('<')
            || descriptor.is_some_and(|number| number != "1")
        {
            continue;
        }
        let destination = tree.field(redirect, "destination")?;
        let path = words::expand(script, destination, &[]).into_iter().next().map(|word| word.text)?;
        if text.contains(">&") && (path == "2" || path == "1") {
            return Some(Output::Shown);
        }
        return Some(
            if matches!(path.as_str(), "/dev/stderr" | "/dev/stdout" | "/dev/console" | "/dev/tty") {
                Output::Shown
            } else {
                Output::File(path)
            },
        );
    }
    None
}

/// Whether the command's error output is thrown away.
#[must_use]
pub fn errors_hidden(script: &Script<'_>, command: NodeId) -> bool {
    let tree = &script.tree;
    tree.ancestors(command)
        .take_while(|node| !matches!(tree.kind(*node), "command_substitution" | "function_definition"))
        .filter(|node| tree.kind(*node) == "redirected_statement")
        .flat_map(|node| tree.children(node))
        .any(|child| {
            let text = tree.text(child);
            tree.kind(child) == "file_redirect"
                && (text.starts_with("2>") || text.starts_with("&>"))
                && text.ends_with("/dev/null")
        })
}

/// Whether the command runs in a loop.
#[must_use]
pub fn in_loop(script: &Script<'_>, command: NodeId) -> bool {
    let tree = &script.tree;
    tree.ancestors(command).any(|node| {
        matches!(tree.kind(node), "while_statement" | "for_statement" | "c_style_for_statement")
            // The list that a `for` runs over is read once.
            && !(tree.kind(node) == "for_statement"
                && tree.children(node).any(|child| {
                    tree.field_of(child) == Some("value") && tree.below(child).contains(&command)
                }))
    })
}

/// The variable that a command substitution is assigned to, if it is the whole value.
#[must_use]
pub fn assigned_to<'t>(script: &Script<'t>, substitution: NodeId) -> Option<&'t str> {
    let tree = &script.tree;
    let mut value = substitution;
    if tree.parent(value).is_some_and(|parent| tree.kind(parent) == "string") {
        value = tree.parent(value)?;
        let whole = tree.text(value).trim_matches('"') == tree.text(substitution);
        if !whole {
            return None;
        }
    }
    let assignment = tree.parent(value)?;
    (tree.kind(assignment) == "variable_assignment")
        .then(|| tree.field(assignment, "name").map(|name| tree.text(name)))
        .flatten()
}
