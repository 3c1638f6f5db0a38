//! Structures that an attacker makes out of good ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use imds_identity::SignatureKind::{Pkcs7, Rsa2048};
use imds_identity::{Trust, ber};

use crate::{certificate, data, judge, refusal};

/// An element of DER: tag and value.
fn first(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, head) = match der[1] {
        short @ 0..=0x7f => (usize::from(short), 2),
        0x81 => (usize::from(der[2]), 3),
        _ => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
    };
    (der[0], &der[head..head + length], &der[head + length..])
}

fn elements(mut der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while !der.is_empty() {
        let (tag, value, rest) = first(der);
        found.push((tag, value.to_vec()));
        der = rest;
    }
    found
}

fn encode(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, value.to_vec()].concat()
}

fn joined(elements: &[(u8, Vec<u8>)]) -> Vec<u8> {
    elements.iter().flat_map(|(tag, value)| encode(*tag, value)).collect()
}

/// `SignedData` and its one `SignerInfo` as elements.
struct Cms {
    data: Vec<(u8, Vec<u8>)>,
    signer: Vec<(u8, Vec<u8>)>,
}

impl Cms {
    fn of(name: &str) -> Self {
        let text: Vec<u8> = data(name).into_iter().filter(|byte| *byte != b'\n').collect();
        let der = ber::to_der(&STANDARD.decode(text).unwrap()).unwrap();
        let outer = elements(first(&der).1);
        let signed_data = elements(first(&outer[1].1).1);
        let signers = &signed_data.last().unwrap().1;
        Self { signer: elements(first(signers).1), data: signed_data }
    }

    fn text(&self) -> Vec<u8> {
        let mut signed_data = self.data.clone();
        signed_data.last_mut().unwrap().1 = encode(0x30, &joined(&self.signer));
        let content = encode(0xa0, &encode(0x30, &joined(&signed_data)));
        let signed_data_oid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
        STANDARD.encode(encode(0x30, &[&signed_data_oid[..], &content].concat())).into_bytes()
    }
}

#[test]
fn taking_one_apart_and_together_again_changes_nothing() {
    let certificate = certificate("made/rsa2048.pem");
    let cms = Cms::of("made/rsa2048");
    let verified = judge(Rsa2048, &cms.text(), None, Trust::Certificate(&certificate)).unwrap();
    assert_eq!(verified.document(), data("made/document"));
}

/// The signature is over the signed attributes. Made the document of a structure without
/// attributes, they are signed all the same, but they are no document.
#[test]
fn signed_attributes_that_were_moved_into_the_document() {
    for (kind, name, pem) in
        [(Rsa2048, "made/rsa2048", "made/rsa2048.pem"), (Pkcs7, "made/pkcs7", "made/dsa.pem")]
    {
        let mut cms = Cms::of(name);
        let at = cms.signer.iter().position(|(tag, _)| *tag == 0xa0).unwrap();
        let (_, attributes) = cms.signer.remove(at);
        let mut sorted = elements(&attributes);
        sorted.sort_by_key(|(tag, value)| encode(*tag, value));
        let document = encode(0x31, &joined(&sorted));
        let content = cms.data.iter_mut().find(|(tag, _)| *tag == 0x30).unwrap();
        content.1 = [
            &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01][..],
            &encode(0xa0, &encode(0x04, &document)),
        ]
        .concat();
        let certificate = certificate(pem);
        assert_eq!(refusal(kind, &cms.text(), None, Trust::Certificate(&certificate)).0, "not-a-document");
        assert_eq!(refusal(kind, &cms.text(), None, Trust::Regions).0, "not-a-document");
    }
}

#[test]
fn what_no_signature_covers_is_refused() {
    let certificate = certificate("made/rsa2048.pem");
    let told = |change: &dyn Fn(&mut Cms)| {
        let mut cms = Cms::of("made/rsa2048");
        change(&mut cms);
        refusal(Rsa2048, &cms.text(), None, Trust::Certificate(&certificate)).1
    };
    let unsigned = told(&|cms| cms.signer.push((0xa1, encode(0x30, b""))));
    assert_eq!(unsigned, "`rsa2048` is malformed: it has unsigned attributes");
    let certificates = told(&|cms| {
        let at = cms.data.len() - 1;
        cms.data.insert(at, (0xa0, encode(0x30, b"")));
    });
    assert_eq!(
        certificates,
        "`rsa2048` is malformed: it holds certificates or revocation lists, which AWS does not send"
    );
    let version = told(&|cms| cms.data[0].1 = vec![3]);
    assert_eq!(version, "`rsa2048` is malformed: its version is not 1");
    let twice = told(&|cms| {
        let algorithms = cms.data[1].1.clone();
        cms.data[1].1.extend(algorithms);
    });
    assert_eq!(twice, "`rsa2048` is malformed: not exactly one digest algorithm");
    let other = told(&|cms| {
        let at = cms.signer.iter().rposition(|(tag, _)| *tag == 0x30).unwrap();
        // Ed25519.
        cms.signer[at].1 = vec![0x06, 0x03, 0x2b, 0x65, 0x70];
    });
    assert_eq!(other, "`rsa2048` uses algorithm `1.3.101.112`, which AWS does not sign documents with");
}

/// Of 100,000 structures with one to three bytes changed, removed or inserted, none is believed
/// that holds another document, and what is believed says the same in every part that a reader can
/// ask for.
#[test]
fn a_hundred_thousand_mutations() {
    let certificate = certificate("made/rsa2048.pem");
    let good = judge(Rsa2048, &data("made/rsa2048"), None, Trust::Certificate(&certificate)).unwrap();
    let text: Vec<u8> = data("made/rsa2048").into_iter().filter(|byte| *byte != b'\n').collect();
    let original = STANDARD.decode(text).unwrap();
    // xorshift64: the same numbers in every run.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut believed = 0;
    for _ in 0..100_000 {
        let mut bytes = original.clone();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            match next(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, next(256) as u8),
                2 => bytes[at] = next(256) as u8,
                _ => bytes[at] ^= 1 << next(8),
            }
        }
        let text = STANDARD.encode(&bytes);
        if let Ok(verified) = judge(Rsa2048, text.as_bytes(), None, Trust::Certificate(&certificate)) {
            believed += 1;
            assert_eq!(verified.document(), good.document());
            assert_eq!(verified.region(), good.region());
            assert_eq!(verified.signing_time(), good.signing_time());
        }
    }
    // A byte that is set to what it was, and other spellings of a length: few.
    assert!(believed < 1_000, "{believed}");
}
