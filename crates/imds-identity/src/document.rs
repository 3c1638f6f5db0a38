//! What verification needs to know of the document itself: its Region.

use serde_json::Value;

/// The `region` of an instance identity document, where it is one.
pub(crate) fn region(document: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(document).ok()?;
    value.get("region")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::region;

    #[test]
    fn region_is_read() {
        assert_eq!(region(br#"{"region" : "us-west-2"}"#).as_deref(), Some("us-west-2"));
        for document in [&b"{}"[..], b"", b"[]", br#"{"region" : null}"#, b"{\"region\":\"us"] {
            assert_eq!(region(document), None);
        }
    }
}
