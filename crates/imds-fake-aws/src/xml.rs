//! Writes XML.

/// A piece of XML under construction.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// An element with this text.
    pub(crate) fn text(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let value = value
            .to_string()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            // A reader makes a line feed of a carriage return that is written plainly (XML 1.0,
            // 2.11).
            .replace('\r', "&#13;")
            .replace('\n', "&#10;")
            .replace('\t', "&#9;");
        self.0.push_str(&format!("<{name}>{value}</{name}>"));
        self
    }

    /// The element, if there is a value.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An element with this content.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.push_str(&format!("<{name}>"));
        content(self);
        self.0.push_str(&format!("</{name}>"));
        self
    }

    /// The whole text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
