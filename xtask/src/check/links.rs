//! Links between the project's pages: the file exists, and so does the heading.

use std::collections::BTreeSet;

use super::Finding;
use super::source::Source;

pub(crate) fn check(sources: &[Source], exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md") && !source.is_generated()) {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in targets(&source.text) {
            let (path, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let Some(path) = resolve(folder, path, &source.path) else {
                findings.push(Finding::new(source.at(line), format!("`{target}` leaves the project")));
                continue;
            };
            let page = sources.iter().find(|source| source.path == path);
            let known = match page {
                Some(page) => heading.is_empty() || headings(&page.text).contains(heading),
                None => heading.is_empty() && exists(&path),
            };
            if !known {
                findings.push(Finding::new(source.at(line), format!("`{target}` leads nowhere")));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` outside code, but for addresses of other sites.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // What stands in backticks is no link.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        for rest in prose.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            if !target.contains("://") && !target.starts_with("mailto:") {
                targets.push((index + 1, target.to_owned()));
            }
        }
    }
    targets
}

/// A path from the root of the project; `page` itself for a link that is a heading only.
fn resolve(folder: &str, path: &str, page: &str) -> Option<String> {
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Headings as GitHub makes anchors of them.
fn headings(text: &str) -> BTreeSet<String> {
    let titles =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    titles
        .map(|title| {
            let kept = title.to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_nowhere_is_found() {
        let page = "[a](docs/b.md) [b](docs/b.md#a-heading) [c](docs/b.md#none) [d](docs/none.md)\n\
                    [e](https://example.com/x) `[f](none.md)` [g](../above.md) [h](docs) [i](#here)\n# Here\n";
        let sources = [
            Source::new("README.md", page.to_owned()),
            Source::new("docs/b.md", "# A heading\n[r](../README.md#here)\n".to_owned()),
        ];
        let found: Vec<String> =
            check(&sources, &|path| path == "docs").iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "README.md:1: `docs/b.md#none` leads nowhere",
                "README.md:1: `docs/none.md` leads nowhere",
                "README.md:2: `../above.md` leaves the project",
            ]
        );
    }
}
