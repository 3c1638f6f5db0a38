//! Multi-part user data, as cloud-init reads it, and the parts of Windows user data.

use std::ops::Range;

/// A part: its headers, lower-cased, and where its body is.
#[derive(Debug)]
pub struct Part {
    /// The type, without parameters.
    pub content_type: String,
    /// Whether the body is base64.
    pub is_base64: bool,
    /// The name of the file that it becomes.
    pub file_name: Option<String>,
    /// The body.
    pub body: Range<usize>,
}

/// Most parts that are read.
const PARTS: usize = 256;

/// The parts of a message.
#[must_use]
pub fn parts(text: &str) -> Vec<Part> {
    let (headers, _) = headers(text, 0);
    let content_type = header(&headers, "content-type").unwrap_or_default();
    let Some(boundary) = parameter(&content_type, "boundary") else { return Vec::new() };
    let delimiter = format!("--{boundary}");
    let mut bounds = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if bare == delimiter || bare.strip_suffix("--") == Some(&delimiter) {
            bounds.push((at, at + line.len()));
        }
        at += line.len();
    }
    let ends = bounds.iter().skip(1).map(|bound| bound.0).chain([text.len()]);
    bounds
        .iter()
        .zip(ends)
        .take(PARTS)
        .filter(|(bound, _)| !text.get(bound.0..bound.1).unwrap_or_default().trim_end().ends_with("--"))
        .map(|(bound, end)| {
            let section = text.get(bound.1..end).unwrap_or_default();
            let (headers, body) = self::headers(section, bound.1);
            let content_type = header(&headers, "content-type").unwrap_or_default();
            let encoding = header(&headers, "content-transfer-encoding").unwrap_or_default();
            let disposition = header(&headers, "content-disposition").unwrap_or_default();
            Part {
                content_type: content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
                is_base64: encoding.trim().eq_ignore_ascii_case("base64"),
                file_name: parameter(&disposition, "filename"),
                body: body..end,
            }
        })
        .collect()
}

/// The headers at the beginning of a text, folded lines joined, and where the body begins.
fn headers(text: &str, offset: usize) -> (Vec<(String, String)>, usize) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let bare = line.trim_end();
        if bare.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(bare.trim_start());
            }
        } else if let Some((name, value)) = bare.split_once(':') {
            headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        } else {
            break;
        }
    }
    (headers, offset + at)
}

fn header(headers: &[(String, String)], name: &str) -> Option<String> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The bodies of `<powershell>` in Windows user data.
#[must_use]
pub fn powershell(text: &str) -> Vec<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = lower.get(at..).and_then(|rest| rest.find("<powershell>")) {
        let start = at + start + "<powershell>".len();
        let end = lower
            .get(start..)
            .and_then(|rest| rest.find("</powershell>"))
            .map_or(text.len(), |end| start + end);
        found.push(start..end);
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_with_their_headers() {
        let text = "Content-Type: multipart/mixed;\n boundary=\"==B==\"\nMIME-Version: 1.0\n\n--==B==\n\
                    Content-Type: text/x-shellscript; charset=\"us-ascii\"\nContent-Transfer-Encoding: base64\n\
                    Content-Disposition: attachment; filename=\"a.sh\"\n\nIyEv\n--==B==--\n";
        let parts = parts(text);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].content_type, "text/x-shellscript");
        assert!(parts[0].is_base64);
        assert_eq!(parts[0].file_name.as_deref(), Some("a.sh"));
        assert_eq!(&text[parts[0].body.clone()], "IyEv\n");
    }
}
