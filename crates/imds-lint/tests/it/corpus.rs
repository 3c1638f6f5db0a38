//! The corpus: snippets in our own words, each with the findings that it must give and no others.
//!
//! Every snippet begins with `=== NAME | RULE@LINE ...`. Precision and recall are measured for each
//! rule.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use imds_lint::check::{self, Settings};
use imds_lint::rules::catalogue::RULES;
use imds_lint::text::lines::Lines;

const FILES: [&str; 7] = [
    include_str!("../corpus/shell-v1.corpus"),
    include_str!("../corpus/shell-v2.corpus"),
    include_str!("../corpus/shell-other.corpus"),
    include_str!("../corpus/documents.corpus"),
    include_str!("../corpus/code.corpus"),
    include_str!("../corpus/powershell.corpus"),
    include_str!("../corpus/user-data.corpus"),
];

pub(crate) struct Snippet {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Rule and line, sorted.
    expected: Vec<(String, usize)>,
}

pub(crate) fn snippets() -> Vec<Snippet> {
    let mut found: Vec<Snippet> = Vec::new();
    for line in FILES.iter().flat_map(|file| file.split_inclusive('\n')) {
        if let Some(head) = line.strip_prefix("=== ") {
            let (name, labels) = head.trim_end().split_once(" |").expect("a name and labels");
            let label = |label: &str| {
                let (rule, line) = label.split_once('@').expect("RULE@LINE");
                assert!(RULES.iter().any(|known| known.id == rule), "no rule `{rule}` in {name}");
                (rule.to_owned(), line.parse().expect("a line number"))
            };
            let mut expected: Vec<_> = labels.split_whitespace().map(label).collect();
            expected.sort();
            found.push(Snippet { name: name.to_owned(), text: String::new(), expected });
        } else {
            found.last_mut().expect("a head first").text.push_str(line);
        }
    }
    found
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    missed: usize,
}

#[test]
fn precision_is_at_least_98_and_recall_at_least_95_percent_for_every_rule() {
    let snippets = snippets();
    assert!(snippets.len() >= 150, "{} snippets", snippets.len());
    let mut scores: BTreeMap<&str, Score> = RULES.iter().map(|rule| (rule.id, Score::default())).collect();
    let mut report = String::new();
    for snippet in &snippets {
        let checked = check::check(&snippet.name, snippet.text.as_bytes(), Settings::default());
        assert!(checked.unread.is_empty(), "{}: {:?}", snippet.name, checked.unread);
        let lines = Lines::of(&checked.text);
        let mut expected = snippet.expected.clone();
        for finding in &checked.findings {
            let found = (finding.rule().id.to_owned(), lines.line(finding.span.start));
            let score = scores.get_mut(finding.rule().id).unwrap();
            match expected.iter().position(|label| *label == found) {
                Some(index) => {
                    expected.remove(index);
                    score.right += 1;
                }
                None => {
                    score.wrong += 1;
                    writeln!(report, "{}: unexpected {}@{}", snippet.name, found.0, found.1).unwrap();
                }
            }
        }
        for (rule, line) in expected {
            scores.get_mut(rule.as_str()).unwrap().missed += 1;
            writeln!(report, "{}: missed {rule}@{line}", snippet.name).unwrap();
        }
    }
    println!("{} snippets\n{report}", snippets.len());
    println!(
        "{:<24} {:>5} {:>5} {:>6} {:>9} {:>6}",
        "rule", "right", "wrong", "missed", "precision", "recall"
    );
    let mut failed = Vec::new();
    for (rule, score) in &scores {
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let precision = share(score.right, score.right + score.wrong);
        let recall = share(score.right, score.right + score.missed);
        println!(
            "{rule:<24} {:>5} {:>5} {:>6} {precision:>9.3} {recall:>6.3}",
            score.right, score.wrong, score.missed
        );
        // A rule without a labelled example is not measured.
        if precision < 0.98 || recall < 0.95 || score.right == 0 {
            failed.push(*rule);
        }
    }
    assert!(failed.is_empty(), "below the mark: {failed:?}\n{report}");
}
