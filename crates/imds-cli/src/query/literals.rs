//! Literals in backticks, as the AWS CLI takes them.
//!
//! JMESPath wants JSON between backticks. `jmespath.py`, which the AWS CLI uses, takes anything
//! else as a string (`jmespath/lexer.py`, `_consume_literal`), and much of AWS's documentation
//! relies on that: ``[?State==`running`]``.

use std::borrow::Cow;

/// Returns the expression with each literal that is not JSON made a JSON string.
pub(super) fn as_json(expression: &str) -> Cow<'_, str> {
    if !expression.contains('`') {
        return Cow::Borrowed(expression);
    }
    let mut rewritten = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    while let Some(at) = rest.find(['`', '\'', '"']) {
        let (before, quoted) = rest.split_at(at);
        rewritten.push_str(before);
        let Some(end) = end_of_quoted(quoted) else {
            // Left open: the parser names it.
            rest = quoted;
            break;
        };
        let (token, behind) = quoted.split_at(end);
        if token.starts_with('`') {
            rewritten.push_str(&literal(token));
        } else {
            rewritten.push_str(token);
        }
        rest = behind;
    }
    rewritten.push_str(rest);
    Cow::Owned(rewritten)
}

/// Returns the length of the quoted token that the text begins with, both quotes included.
fn end_of_quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            other if other == quote => return Some(at + other.len_utf8()),
            _ => {}
        }
    }
    None
}

fn literal(token: &str) -> String {
    let inner = token.trim_matches('`');
    let text = inner.replace("\\`", "`");
    if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
        return token.to_owned();
    }
    // As in Python: the text becomes a JSON string as it stands, escapes and all; where that is not
    // JSON either, a quote in it was meant as itself.
    let quoted = format!("\"{}\"", text.trim());
    let json = match serde_json::from_str::<serde_json::Value>(&quoted) {
        Ok(_) => quoted,
        Err(_) => serde_json::Value::from(text.trim()).to_string(),
    };
    format!("`{}`", json.replace('`', "\\`"))
}
