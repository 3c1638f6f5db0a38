//! Assertions about the recorded requests: `v1 == 0 and tokens-issued <= 1`.

use super::service::Service;
use crate::state::record::Counters;

/// A statement about what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    subject: Subject,
    comparison: &'static str,
    number: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    Counter(&'static str),
    Status(u16),
    Path(String),
}

const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];
/// Every counter, with what it counts.
pub(crate) const COUNTERS: [(&str, &str); 9] = [
    ("connections", "connections that were accepted"),
    ("requests", "requests that were answered"),
    ("token-puts", "PUTs of the token path, refused ones included"),
    ("tokens-issued", "session tokens that were issued"),
    ("gets", "GETs"),
    ("v1", "data requests without a session token"),
    ("v2", "data requests with one"),
    ("forwarded-for", "requests with `X-Forwarded-For`"),
    ("faults", "requests that met a fault"),
];

impl Assertion {
    /// Reads terms joined by `and`: a counter, `status:404` or `path:/latest/user-data` (a
    /// beginning of paths), one of `== != <= >= < >`, and a number.
    ///
    /// # Errors
    /// Returns an error that says what is accepted.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(" and ")
            .map(|term| Term::parse(term.trim()))
            .collect::<Result<_, _>>()
            .map(|terms| Self { terms })
    }

    /// The terms that do not hold, each with what was recorded; empty where all hold.
    #[must_use]
    pub fn failures(&self, service: &Service) -> Vec<String> {
        let counters = service.counters();
        let requests = service.requests(0);
        let mut failures = Vec::new();
        for term in &self.terms {
            let count = |matches: usize| u64::try_from(matches).unwrap_or(u64::MAX);
            let found = match &term.subject {
                Subject::Counter(name) => counter(counters, name),
                Subject::Status(code) => count(requests.iter().filter(|one| one.status == *code).count()),
                Subject::Path(prefix) => {
                    count(requests.iter().filter(|one| one.path.starts_with(prefix)).count())
                }
            };
            let holds = match term.comparison {
                "==" => found == term.number,
                "!=" => found != term.number,
                "<=" => found <= term.number,
                ">=" => found >= term.number,
                "<" => found < term.number,
                _ => found > term.number,
            };
            if !holds {
                failures.push(format!("`{}` does not hold: it is {found}", term.text()));
            }
        }
        failures
    }
}

impl Term {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            let names: Vec<_> = COUNTERS.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!(
                "`{}` is not an assertion; write `NAME == NUMBER`, joined by ` and `, with one of `==`, `!=`, `<=`, `>=`, `<`, \
                 `>` and one of {}, `status:CODE`, `path:/PREFIX`",
                text.escape_debug(),
                names.join(", ")
            )
        };
        let (at, comparison) = COMPARISONS
            .iter()
            .filter_map(|comparison| text.find(comparison).map(|at| (at, *comparison)))
            // The longer of two that begin at one place: `<=` before `<`.
            .min_by_key(|(at, comparison)| (*at, 2 - comparison.len()))
            .ok_or_else(wrong)?;
        let (name, number) = (text[..at].trim(), text[at + comparison.len()..].trim());
        let number = number.parse().map_err(|_| wrong())?;
        let subject = if let Some(code) = name.strip_prefix("status:") {
            Subject::Status(code.parse().map_err(|_| wrong())?)
        } else if let Some(path) = name.strip_prefix("path:").filter(|path| path.starts_with('/')) {
            Subject::Path(path.to_owned())
        } else {
            let known = COUNTERS.iter().find(|(known, _)| *known == name);
            Subject::Counter(known.ok_or_else(wrong)?.0)
        };
        Ok(Self { subject, comparison, number })
    }

    fn text(&self) -> String {
        let subject = match &self.subject {
            Subject::Counter(name) => (*name).to_owned(),
            Subject::Status(code) => format!("status:{code}"),
            Subject::Path(path) => format!("path:{path}"),
        };
        format!("{subject} {} {}", self.comparison, self.number)
    }
}

fn counter(counters: Counters, name: &str) -> u64 {
    match name {
        "connections" => counters.connections,
        "requests" => counters.requests,
        "token-puts" => counters.token_puts,
        "tokens-issued" => counters.tokens_issued,
        "gets" => counters.gets,
        "v1" => counters.v1,
        "v2" => counters.v2,
        "forwarded-for" => counters.forwarded_for,
        _ => counters.faults,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn holds_or_says_what_was_recorded() {
        let service = crate::Emulator::builder().build().unwrap();
        let failures = |text: &str| Assertion::parse(text).unwrap().failures(&service);
        assert_eq!(failures("v1 == 0 and tokens-issued <= 1"), Vec::<String>::new());
        assert_eq!(failures("status:404>=0 and path:/latest/ < 1"), Vec::<String>::new());
        assert_eq!(
            failures("v2 > 0 and requests != 0"),
            ["`v2 > 0` does not hold: it is 0", "`requests != 0` does not hold: it is 0"]
        );
    }

    #[test]
    fn refusals_say_what_is_accepted() {
        for text in
            ["", "v1", "v1 = 0", "v3 == 0", "v1 == x", "status:x == 1", "path:latest == 1", "v1 == 0 or"]
        {
            let error = Assertion::parse(text).unwrap_err();
            assert!(
                error.starts_with(&format!("`{text}` is not an assertion; write `NAME == NUMBER`")),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_assertion_or_an_error(text in any::<String>()) {
            if let Err(message) = Assertion::parse(&text) {
                prop_assert!(message.contains("is not an assertion"));
            }
        }
    }
}
