//! Edits applied to a file.

use crate::rules::finding::Edit;

/// The text with every edit made. Edits that overlap another one are left out, as a whole finding's
/// edits are made or none of them.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut ordered: Vec<&Edit> = edits.iter().collect();
    ordered.sort_by(|a, b| (a.span.start, a.span.end, &a.text).cmp(&(b.span.start, b.span.end, &b.text)));
    ordered.dedup();
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for edit in ordered {
        let Some(before) = text.get(at..edit.span.start) else { continue };
        result.push_str(before);
        result.push_str(&edit.text);
        at = edit.span.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    result
}

/// Chooses groups of edits none of which cuts into another. The same edit may be in several groups.
#[must_use]
pub fn choose(groups: &[&[Edit]]) -> Vec<Edit> {
    let mut chosen: Vec<Edit> = Vec::new();
    for group in groups {
        let fits = group.iter().all(|edit| {
            chosen.iter().all(|other| {
                other == edit || edit.span.end <= other.span.start || other.span.end <= edit.span.start
            })
        });
        if fits {
            for edit in *group {
                if !chosen.contains(edit) {
                    chosen.push(edit.clone());
                }
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(span: std::ops::Range<usize>, text: &str) -> Edit {
        Edit { span, text: text.to_owned() }
    }

    #[test]
    fn edits_are_made_together_and_a_group_that_cuts_into_another_is_left_out() {
        let first = [edit(0..1, "x"), edit(3..3, "y")];
        let second = [edit(0..2, "z")];
        let again = [edit(3..3, "y"), edit(4..5, "")];
        let chosen = choose(&[&first, &second, &again]);
        assert_eq!(apply("abcde", &chosen), "xbcyd");
    }
}
