//! "Did you mean": the known name that is nearest to what was typed.

/// Returns the known name that is nearest to the typed one, if one is near enough to be meant.
///
/// Case and the separators `-`, `_`, `.` and space do not count: `InstanceId` is `instance-id`.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Names are short; a longer text is none of them, and would take long to compare.
    const LONGEST: usize = 64;
    let typed = folded(typed);
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let allowed = (typed.len() / 4).clamp(1, 3);
    known
        .map(|name| (distance(&typed, &folded(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, name)| (*distance, name.len()))
        .map(|(_, name)| name)
}

/// Whether two names differ in case and separators at most.
pub(crate) fn is_same(left: &str, right: &str) -> bool {
    folded(left) == folded(right)
}

fn folded(name: &str) -> Vec<char> {
    name.chars()
        .filter(|character| !matches!(character, '-' | '_' | '.' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Edit distance in which two neighbours that changed places count once (optimal string alignment).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let substituted = last[column] + usize::from(a != b);
            let mut least = substituted.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && left.get(row - 1) == Some(b) && right.get(column - 1) == Some(a);
            if swapped {
                least = least.min(before_last[column - 1] + 1);
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["instance-id", "instance-type", "region", "spot-interruption", "user-data", "mac"];
        for (typed, meant) in [
            ("instanceid", Some("instance-id")),
            ("InstanceId", Some("instance-id")),
            ("instance_type", Some("instance-type")),
            ("regoin", Some("region")),
            ("spot-interuption", Some("spot-interruption")),
            ("userdata", Some("user-data")),
            ("mca", Some("mac")),
            ("x", None),
            ("", None),
            ("something-else", None),
        ] {
            assert_eq!(nearest(typed, known.into_iter()), meant, "{typed}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), known.into_iter()), None);
    }
}
