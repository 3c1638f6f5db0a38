//! A script: its commands, functions, and what its variables may be.

use std::collections::BTreeMap;

use crate::syntax::tree::{NodeId, Tree};

/// A script.
#[derive(Debug)]
pub struct Script<'t> {
    /// Its syntax.
    pub tree: Tree<'t>,
    values: BTreeMap<&'t str, Vec<NodeId>>,
    functions: BTreeMap<&'t str, NodeId>,
}

impl<'t> Script<'t> {
    /// Reads what is assigned and defined.
    #[must_use]
    pub fn new(tree: Tree<'t>) -> Self {
        let mut values: BTreeMap<&'t str, Vec<NodeId>> = BTreeMap::new();
        let mut functions = BTreeMap::new();
        for node in tree.all() {
            match tree.kind(node) {
                "variable_assignment" => {
                    let name = tree.field(node, "name").map(|name| tree.text(name));
                    let name = name.map(|name| name.split('[').next().unwrap_or(name));
                    if let (Some(name), Some(value)) = (name, tree.field(node, "value")) {
                        values.entry(name).or_default().push(value);
                    }
                }
                "for_statement" => {
                    let name = tree.field(node, "variable").map(|name| tree.text(name));
                    let items = tree.children(node).filter(|child| tree.field_of(*child) == Some("value"));
                    if let Some(name) = name {
                        values.entry(name).or_default().extend(items);
                    }
                }
                "function_definition" => {
                    if let Some(name) = tree.field(node, "name") {
                        functions.insert(tree.text(name), node);
                    }
                }
                _ => {}
            }
        }
        Self { tree, values, functions }
    }

    /// The nodes that a variable is assigned from.
    #[must_use]
    pub fn values(&self, name: &str) -> &[NodeId] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Variables and the nodes that they are assigned from.
    pub fn assignments(&self) -> impl Iterator<Item = (&'t str, &[NodeId])> + '_ {
        self.values.iter().map(|(name, nodes)| (*name, nodes.as_slice()))
    }

    /// The definition of a function.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<NodeId> {
        self.functions.get(name).copied()
    }

    /// The name of the function that `node` stands in.
    #[must_use]
    pub fn function_around(&self, node: NodeId) -> Option<&'t str> {
        let definition =
            self.tree.ancestors(node).find(|node| self.tree.kind(*node) == "function_definition")?;
        self.tree.field(definition, "name").map(|name| self.tree.text(name))
    }

    /// Every command below a node.
    pub fn command_nodes(&self, below: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.tree.of_kind(below, "command")
    }
}
