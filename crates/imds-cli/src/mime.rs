//! MIME multipart user data, as cloud-init takes them (RFC 2046, section 5.1).

use crate::decode::decoded_base64;

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its type, such as `text/x-shellscript`.
    pub(crate) content_type: String,
    /// Its file name, where it has one.
    pub(crate) name: Option<String>,
    /// Its content, without its transfer encoding.
    pub(crate) content: Vec<u8>,
}

/// Most parts of a document; what has more is cut behind one more part than these.
pub(crate) const MOST_PARTS: usize = 1_000;

/// The parts of a multipart document, those of parts that are multipart themselves in their place;
/// `None` where the data are no such document.
pub(crate) fn parts(data: &[u8]) -> Option<Vec<Part>> {
    parts_within(data, 0)
}

fn parts_within(data: &[u8], depth: usize) -> Option<Vec<Part>> {
    const DEEPEST: usize = 8;
    let (headers, body) = split_head(data)?;
    let content_type = header(&headers, "Content-Type")?;
    let is_multipart = content_type.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    if !is_multipart || depth > DEEPEST {
        return None;
    }
    let boundary = parameter(content_type, "boundary")?;
    let mut parts = Vec::new();
    for section in sections(body, &boundary) {
        if parts.len() > MOST_PARTS {
            break;
        }
        match parts_within(section, depth + 1) {
            Some(nested) => parts.extend(nested),
            None => parts.push(part(section)),
        }
    }
    Some(parts)
}

fn part(section: &[u8]) -> Part {
    let (headers, body) = split_head(section).unwrap_or((Vec::new(), section));
    let content_type = header(&headers, "Content-Type").unwrap_or("text/plain");
    let named = header(&headers, "Content-Disposition").and_then(|value| parameter(value, "filename"));
    let name = named.or_else(|| parameter(content_type, "name"));
    let encoding = header(&headers, "Content-Transfer-Encoding").unwrap_or("7bit");
    let content = match encoding.to_ascii_lowercase().as_str() {
        "base64" => decoded_base64(body).unwrap_or_else(|| body.to_vec()),
        "quoted-printable" => unquoted_printable(body),
        _ => body.to_vec(),
    };
    let content_type = content_type.split(';').next().unwrap_or_default().trim().to_owned();
    Part { content_type, name, content }
}

/// Header lines, unfolded, and what is below the empty line.
fn split_head(data: &[u8]) -> Option<(Vec<String>, &[u8])> {
    let mut headers: Vec<String> = Vec::new();
    let mut rest = data;
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(rest.get(..end)?).ok()?.trim_end_matches('\r');
        if line.starts_with("--") && !headers.is_empty() {
            // No empty line before the first boundary, which cloud-init reads all the same
            // (awslabs/amazon-eks-ami#1701).
            return Some((headers, rest));
        }
        rest = rest.get(end + 1..)?;
        if line.is_empty() {
            return Some((headers, rest));
        }
        if let Some(last) = headers.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            last.push_str(line);
        } else if line.contains(':') {
            headers.push(line.to_owned());
        } else if headers.is_empty() && line.starts_with("From ") {
            // The envelope line that `write-mime-multipart` does not write and others do.
        } else {
            return None;
        }
    }
}

fn header<'h>(headers: &'h [String], name: &str) -> Option<&'h str> {
    headers.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A parameter of a header's value: `boundary="..."`.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (found, text) = parameter.split_once('=')?;
        let text = text.trim();
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        found.trim().eq_ignore_ascii_case(name).then(|| text.to_owned())
    })
}

/// What stands between the lines `--boundary`, up to `--boundary--`. The line end in front of such
/// a line is its own.
fn sections<'d>(body: &'d [u8], boundary: &str) -> Vec<&'d [u8]> {
    let delimiter = format!("--{boundary}");
    let mut sections = Vec::new();
    let mut begin = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        if sections.len() > MOST_PARTS {
            return sections;
        }
        let rest = line.strip_prefix(delimiter.as_bytes()).map(<[u8]>::trim_ascii);
        if let Some(rest) = rest.filter(|rest| rest.is_empty() || *rest == b"--") {
            if let Some(section) = begin.and_then(|begin| body.get(begin..at)) {
                let section = section.strip_suffix(b"\n").unwrap_or(section);
                sections.push(section.strip_suffix(b"\r").unwrap_or(section));
            }
            begin = None;
            if rest == b"--" {
                break;
            }
            begin = Some(at + line.len());
        }
        at += line.len();
    }
    // A document that was cut keeps what there is of its last part.
    sections.extend(begin.and_then(|begin| body.get(begin..)));
    sections
}

fn unquoted_printable(data: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some((&first, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        if first != b'=' {
            plain.push(first);
            rest = more;
        } else if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            plain.push(byte);
            rest = more.get(2..).unwrap_or_default();
        } else if let Some(below) = more.strip_prefix(b"\r\n").or_else(|| more.strip_prefix(b"\n")) {
            rest = below;
        } else {
            plain.push(first);
            rest = more;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "Content-Type: multipart/mixed;\n boundary=\"==B==\"\nMIME-Version: 1.0\n\npreamble\n\
        --==B==\nContent-Type: text/cloud-config; charset=\"us-ascii\"\nContent-Disposition: attachment; filename=\"a.yaml\"\n\n\
        #cloud-config\nx: 1\n\n--==B==\nContent-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n\
        IyEvYmluL3NoCmVjaG8gaGkK\n--==B==\nContent-Type: text/plain; name=q\nContent-Transfer-Encoding: quoted-printable\n\n\
        Gr=C3=B6=\n=C3=9Fe =3D\n--==B==--\nepilogue\n";

    #[test]
    fn parts_with_their_encodings() {
        let part = |content_type: &str, name: Option<&str>, content: &str| Part {
            content_type: content_type.into(),
            name: name.map(str::to_owned),
            content: content.as_bytes().to_vec(),
        };
        let expected = vec![
            part("text/cloud-config", Some("a.yaml"), "#cloud-config\nx: 1\n"),
            part("text/x-shellscript", None, "#!/bin/sh\necho hi\n"),
            part("text/plain", Some("q"), "Größe ="),
        ];
        assert_eq!(parts(DOCUMENT.as_bytes()), Some(expected.clone()));
        assert_eq!(parts(DOCUMENT.replace('\n', "\r\n").as_bytes()).unwrap().len(), 3);
        let cut = DOCUMENT.split("--==B==--").next().unwrap();
        assert_eq!(parts(cut.as_bytes()).unwrap().len(), 3);
    }

    #[test]
    fn no_empty_line_before_the_first_boundary() {
        let data = b"Content-Type: multipart/mixed; boundary=\"b\"\nMIME-Version: 1.0\n--b\nContent-Type: text/x-shellscript\n\n#!\n--b--\n";
        let parts = parts(data).unwrap();
        assert_eq!((parts.len(), &*parts[0].content), (1, &b"#!"[..]));
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        let data = format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\n".repeat(100_000));
        assert_eq!(parts(data.as_bytes()).unwrap().len(), MOST_PARTS + 1);
    }

    #[test]
    fn nested_parts_stand_in_their_place() {
        let outer = format!(
            "Content-Type: multipart/mixed; boundary=outer\n\n--outer\n{DOCUMENT}--outer\nContent-Type: text/x-shellscript\n\n#!\n--outer--\n"
        );
        let types: Vec<_> =
            parts(outer.as_bytes()).unwrap().into_iter().map(|part| part.content_type).collect();
        assert_eq!(types, ["text/cloud-config", "text/x-shellscript", "text/plain", "text/x-shellscript"]);
    }

    #[test]
    fn other_data_are_no_document() {
        for data in [&b"#!/bin/sh\n"[..], b"", b"a: b\n\nc", b"Content-Type: text/plain\n\nx", b"\xff\n\n"] {
            assert_eq!(parts(data), None);
        }
    }
}
