//! Terraform and Packer.

use crate::extract::hcl;
use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::syntax::tree::{NodeId, Tree};
use crate::text::mapped::Mapped;

/// Resources that take metadata options.
const RESOURCES: [&str; 4] =
    ["aws_instance", "aws_launch_template", "aws_launch_configuration", "aws_spot_instance_request"];

/// Findings of a file.
#[must_use]
pub fn judge(tree: &Tree<'_>, outer: &Mapped) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |rule, node: NodeId, message: &str| {
        found.push(Finding::new(rule, outer.origin(tree.span(node)), message));
    };
    for node in tree.all() {
        match tree.kind(node) {
            "attribute" | "object_elem" => setting(tree, node, &mut add),
            "block" => launch(tree, node, &mut add),
            _ => {}
        }
    }
    found
}

type Add<'a> = &'a mut dyn FnMut(RuleId, NodeId, &str);

fn name<'t>(tree: &Tree<'t>, node: NodeId) -> &'t str {
    let key = tree.field(node, "key").or_else(|| tree.child(node, "identifier"));
    key.map_or("", |key| tree.text(key).trim_matches('"'))
}

/// `http_tokens = "optional"`, wherever it stands.
fn setting(tree: &Tree<'_>, node: NodeId, add: Add<'_>) {
    let Some(value) = hcl::expression(tree, node) else { return };
    if name(tree, node) == "http_tokens" && hcl::literal(tree, value) == Some("optional") {
        add(RuleId::HttpTokens, node, super::OPTIONAL);
    }
    // Hop limit 1 in what runs containers: the block around it says so.
    if name(tree, node) == "http_put_response_hop_limit" && hcl::literal(tree, value) == Some("1") {
        let around = tree.ancestors(node).filter(|node| tree.kind(*node) == "block").last();
        let says = |block: NodeId| {
            let head = hcl::head(tree, block).join(" ");
            let named = head.split([' ', '_', '-', '.']).any(|word| {
                matches!(
                    word.to_ascii_lowercase().as_str(),
                    "eks" | "ecs" | "docker" | "kubernetes" | "k8s" | "k3s"
                )
            });
            named || super::runs_containers(tree.text(block)) || sourced_from_containers(tree, block)
        };
        if around.is_some_and(says) {
            add(RuleId::HopLimit, node, super::HOPS);
        }
    }
}

fn sourced_from_containers(tree: &Tree<'_>, block: NodeId) -> bool {
    let source = hcl::body(tree, block).and_then(|body| hcl::attribute(tree, body, "source"));
    source.is_some_and(|source| {
        let text = tree.text(source);
        text.contains("/eks") || text.contains("/ecs")
    })
}

/// Resources and builders that say nothing of session tokens.
fn launch(tree: &Tree<'_>, block: NodeId, add: Add<'_>) {
    let head = hcl::head(tree, block);
    let Some(body) = hcl::body(tree, block) else { return };
    let identifier = tree.child(block, "string_lit").unwrap_or(block);
    match head.as_slice() {
        ["resource", kind, _] if RESOURCES.contains(kind) => {
            let from_template = hcl::block(tree, body, "launch_template").is_some();
            match hcl::block(tree, body, "metadata_options") {
                Some(options) => {
                    let tokens = hcl::body(tree, options)
                        .and_then(|options| hcl::attribute(tree, options, "http_tokens"));
                    if tokens.is_none() {
                        let message = "the `metadata_options` do not say `http_tokens = \"required\"`";
                        add(RuleId::HttpTokens, identifier, message);
                    }
                }
                None if dynamic(tree, body) || from_template => {}
                None => {
                    let message = "no `metadata_options` with `http_tokens = \"required\"`";
                    add(RuleId::HttpTokens, identifier, message);
                }
            }
        }
        ["source", kind, _] if kind.starts_with("amazon-ebs") => {
            let options =
                hcl::block(tree, body, "metadata_options").and_then(|options| hcl::body(tree, options));
            let says = options.is_some_and(|options| hcl::attribute(tree, options, "http_tokens").is_some());
            if !says {
                let message = "the build instance allows IMDSv1: no `http_tokens` in its `metadata_options`";
                add(RuleId::HttpTokens, identifier, message);
            }
        }
        _ => {}
    }
}

/// A `dynamic "metadata_options"` block, whose content is not worked out.
fn dynamic(tree: &Tree<'_>, body: NodeId) -> bool {
    tree.named(body).any(|child| {
        tree.kind(child) == "block"
            && matches!(hcl::head(tree, child).as_slice(), ["dynamic", "metadata_options"])
    })
}
