//! The table of callers: live on a terminal, and as the summary of a trace.

use imds_model::printable;

use crate::report::record::Counts;
use crate::report::summary::Summary;

/// Width from which there is room for every count.
const WIDE: usize = 120;
/// Narrowest and widest text.
const WIDTHS: std::ops::RangeInclusive<usize> = 60..=400;
const HEADINGS: [&str; 6] = ["V1", "V2", "TOKEN", "OTHER", "REFUSED", "UNREADABLE"];

/// The table in at most `height` lines of `width` columns.
pub(crate) fn render(summary: &Summary, width: usize, height: usize) -> String {
    let width = width.clamp(*WIDTHS.start(), *WIDTHS.end());
    let rows: Vec<[String; 10]> = summary
        .sorted()
        .into_iter()
        .map(|(key, counts)| {
            let kinds = counts.kinds;
            let sdk = match &key.sdk {
                Some(sdk) => format!("{} {}", sdk.name, sdk.version.as_deref().unwrap_or("")),
                None => "-".to_owned(),
            };
            let user = counts.caller.user.clone().unwrap_or_else(|| key.uid.to_string());
            [
                kinds.v1.to_string(),
                kinds.v2.to_string(),
                kinds.token.to_string(),
                kinds.other.to_string(),
                kinds.refused.to_string(),
                kinds.unreadable.to_string(),
                shown(&key.program),
                shown(&format!("{user} {}", key.place())),
                shown(sdk.trim()),
                shown(&counts.last_path),
            ]
        })
        .collect();
    let columns = if width < WIDE { 4 } else { HEADINGS.len() };
    let numbers: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| row[column].len()).max().unwrap_or(0).max(HEADINGS[column].len()))
        .collect();
    let left = width.saturating_sub(numbers.iter().map(|width| width + 1).sum::<usize>() + 3);
    let texts = shares(left);
    let mut out = String::new();
    let mut line = |cells: [&str; 10]| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&numbers) {
            text.push_str(&format!("{cell:>width$} "));
        }
        let is_heading = cells[0] == HEADINGS[0];
        let fitted = |cell: &str, width: usize| match is_heading {
            true => format!("{:<width$}", cell.chars().take(width).collect::<String>()),
            false => fitted(cell, width),
        };
        let last: Vec<String> =
            cells[6..].iter().zip(texts).map(|(cell, width)| fitted(cell, width)).collect();
        text.push_str(&last.join(" "));
        out.push_str(text.trim_end());
        out.push('\n');
    };
    let [v1, v2, token, other, refused, unreadable] = HEADINGS;
    line([v1, v2, token, other, refused, unreadable, "PROGRAM", "USER AND PLACE", "SDK", "LAST PATH"]);
    let room = height.saturating_sub(2);
    for row in rows.iter().take(room) {
        line(std::array::from_fn(|column| row[column].as_str()));
    }
    if rows.len() > room {
        out.push_str(&format!("and {} more callers\n", rows.len() - room));
    }
    if summary.beyond > 0 {
        out.push_str(&format!("and {} requests of further callers\n", summary.beyond));
    }
    out
}

/// What was seen and what was not, in one line.
pub(crate) fn totals(counts: &Counts) -> String {
    let mut text = format!(
        "{} requests: {} by IMDSv1, {} by IMDSv2, {} for a token, {} for other clouds' paths",
        counts.requests, counts.v1, counts.v2, counts.token, counts.other
    );
    let missing = [
        (counts.unreadable, "unreadable"),
        (counts.unknown_process, "of unknown processes"),
        (counts.command_gone, "without a command line"),
        (counts.lost.total(), "events lost"),
        (counts.connections_evicted, "connections given up"),
    ];
    for (count, what) in missing.iter().filter(|(count, _)| *count > 0) {
        text.push_str(&format!("; {count} {what}"));
    }
    text
}

/// Columns of program, place, SDK and path.
fn shares(left: usize) -> [usize; 4] {
    let share = |percent: usize| (left * percent / 100).max(6);
    let first = [share(28), share(24), share(18)];
    let path = left.saturating_sub(first.iter().sum()).max(6);
    [first[0], first[1], first[2], path]
}

/// The text in exactly this many columns; of one that is longer, the end, which tells more apart.
fn fitted(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return format!("{text:<width$}");
    }
    let end: String = text.chars().skip(length - width + 1).collect();
    format!("…{end}")
}

/// What others wrote, safe to show.
fn shown(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { printable::escape(text).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::{CallerCounts, Kinds};
    use crate::who::caller::Caller;
    use crate::who::user_agent::sdk_of;

    fn summary(callers: usize) -> Summary {
        let mut summary = Summary::default();
        for number in 0..callers {
            let v1 = u64::try_from(callers - number).unwrap();
            summary.merge(CallerCounts {
                kinds: Kinds { v1, v2: 2, ..Kinds::default() },
                last_path: "/latest/meta-data/placement/availability-zone".to_owned(),
                sdk: sdk_of("curl/7.61.1"),
                caller: Caller {
                    name: Some(format!("caller\x1b[31m{number}")),
                    user: Some("root".to_owned()),
                    ..Caller::default()
                },
                ..CallerCounts::default()
            });
        }
        summary
    }

    #[test]
    fn fits_into_the_terminal_and_escapes_what_others_wrote() {
        for width in [60, 80, 200] {
            let text = render(&summary(40), width, 10);
            assert_eq!(text.lines().count(), 10, "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
            assert!(!text.contains('\x1b'), "{text}");
        }
        let text = render(&summary(3), 200, 24);
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0][..6], ["V1", "V2", "TOKEN", "OTHER", "REFUSED", "UNREADABLE"]);
        assert_eq!(lines[1][..7], ["3", "2", "0", "0", "0", "0", "caller\\u{1b}[31m0"]);
        assert!(render(&summary(40), 80, 10).ends_with("and 32 more callers\n"));
    }

    #[test]
    fn any_size_of_terminal() {
        for width in 0..70 {
            for height in 0..4 {
                assert!(!render(&summary(2), width, height).is_empty());
            }
        }
    }

    #[test]
    fn what_was_not_seen_is_said() {
        let counts = Counts { requests: 3, v1: 1, v2: 2, unknown_process: 1, ..Counts::default() };
        assert_eq!(
            totals(&counts),
            "3 requests: 1 by IMDSv1, 2 by IMDSv2, 0 for a token, 0 for other clouds' paths; \
             1 of unknown processes"
        );
    }
}
