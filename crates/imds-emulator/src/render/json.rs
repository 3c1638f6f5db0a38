//! JSON in the shape that the service writes it: two spaces of indent, `"key" : value`, no newline
//! at the end.
//!
//! Clients match it with regular expressions and rely on the order of the keys (uswitch/kiam#97).

/// A JSON value of the few kinds that the service's leaves hold.
pub(crate) enum Json<'a> {
    /// `null`.
    Null,
    /// A text.
    Text(&'a str),
    /// A list of texts.
    Texts(&'a [String]),
}

impl<'a> From<&'a str> for Json<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Json<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a Option<String>> for Json<'a> {
    fn from(text: &'a Option<String>) -> Self {
        text.as_deref().map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<&'a Vec<String>> for Json<'a> {
    /// An empty list is `null`, as in the identity document.
    fn from(texts: &'a Vec<String>) -> Self {
        if texts.is_empty() { Self::Null } else { Self::Texts(texts) }
    }
}

/// An object of these members in this order.
pub(crate) fn object(members: &[(&str, Json<'_>)]) -> String {
    let mut text = String::from("{\n");
    for (at, (name, value)) in members.iter().enumerate() {
        text.push_str("  ");
        quote(&mut text, name);
        text.push_str(" : ");
        match value {
            Json::Null => text.push_str("null"),
            Json::Text(value) => quote(&mut text, value),
            Json::Texts(values) => {
                text.push_str("[ ");
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        text.push_str(", ");
                    }
                    quote(&mut text, value);
                }
                text.push_str(" ]");
            }
        }
        text.push_str(if at + 1 < members.len() { ",\n" } else { "\n" });
    }
    text.push('}');
    text
}

/// A JSON string literal.
pub(crate) fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spaced_as_the_service_spaces_it() {
        let products = vec!["a".to_owned(), "b".to_owned()];
        let text =
            object(&[("Code", "Success".into()), ("none", Json::Null), ("products", (&products).into())]);
        assert_eq!(
            text,
            "{\n  \"Code\" : \"Success\",\n  \"none\" : null,\n  \"products\" : [ \"a\", \"b\" ]\n}"
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let json: serde_json::Value = serde_json::from_str(&object(&[("key", Json::Text(&text))])).unwrap();
            prop_assert_eq!(json["key"].as_str(), Some(text.as_str()));
        }
    }
}
