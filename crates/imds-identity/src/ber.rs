//! BER to DER: indefinite lengths made definite, octet strings in pieces joined, lengths made
//! minimal.
//!
//! The service serves `rsa2048` and `pkcs7` as streamed CMS, whose outer elements have indefinite
//! lengths and whose document is an octet string in pieces (ITU-T X.690, 8.1.3.6 and 8.7.3).
//! Readers of DER refuse such input, so it is rewritten first. The rewriting is bounded in size and
//! depth and knows nothing of CMS.

use std::fmt;

/// Largest input, in bytes. Real signatures are under 2 KiB: a document of at most a few hundred
/// bytes and one signer without certificates.
const MAX_INPUT: usize = 64 * 1024;
/// Deepest nesting. CMS signed data with a distinguished name in it nests ten deep.
const MAX_DEPTH: usize = 32;

const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// Why bytes are not BER that can be rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BerError {
    /// The input ends inside an element.
    Truncated,
    /// The input is larger than a signature can be.
    TooLarge,
    /// Elements are nested deeper than a signature nests them.
    TooDeep,
    /// Bytes follow the outermost element.
    Trailing,
    /// A tag, a length or a piece of an octet string is not as X.690 has it.
    Malformed,
}

impl fmt::Display for BerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("it ends inside an ASN.1 element"),
            Self::TooLarge => write!(f, "it is larger than {MAX_INPUT} bytes"),
            Self::TooDeep => write!(f, "its ASN.1 elements are nested deeper than {MAX_DEPTH}"),
            Self::Trailing => f.write_str("bytes follow its outermost ASN.1 element"),
            Self::Malformed => f.write_str("an ASN.1 element is malformed"),
        }
    }
}

impl std::error::Error for BerError {}

/// Rewrites one BER element as DER, except for the order within a SET OF, which readers restore.
///
/// # Errors
/// Where the input is not exactly one BER element within the bounds.
pub fn to_der(input: &[u8]) -> Result<Vec<u8>, BerError> {
    if input.len() > MAX_INPUT {
        return Err(BerError::TooLarge);
    }
    let mut reader = Reader { rest: input };
    let mut output = Vec::with_capacity(input.len());
    element(&mut reader, &mut output, 0)?;
    if reader.rest.is_empty() { Ok(output) } else { Err(BerError::Trailing) }
}

/// An element of DER.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// What is inside.
    pub(crate) value: &'a [u8],
    /// Tag and length too.
    pub(crate) whole: &'a [u8],
}

/// The first element of output of [`to_der`], and what follows it; `None` where there is no more.
pub(crate) fn first(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let mut reader = Reader { rest: der };
    let tag = reader.tag().ok()?;
    let length = reader.length().ok()??;
    let value = reader.take(length).ok()?;
    let whole = der.get(..der.len() - reader.rest.len())?;
    Some((Element { tag, value, whole }, reader.rest))
}

/// An element in DER.
pub(crate) fn encode(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(value.len() + 6);
    write(&mut output, tag, value);
    output
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, BerError> {
        let (first, rest) = self.rest.split_first().ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], BerError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The identifier octets. Tag numbers over 30 occur in nothing that signs a document.
    fn tag(&mut self) -> Result<u8, BerError> {
        let tag = self.byte()?;
        if tag & 0x1f == 0x1f { Err(BerError::Malformed) } else { Ok(tag) }
    }

    /// The length octets; `None` is the indefinite form.
    fn length(&mut self) -> Result<Option<usize>, BerError> {
        match self.byte()? {
            0x80 => Ok(None),
            short if short < 0x80 => Ok(Some(usize::from(short))),
            long => {
                let digits = self.take(usize::from(long & 0x7f))?;
                let significant = digits.iter().skip_while(|digit| **digit == 0);
                let mut length = 0usize;
                for digit in significant {
                    length = length.checked_mul(256).ok_or(BerError::Malformed)? | usize::from(*digit);
                }
                Ok(Some(length))
            }
        }
    }

    fn at_end_of_contents(&self) -> bool {
        self.rest.starts_with(&END_OF_CONTENTS)
    }
}

fn element(reader: &mut Reader<'_>, output: &mut Vec<u8>, depth: usize) -> Result<(), BerError> {
    if depth > MAX_DEPTH {
        return Err(BerError::TooDeep);
    }
    let tag = reader.tag()?;
    if tag == 0 {
        // Universal tag 0 is the end-of-contents mark, which stands only where `contents` looks for
        // it; half of one is the input's end.
        return Err(if reader.rest.is_empty() { BerError::Truncated } else { BerError::Malformed });
    }
    let length = reader.length()?;
    if tag & CONSTRUCTED == 0 {
        let value = reader.take(length.ok_or(BerError::Malformed)?)?;
        write(output, tag, value);
    } else if tag == OCTET_STRING | CONSTRUCTED {
        let mut joined = Vec::new();
        pieces(&contents(reader, length, depth)?, &mut joined)?;
        write(output, OCTET_STRING, &joined);
    } else {
        let value = contents(reader, length, depth)?;
        write(output, tag, &value);
    }
    Ok(())
}

/// The DER of everything inside a constructed element.
fn contents(reader: &mut Reader<'_>, length: Option<usize>, depth: usize) -> Result<Vec<u8>, BerError> {
    let mut output = Vec::new();
    match length {
        Some(length) => {
            let mut inner = Reader { rest: reader.take(length)? };
            while !inner.rest.is_empty() {
                // Here the end is known, so an element that overruns it is malformed, not cut
                // short.
                element(&mut inner, &mut output, depth + 1).map_err(|error| match error {
                    BerError::Truncated => BerError::Malformed,
                    other => other,
                })?;
            }
        }
        None => {
            while !reader.at_end_of_contents() {
                element(reader, &mut output, depth + 1)?;
            }
            reader.take(END_OF_CONTENTS.len())?;
        }
    }
    Ok(output)
}

/// Joins octet strings that stand one after the other; `der` is output of [`element`], so nested
/// ones are joined.
fn pieces(der: &[u8], joined: &mut Vec<u8>) -> Result<(), BerError> {
    let mut reader = Reader { rest: der };
    while !reader.rest.is_empty() {
        if reader.tag()? != OCTET_STRING {
            return Err(BerError::Malformed);
        }
        let length = reader.length()?.ok_or(BerError::Malformed)?;
        joined.extend_from_slice(reader.take(length)?);
    }
    Ok(())
}

fn write(output: &mut Vec<u8>, tag: u8, value: &[u8]) {
    output.push(tag);
    let length = value.len();
    if length < 0x80 {
        output.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let significant = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        output.push(0x80 | significant.len() as u8);
        output.extend_from_slice(significant);
    }
    output.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn indefinite_lengths_and_pieces() {
        // SEQUENCE (indefinite) { INTEGER 5, [0] (indefinite) { OCTET STRING (indefinite) { "ab",
        // "c" } } }
        let ber = [
            0x30, 0x80, 0x02, 0x01, 0x05, 0xa0, 0x80, 0x24, 0x80, 0x04, 0x02, b'a', b'b', 0x04, 0x01, b'c',
            0, 0, 0, 0, 0, 0,
        ];
        let der = [0x30, 0x0a, 0x02, 0x01, 0x05, 0xa0, 0x05, 0x04, 0x03, b'a', b'b', b'c'];
        assert_eq!(to_der(&ber).unwrap(), der);
        assert_eq!(to_der(&der).unwrap(), der, "DER stays as it is");
    }

    #[test]
    fn lengths_become_minimal() {
        assert_eq!(to_der(&[0x04, 0x83, 0, 0, 0x01, b'x']).unwrap(), [0x04, 0x01, b'x']);
        let mut long = vec![0x04, 0x84, 0, 0, 0, 200];
        long.extend([7; 200]);
        let der = to_der(&long).unwrap();
        assert_eq!(der[..3], [0x04, 0x81, 200]);
        assert_eq!(der.len(), 203);
    }

    #[test]
    fn refusals() {
        for (input, error) in [
            (&[][..], BerError::Truncated),
            (&[0x30][..], BerError::Truncated),
            (&[0x30, 0x80, 0x02, 0x01, 0x05][..], BerError::Truncated),
            (&[0x04, 0x05, 1, 2][..], BerError::Truncated),
            (&[0x04, 0x01, 1, 9][..], BerError::Trailing),
            (&[0x04, 0x80, 0, 0][..], BerError::Malformed),
            (&[0x24, 0x80, 0x02, 0x01, 0x05, 0, 0][..], BerError::Malformed),
            (&[0x30, 0x03, 0x04, 0x05, 1][..], BerError::Malformed),
            (&[0x1f, 0x81, 0x01, 0x00][..], BerError::Malformed),
            (&[0x00, 0x00][..], BerError::Malformed),
            (&[0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], BerError::Malformed),
        ] {
            assert_eq!(to_der(input), Err(error), "{input:02x?}");
        }
        assert_eq!(to_der(&[0x30, 0x80].repeat(40)), Err(BerError::TooDeep));
        assert_eq!(to_der(&vec![0; MAX_INPUT + 1]), Err(BerError::TooLarge));
    }

    /// A tree of elements, written once as BER with arbitrary choices and once as DER.
    #[derive(Clone, Debug)]
    enum Node {
        Primitive(Vec<u8>),
        Octets { pieces: Vec<Vec<u8>>, indefinite: bool },
        Sequence { children: Vec<Node>, indefinite: bool },
    }

    fn nodes() -> impl Strategy<Value = Node> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        let leaf = prop_oneof![
            bytes().prop_map(Node::Primitive),
            (proptest::collection::vec(bytes(), 0..4), any::<bool>())
                .prop_map(|(pieces, indefinite)| Node::Octets { pieces, indefinite }),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            (proptest::collection::vec(inner, 0..5), any::<bool>())
                .prop_map(|(children, indefinite)| Node::Sequence { children, indefinite })
        })
    }

    fn wrap(tag: u8, value: &[u8], indefinite: bool) -> Vec<u8> {
        let mut output = Vec::new();
        if indefinite {
            output.extend([tag, 0x80]);
            output.extend(value);
            output.extend(END_OF_CONTENTS);
        } else {
            write(&mut output, tag, value);
        }
        output
    }

    fn ber(node: &Node) -> Vec<u8> {
        match node {
            Node::Primitive(value) => wrap(0x02, value, false),
            Node::Octets { pieces, indefinite } => {
                let inner: Vec<u8> = pieces.iter().flat_map(|piece| wrap(0x04, piece, false)).collect();
                wrap(0x24, &inner, *indefinite)
            }
            Node::Sequence { children, indefinite } => {
                wrap(0x30, &children.iter().flat_map(ber).collect::<Vec<_>>(), *indefinite)
            }
        }
    }

    fn der(node: &Node) -> Vec<u8> {
        match node {
            Node::Primitive(value) => wrap(0x02, value, false),
            Node::Octets { pieces, .. } => wrap(0x04, &pieces.concat(), false),
            Node::Sequence { children, .. } => {
                wrap(0x30, &children.iter().flat_map(der).collect::<Vec<_>>(), false)
            }
        }
    }

    proptest! {
        #[test]
        fn any_tree_becomes_its_der(node in nodes()) {
            prop_assert_eq!(to_der(&ber(&node)).unwrap(), der(&node));
        }

        #[test]
        fn any_cut_is_refused(node in nodes(), cut in any::<prop::sample::Index>()) {
            let whole = ber(&node);
            let part = &whole[..cut.index(whole.len())];
            prop_assert_eq!(to_der(part), Err(BerError::Truncated));
        }

        #[test]
        fn any_bytes_end_in_an_answer_that_is_stable(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(once) = to_der(&bytes) {
                prop_assert_eq!(to_der(&once), Ok(once.clone()));
            }
        }
    }
}
