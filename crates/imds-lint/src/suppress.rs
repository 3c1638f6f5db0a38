//! Suppression comments: `imds-lint: allow RULE[, RULE] -- REASON`, for their own line and the
//! next.

use std::collections::BTreeMap;

use crate::rules::catalogue::RuleId;
use crate::rules::finding::Finding;
use crate::text::lines::Lines;

const MARK: &str = "imds-lint: allow";

/// The suppressions of a file.
#[derive(Debug, Default)]
pub struct Suppressions {
    /// By line: rule and reason.
    lines: BTreeMap<usize, Vec<(RuleId, String)>>,
    whole_file: Vec<(RuleId, String)>,
    /// Those that suppress nothing.
    pub malformed: Vec<Finding>,
}

impl Suppressions {
    /// Reads the comments of `text`.
    #[must_use]
    pub fn of(text: &str, lines: &Lines) -> Self {
        let mut found = Self::default();
        for (at, _) in text.match_indices(MARK) {
            let line = lines.line(at);
            let end = lines.span(text, line).end;
            let Some(mut rest) = text.get(at + MARK.len()..end) else { continue };
            let whole_file = rest.strip_prefix("-file");
            rest = whole_file.unwrap_or(rest);
            let (ids, reason) = rest.split_once("--").unwrap_or((rest, ""));
            let reason = reason.trim().trim_end_matches("*/").trim_end_matches("-->").trim();
            let names: Vec<&str> = ids.split([',', ' ']).map(str::trim).filter(|id| !id.is_empty()).collect();
            let rules: Option<Vec<RuleId>> = names.iter().map(|id| RuleId::named(id)).collect();
            match rules {
                Some(rules) if !rules.is_empty() && !reason.is_empty() => {
                    let entries = rules.into_iter().map(|rule| (rule, reason.to_owned()));
                    if whole_file.is_some() {
                        found.whole_file.extend(entries);
                    } else {
                        found.lines.entry(line).or_default().extend(entries);
                    }
                }
                rules => {
                    let message = if rules.is_none_or(|rules| rules.is_empty()) {
                        "names no rule of `imds-lint rules`"
                    } else {
                        "gives no reason: write `-- REASON` after the rule"
                    };
                    found.malformed.push(Finding::new(RuleId::Suppression, at..end.max(at), message));
                }
            }
        }
        found
    }

    /// The reason why a finding of `rule` that begins on `line` is suppressed. A comment holds for
    /// the lines of the same statement and for the one after it.
    #[must_use]
    pub fn reason(&self, rule: RuleId, first: usize, last: usize) -> Option<&str> {
        let entries = self.lines.range(first.saturating_sub(1)..=last).flat_map(|(_, entries)| entries);
        let mut entries = entries.chain(&self.whole_file);
        entries.find(|(suppressed, _)| *suppressed == rule).map(|(_, reason)| reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_needs_a_rule_and_a_reason() {
        let text = "# imds-lint: allow no-timeout, no-fail-flag -- local test\ncurl x\n\
                    curl y # imds-lint: allow no-timeout\n# imds-lint: allow nonsense -- why\n\
                    // imds-lint: allow-file az-cut -- no Local Zones here */\n";
        let found = Suppressions::of(text, &Lines::of(text));
        assert_eq!(found.reason(RuleId::NoTimeout, 2, 2), Some("local test"));
        assert_eq!(found.reason(RuleId::NoFailFlag, 2, 2), Some("local test"));
        assert_eq!(found.reason(RuleId::NoTimeout, 3, 3), None);
        assert_eq!(found.reason(RuleId::AzCut, 77, 77), Some("no Local Zones here"));
        let messages: Vec<_> = found.malformed.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            ["gives no reason: write `-- REASON` after the rule", "names no rule of `imds-lint rules`"]
        );
    }
}
