//! `docs/claims.toml`: every claim of the README and every promise of SECURITY.md has a test, a
//! bench or a stage of the gate that shows it.

use toml::{Table, Value};

use super::Finding;
use super::source::Source;

const CLAIMS: &str = "docs/claims.toml";
const README: &str = "README.md";
const SECURITY: &str = "SECURITY.md";

pub(crate) fn check(sources: &[Source]) -> Vec<Finding> {
    let find = |path: &str| sources.iter().find(|source| source.path == path);
    let (Some(list), Some(readme), Some(security)) = (find(CLAIMS), find(README), find(SECURITY)) else {
        return vec![Finding::new(CLAIMS, "is missing, or README.md or SECURITY.md is")];
    };
    let table: Table = match list.text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::new(CLAIMS, format!("{error}"))],
    };
    let claims = table.get("claim").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if claims.is_empty() {
        return vec![Finding::new(CLAIMS, "lists no claim")];
    }
    let pages = [(README, words(&readme.text)), (SECURITY, words(&security.text))];
    let mut promises = promises(&security.text);
    let mut findings = Vec::new();
    for claim in claims {
        let text = claim.get("says").and_then(Value::as_str).unwrap_or_default();
        let page = claim.get("in").and_then(Value::as_str).unwrap_or(README);
        let said = pages.iter().any(|(path, prose)| *path == page && prose.contains(&words(text)));
        if text.is_empty() || !said {
            findings.push(Finding::new(CLAIMS, format!("{page} does not say `{text}`")));
        }
        promises.retain(|promise| page != SECURITY || !promise.contains(&words(text)));
        let shown = claim.get("shown-by").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if shown.is_empty() {
            findings.push(Finding::new(CLAIMS, format!("nothing shows `{text}`")));
        }
        for proof in shown.iter().filter_map(Value::as_str) {
            if !exists(proof, sources) {
                findings.push(Finding::new(CLAIMS, format!("`{proof}` is gone, which shows `{text}`")));
            }
        }
    }
    findings.extend(promises.iter().map(|promise| {
        Finding::new(SECURITY, format!("no claim of docs/claims.toml shows the promise `{promise}`"))
    }));
    findings
}

/// The list items below the heading "Promises".
fn promises(text: &str) -> Vec<String> {
    let section = text.split("\n## ").find(|section| section.starts_with("Promises\n")).unwrap_or_default();
    let paragraphs = section.split("\n\n").filter(|paragraph| paragraph.starts_with("* "));
    paragraphs
        .flat_map(|items| items.split("\n* "))
        .map(|item| words(item.trim_start_matches("* ")))
        .collect()
}

/// A file, or `file::test` for a function in it.
fn exists(proof: &str, sources: &[Source]) -> bool {
    let (path, function) = proof.split_once("::").unwrap_or((proof, ""));
    let Some(source) = sources.iter().find(|source| source.path == path) else { return false };
    function.is_empty()
        || source.text.contains(&format!("fn {function}("))
        || source.text.contains(&format!("def {function}("))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_needs_its_words_and_its_proof() {
        let claims = "[[claim]]\nsays = \"It is fast.\"\nshown-by = [\"a.rs::it_is_fast\", \"b.rs\"]\n\
                      [[claim]]\nsays = \"It is blue.\"\nshown-by = [\"a.rs::it_is_blue\"]\n\
                      [[claim]]\nsays = \"It is\"\n\
                      [[claim]]\nin = \"SECURITY.md\"\nsays = \"It is.\"\nshown-by = [\"b.rs\"]\n";
        let sources = [
            Source::new(CLAIMS, claims.to_owned()),
            Source::new(README, "It\nis fast.\n".to_owned()),
            Source::new(
                SECURITY,
                "# S\n\n* No promise.\n\n## Promises\n\n* It\n  is.\n* It holds.\n\n## End\n".to_owned(),
            ),
            Source::new("a.rs", "fn it_is_fast() {}\n".to_owned()),
            Source::new("b.rs", String::new()),
        ];
        let found: Vec<String> = check(&sources).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/claims.toml: README.md does not say `It is blue.`",
                "docs/claims.toml: `a.rs::it_is_blue` is gone, which shows `It is blue.`",
                "docs/claims.toml: nothing shows `It is`",
                "SECURITY.md: no claim of docs/claims.toml shows the promise `It holds.`",
            ]
        );
    }
}
