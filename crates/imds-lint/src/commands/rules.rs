//! `imds-lint rules`.

use std::io::{self, Write};

use crate::cli::{RulesArgs, RulesFormat};
use crate::rules::catalogue::RULES;

pub(super) fn run(args: &RulesArgs, out: &mut dyn Write) -> io::Result<()> {
    if args.output == RulesFormat::Json {
        serde_json::to_writer_pretty(&mut *out, RULES)?;
        return writeln!(out);
    }
    for (index, rule) in RULES.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{} ({}): {}", rule.id, rule.severity.name(), rule.title)?;
        writeln!(out, "  why:  {}", rule.why)?;
        writeln!(out, "  fix:  {}", rule.fix)?;
        writeln!(out, "  bad:  {}", rule.bad.replace('\n', "\n        "))?;
        writeln!(out, "  good: {}", rule.good.replace('\n', "\n        "))?;
    }
    Ok(())
}
