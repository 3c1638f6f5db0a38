//! Scenario files: what happens to the instance, and when.
//!
//! ```toml
//! [[step]]
//! after = "30s"
//! event = "rebalance"
//!
//! [[step]]
//! after = "1m"
//! event = "interrupt"
//! action = "terminate"
//! ```

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::parse::{from_toml, read};
use crate::base::error::{Error, Invalid};
use crate::base::span;
use crate::event::Event;
use crate::event::text::EventText;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    step: Vec<Spanned<EventText>>,
}

/// The events of a scenario file, each with the time after the start.
///
/// # Errors
/// Returns an error if the file cannot be read, or a step of it cannot be.
pub fn read_scenario(path: &Path) -> Result<Vec<(Duration, Event)>, Error> {
    let text = read(path)?;
    parse_scenario(&text).map_err(|invalid| Error::Invalid(invalid.in_file(path)))
}

/// The events of a scenario's text, each with the time after the start.
///
/// # Errors
/// Returns an error if a step cannot be: names the line and what is accepted.
pub fn parse_scenario(text: &str) -> Result<Vec<(Duration, Event)>, Invalid> {
    let file: File = from_toml(text)?;
    let step = |(index, step): (usize, &Spanned<EventText>)| -> Result<(Duration, Event), Invalid> {
        step.as_ref().checked().map_err(|wrong| {
            let parameter = wrong.parameter.map(|name| ["step".into(), index.into(), name.into()]);
            let line = parameter.and_then(|place| span::line(text, false, &place));
            // Where nothing of the step is to blame, something is missing.
            let line = line.unwrap_or_else(|| span::line_at(text, step.span().start));
            Invalid { line: Some(line), ..Invalid::new(wrong.message) }
        })
    };
    file.step.iter().enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_in_their_order() {
        let scenario = parse_scenario(
            "[[step]]\nafter = '30s'\nevent = 'rebalance'\n\n[[step]]\nafter = '1m'\nevent = 'terminate'\n",
        );
        let expected =
            vec![(Duration::from_secs(30), Event::Rebalance), (Duration::from_secs(60), Event::Terminate)];
        assert_eq!(scenario, Ok(expected));
    }

    #[test]
    fn errors_name_the_line() {
        for (text, message) in [
            (
                "[[step]]\nevent = 'rebalance'\n[[step]]\nevent = 'boom'",
                "line 4: `boom` is not an event; one of",
            ),
            (
                "[[step]]\nevent = 'rebalance'\nafter = 'soon'",
                "line 3: `soon` is not a duration; write a number",
            ),
            ("\n[[step]]\nevent = 'tag'\nkey = 'x'", "line 2: `tag` needs `value`"),
            ("[[step]]\nevent = 'tag'\nkay = 'x'", "line 3: unknown field `kay`, expected one of `event`"),
            ("[[steps]]\nevent = 'tag'", "line 1: unknown field `steps`, expected `step`"),
            ("[[step]\n", "line 1: "),
        ] {
            let error = parse_scenario(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
