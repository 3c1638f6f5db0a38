//! Any bytes as a signature of the instance identity document: no panic, and nothing is believed
//! but what AWS signed.
#![no_main]

use std::time::{Duration, SystemTime};

use imds_identity::{Certificate, Evidence, SignatureKind, Trust, ber, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(der) = ber::to_der(bytes) {
        // What is DER stays as it is.
        assert_eq!(ber::to_der(&der).as_deref(), Ok(&*der));
    }
    let _ = Certificate::parse(bytes);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for kind in SignatureKind::ALL {
        for document in [None, Some(&b"{\"region\": \"us-east-1\"}"[..]), Some(bytes)] {
            let evidence = Evidence { kind, signature: bytes, document };
            if let Ok(verified) = verify(&evidence, Trust::Regions, now) {
                assert!(!verified.region().is_empty());
            }
        }
    }
});
