//! A syntax tree as one flat list in preorder: no recursion to build it or to walk it, whatever the
//! input nests.

use std::ops::{ControlFlow, Range};

use tree_sitter::{ParseOptions, ParseState, Parser};

use super::grammar::Grammar;
use crate::text::limits;

/// The number of a node.
pub type NodeId = usize;

#[derive(Debug)]
struct Node {
    kind: &'static str,
    field: Option<&'static str>,
    span: Range<usize>,
    parent: NodeId,
    /// One past its last descendant.
    end: NodeId,
    named: bool,
    broken: bool,
}

/// A parsed text.
#[derive(Debug)]
pub struct Tree<'t> {
    /// The text.
    pub text: &'t str,
    nodes: Vec<Node>,
}

impl<'t> Tree<'t> {
    /// Parses `text`. Broken text gives a tree with broken nodes.
    ///
    /// # Errors
    ///
    /// Returns why the text is beyond the bounds of the parser.
    pub fn parse(grammar: Grammar, text: &'t str) -> Result<Self, String> {
        if text.len() as u64 > limits::FILE_BYTES {
            return Err(format!("longer than {} bytes", limits::FILE_BYTES));
        }
        if nesting(text) > limits::NESTING {
            return Err(format!("nested more than {} deep", limits::NESTING));
        }
        if text.matches("<<").count() > limits::HEREDOCS {
            return Err(format!("more than {} heredocs", limits::HEREDOCS));
        }
        let mut parser = Parser::new();
        let language = grammar.language();
        parser.set_language(language).map_err(|error| error.to_string())?;
        let most = limits::PARSE_REPORTS + text.len() / limits::BYTES_PER_REPORT;
        let mut reports = 0;
        let mut progress = |_: &ParseState| {
            reports += 1;
            if reports > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let bytes = text.as_bytes();
        let mut read = |at: usize, _| bytes.get(at..).unwrap_or_default();
        let tree = parser
            .parse_with_options(&mut read, None, Some(options))
            .ok_or_else(|| format!("too involved to parse as {}", grammar.name()))?;
        Ok(Self { text, nodes: flatten(language, &tree)? })
    }

    /// The root.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        0
    }

    /// Every node below and including `node`, in the order of the text.
    #[must_use]
    pub fn below(&self, node: NodeId) -> Range<NodeId> {
        node..self.nodes.get(node).map_or(node, |found| found.end)
    }

    /// Every node.
    #[must_use]
    pub fn all(&self) -> Range<NodeId> {
        0..self.nodes.len()
    }

    /// Its kind, as the grammar calls it.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> &'static str {
        self.nodes.get(node).map_or("", |node| node.kind)
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self, node: NodeId) -> Range<usize> {
        self.nodes.get(node).map_or(0..0, |node| node.span.clone())
    }

    /// Its text.
    #[must_use]
    pub fn text(&self, node: NodeId) -> &'t str {
        self.text.get(self.span(node)).unwrap_or_default()
    }

    /// Its parent; `None` for the root.
    #[must_use]
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        (node != 0).then(|| self.nodes.get(node).map(|node| node.parent)).flatten()
    }

    /// Its ancestors, nearest first.
    pub fn ancestors(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.parent(node), |node| self.parent(*node))
    }

    /// Its children, anonymous ones included.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let below = self.below(node);
        let first = Some(node + 1).filter(|child| *child < below.end);
        std::iter::successors(first, move |child| {
            let next = self.below(*child).end;
            (next < below.end).then_some(next)
        })
    }

    /// Its named children.
    pub fn named(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.children(node).filter(|child| self.nodes.get(*child).is_some_and(|child| child.named))
    }

    /// The child in a field.
    #[must_use]
    pub fn field(&self, node: NodeId, name: &str) -> Option<NodeId> {
        self.children(node).find(|child| self.nodes.get(*child).and_then(|child| child.field) == Some(name))
    }

    /// The field of its parent that it stands in.
    #[must_use]
    pub fn field_of(&self, node: NodeId) -> Option<&'static str> {
        self.nodes.get(node).and_then(|node| node.field)
    }

    /// The first child of a kind.
    #[must_use]
    pub fn child(&self, node: NodeId, kind: &str) -> Option<NodeId> {
        self.children(node).find(|child| self.kind(*child) == kind)
    }

    /// The nodes of a kind below `node`.
    pub fn of_kind<'a>(&'a self, node: NodeId, kind: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        self.below(node).filter(move |node| self.kind(*node) == kind)
    }

    /// The spans that the grammar could not read.
    pub fn broken(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.nodes.iter().filter(|node| node.broken).map(|node| node.span.clone())
    }

    /// Whether the grammar could not read this node.
    #[must_use]
    pub fn is_broken(&self, node: NodeId) -> bool {
        self.nodes.get(node).is_some_and(|node| node.broken)
    }

    /// The innermost node that holds `offset`.
    #[must_use]
    pub fn at(&self, offset: usize) -> NodeId {
        let mut node = self.root();
        while let Some(child) = self.children(node).find(|child| self.span(*child).contains(&offset)) {
            node = child;
        }
        node
    }
}

fn flatten(language: &'static tree_sitter::Language, tree: &tree_sitter::Tree) -> Result<Vec<Node>, String> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut open: Vec<NodeId> = Vec::new();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if nodes.len() >= limits::NODES || open.len() > limits::NESTING * 4 {
            return Err("nested too deep, or too long".to_owned());
        }
        let id = nodes.len();
        nodes.push(Node {
            kind: language.node_kind_for_id(node.kind_id()).unwrap_or(""),
            field: cursor.field_id().and_then(|id| language.field_name_for_id(id.get())),
            span: node.byte_range(),
            parent: open.last().copied().unwrap_or(0),
            end: id + 1,
            named: node.is_named(),
            broken: node.is_error() || node.is_missing(),
        });
        if cursor.goto_first_child() {
            open.push(id);
            continue;
        }
        while !cursor.goto_next_sibling() {
            let end = nodes.len();
            match open.pop() {
                Some(parent) => {
                    if let Some(parent) = nodes.get_mut(parent) {
                        parent.end = end;
                    }
                    cursor.goto_parent();
                }
                None => return Ok(nodes),
            }
        }
    }
}

/// How deep brackets nest at most, whatever the language; and how many levels of indentation there
/// can be.
fn nesting(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let mut levels: Vec<usize> = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start_matches([' ', '\t', '-']).len();
        while levels.last().is_some_and(|level| *level >= indent) {
            levels.pop();
        }
        levels.push(indent);
        // A dash each opens a sequence of YAML in a line of its own.
        let dashes = line.split(' ').take_while(|word| *word == "-" || word.is_empty()).count();
        deepest = deepest.max(levels.len() + dashes);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_walked_in_the_order_of_the_text() {
        let tree = Tree::parse(Grammar::Bash, "a=$(curl -s x) && echo b").unwrap();
        let kinds: Vec<_> =
            tree.of_kind(tree.root(), "command").map(|node| tree.text(node).to_owned()).collect();
        assert_eq!(kinds, ["curl -s x", "echo b"]);
        let curl = tree.of_kind(0, "command").next().unwrap();
        assert_eq!(tree.named(curl).count(), 3);
        assert!(tree.ancestors(curl).any(|node| tree.kind(node) == "command_substitution"));
        assert_eq!(tree.kind(tree.at(4)), "word");
    }

    #[test]
    fn nesting_beyond_the_bound_is_refused_and_does_not_end_the_process() {
        for text in ["$(".repeat(100_000), "(".repeat(100_000), "{\"a\":".repeat(100_000)] {
            let refused = Tree::parse(Grammar::Bash, &text).map(|_| ()).unwrap_err();
            assert_eq!(refused, "nested more than 400 deep");
        }
        let dashes = "- ".repeat(10_000);
        assert_eq!(Tree::parse(Grammar::Yaml, &dashes).map(|_| ()).unwrap_err(), "nested more than 400 deep");
    }
}
