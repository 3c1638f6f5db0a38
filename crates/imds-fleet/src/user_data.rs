//! Has `imds-lint` read user data. The text itself, which may hold secrets, goes nowhere: neither
//! into an output nor into `Debug`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_lint::check::{self, Settings};
use imds_lint::extract::{kind, needles};
use imds_lint::rules::catalogue::Severity;
use imds_lint::text::lines::Lines;

use crate::inventory::lint::{UserData, UserDataFinding};

/// User data as an API gives it: base64.
#[derive(Clone, Default)]
pub struct Encoded(pub String);

impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What `imds-lint` has to say about it.
#[must_use]
pub fn lint(data: &Encoded) -> UserData {
    let not_checked = |reason: &str| UserData { findings: Vec::new(), not_checked: vec![reason.to_owned()] };
    // Some clients wrap it, as `base64` does.
    let text: String = data.0.split_ascii_whitespace().collect();
    let Ok(bytes) = STANDARD.decode(&text) else { return not_checked("it is not base64") };
    let Some(kind) = kind::by_content(&bytes) else {
        // What it is is not known, and it may be anything: a configuration of Bottlerocket, say.
        if needles::any(&bytes, true) {
            return not_checked("it speaks of the metadata service and is of no kind that imds-lint reads");
        }
        return UserData::default();
    };
    let checked = check::check_as(kind, &bytes, Settings::default());
    let lines = Lines::of(&checked.text);
    let findings = checked
        .findings
        .iter()
        .map(|it| UserDataFinding {
            rule: it.rule().id.to_owned(),
            v1: it.rule().severity == Severity::Error,
            // Where the text is packed, the line is one of the text within.
            line: it.inner_line.unwrap_or_else(|| lines.position(&checked.text, it.span.start).line),
            within: it.within.clone(),
            message: it.message.clone(),
            fix: it.rule().fix.to_owned(),
        })
        .collect();
    let not_checked = checked.unread.iter().map(|it| it.reason.clone()).collect();
    UserData { findings, not_checked }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> UserData {
        lint(&Encoded(STANDARD.encode(text)))
    }

    #[test]
    fn a_script_that_uses_v1_is_found_with_its_line_and_nothing_of_its_text() {
        let secret = "hunter2-hunter2";
        let script = format!(
            "#!/bin/sh\nexport PASSWORD={secret}\ncurl http://169.254.169.254/latest/meta-data/instance-id\n"
        );
        let data = of(&script);
        let (line, v1) = (data.findings[0].line, data.findings[0].v1);
        assert_eq!((line, v1), (3, true), "{data:?}");
        assert!(!format!("{data:?}").contains(secret));
        assert_eq!(format!("{:?}", Encoded(script)), "[redacted]");
    }

    #[test]
    fn what_cannot_be_read_is_not_clean() {
        assert_eq!(lint(&Encoded("%%%".to_owned())).not_checked, ["it is not base64"]);
        let unknown = of("settings = \"http://169.254.169.254/latest/meta-data/\"\n");
        assert_eq!(unknown.not_checked.len(), 1, "{unknown:?}");
        assert_eq!(of("[settings.host]\nname = \"x\"\n"), UserData::default());
        assert_eq!(of("#!/bin/sh\nimds get instance-id\n"), UserData::default());
    }
}
