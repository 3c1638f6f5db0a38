//! Rewrites of requests in PowerShell.

use imds_model::CATALOGUE;
use imds_model::catalogue::Format;

use crate::model::powershell::{Request, Script};
use crate::model::url::{Asked, HOLE};
use crate::rules::finding::Edit;
use crate::text::mapped::Mapped;

use super::Style;

/// `imds get` gives text; `Invoke-RestMethod` makes objects of JSON. A value of one line is the
/// same from both.
#[must_use]
pub fn rewrite(script: &Script<'_>, request: &Request, mapped: &Mapped, style: Style) -> Vec<Edit> {
    let known = ["uri", "headers", "method", "timeoutsec", "usebasicparsing"];
    let plain = request.parameters.iter().all(|name| known.contains(&name.as_str()));
    let name = request.name.to_ascii_lowercase();
    let tree = &script.tree;
    if style != Style::Imds
        || !matches!(name.as_str(), "invoke-restmethod" | "irm")
        || request.put
        || request.sends_token.is_none()
        || !plain
        || request.target.asked != Asked::Value
        || request.target.path.contains([HOLE, '?'])
    {
        return Vec::new();
    }
    let Some(path) = request.target.path.strip_prefix("/latest/meta-data/") else { return Vec::new() };
    let one_line = CATALOGUE.iter().any(|category| {
        category.path().trim_start_matches("meta-data/") == path
            && matches!(category.format(), Format::Text | Format::Integer)
    });
    if !one_line {
        return Vec::new();
    }
    let edit = mapped.edit(tree.span(request.node), &format!("imds get {path}"));
    edit.map(|(span, text)| vec![Edit { span, text }]).unwrap_or_default()
}
