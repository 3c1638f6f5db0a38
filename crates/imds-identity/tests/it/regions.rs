//! The table of certificates agrees with the certificates in it.

use std::collections::BTreeSet;

use imds_identity::regions::{CERTIFICATES, certificate, regions};
use imds_identity::{Certificate, SignatureKind};

#[test]
fn every_row_is_what_its_certificate_says() {
    for entry in CERTIFICATES {
        let parsed = Certificate::parse(entry.der).unwrap();
        assert_eq!(parsed.fingerprint(), entry.fingerprint, "{} {}", entry.region, entry.kind);
        assert_eq!(parsed.key_description(), entry.key, "{} {}", entry.region, entry.kind);
        assert_eq!(parsed.not_after(), entry.not_after, "{} {}", entry.region, entry.kind);
        let issuer = parsed.issuer();
        assert!(issuer.contains("O=Amazon Web Services LLC") || issuer.contains("O=Amazon.com"), "{issuer}");
    }
}

#[test]
fn every_region_has_every_kind() {
    let names: BTreeSet<_> = regions().collect();
    assert_eq!(names.len(), 36);
    assert_eq!(CERTIFICATES.len(), 3 * names.len());
    for region in names {
        for kind in SignatureKind::ALL {
            assert_eq!(certificate(region, kind).unwrap().der()[0], 0x30);
        }
    }
    assert_eq!(certificate("moon-east-1", SignatureKind::Rsa2048), None);
}

#[test]
fn keys_are_as_aws_documents_them() {
    for entry in CERTIFICATES {
        let wanted = match entry.kind {
            SignatureKind::Rsa2048 => "RSA-2048",
            SignatureKind::Signature => "RSA-1024",
            _ if entry.region.starts_with("cn-") => "RSA-2048",
            _ => "DSA-1024",
        };
        assert_eq!(entry.key, wanted, "{} {}", entry.region, entry.kind);
    }
}
