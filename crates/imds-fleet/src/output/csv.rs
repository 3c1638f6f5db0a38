//! Comma-separated values (RFC 4180).

use std::borrow::Cow;
use std::io::Write;

/// Writes one record.
///
/// # Errors
///
/// Returns an error if it cannot be written.
pub fn record<'a>(to: &mut dyn Write, fields: impl IntoIterator<Item = Cow<'a, str>>) -> std::io::Result<()> {
    let mut first = true;
    for field in fields {
        if !first {
            to.write_all(b",")?;
        }
        first = false;
        to.write_all(quoted(&field).as_bytes())?;
    }
    to.write_all(b"\r\n")
}

fn quoted(field: &str) -> Cow<'_, str> {
    // A spreadsheet takes a field that starts so for a formula, some after a line end or in
    // full-width forms, and a tag can hold anything (OWASP, "CSV Injection").
    let formula = field
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    if formula {
        return Cow::Owned(format!("\"'{}\"", field.replace('"', "\"\"")));
    }
    if field.contains([',', '"', '\r', '\n']) {
        return Cow::Owned(format!("\"{}\"", field.replace('"', "\"\"")));
    }
    Cow::Borrowed(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_when_they_must_be() {
        let mut out = Vec::new();
        let fields = ["a", "b,c", "say \"hi\"", "two\nlines", "=cmd()", "\r=cmd()", ""];
        record(&mut out, fields.map(Cow::Borrowed)).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",\"'=cmd()\",\"'\r=cmd()\",\r\n"
        );
    }
}
