//! `rules`: what `audit` looks for, and why.

use super::End;
use crate::cli::{RulesArgs, RulesOutput};
use crate::error::Error;
use crate::output::{Out, written};
use crate::rules::catalogue::RULES;

/// Runs it.
///
/// # Errors
///
/// Returns an error if the output cannot be written.
pub fn run(args: &RulesArgs, out: Out<'_>) -> Result<End, Error> {
    written(match args.output {
        RulesOutput::Json => serde_json::to_writer_pretty(&mut *out, &RULES)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(out)),
        RulesOutput::Text => RULES.iter().try_for_each(|rule| {
            let aws: Vec<&str> = rule.config_rule.into_iter().chain(rule.security_hub).collect();
            let aws = if aws.is_empty() { String::new() } else { format!("\n  AWS: {}", aws.join(", ")) };
            writeln!(
                out,
                "{} ({}): {}\n  {}\n  fix: {}{aws}\n",
                rule.id,
                rule.severity.as_str(),
                rule.title,
                rule.explanation,
                rule.advice()
            )
        }),
    })?;
    Ok(End::Clean)
}
