//! The keys of a run and their certificates, made once, at their first use.
//!
//! Two RSA keys take about a tenth of a second, half a second in a debug build: nobody but those
//! who asked for a signature has to wait for them.

use std::sync::{Arc, OnceLock};

use dsa::{BoxedUint, Components, SigningKey};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};

use super::certificate::{Certificates, Subject, certificate, pem};
use crate::base::time::Timestamp;

/// The name of the authority that signs the run's certificates.
pub(crate) const AUTHORITY: &str = "test authority of this run";

/// Domain parameters of a 1,024-bit DSA key, the size that AWS's have: finding new ones takes
/// minutes, and a key is as fresh with these (RFC 5114, 2.1).
const P: &str = "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c0\
                 13ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0\
                 a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371";
const Q: &str = "f518aa8781a8df278aba4e7d64b7cb9d49462353";
const G: &str = "a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213\
                 160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28a\
                 d662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5";

/// The keys of a run, which follow from its seed; clones share them.
#[derive(Clone)]
pub(crate) struct Keyring {
    seed: [u8; 32],
    keys: Arc<OnceLock<Option<Keys>>>,
}

impl Keyring {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self { seed, keys: Arc::default() }
    }

    /// The keys; made now, which takes its time, if they are not yet there. `None` where none can
    /// be made.
    pub(crate) fn make(&self, now: Timestamp) -> Option<&Keys> {
        self.keys.get_or_init(|| Keys::new(self.seed, now)).as_ref()
    }

    /// The same, once `wait` is over: for tests of what happens meanwhile.
    #[cfg(test)]
    pub(crate) fn make_after(&self, now: Timestamp, wait: impl FnOnce()) {
        self.keys.get_or_init(|| {
            wait();
            Keys::new(self.seed, now)
        });
    }

    /// The keys, once they were made; inside it, `None` where none could be made.
    pub(crate) fn made(&self) -> Option<Option<&Keys>> {
        self.keys.get().map(Option::as_ref)
    }
}

/// The keys and certificates of a run.
pub(crate) struct Keys {
    /// Signs `rsa2048`, `pkcs7` in China, and every certificate.
    pub(crate) large: RsaPrivateKey,
    /// Signs `signature`.
    pub(crate) small: RsaPrivateKey,
    /// Signs `pkcs7`.
    pub(crate) dsa: SigningKey,
    pub(crate) certificates: Certificates,
    pub(crate) serials: Serials,
}

/// Serial numbers of the certificates that signatures name.
pub(crate) struct Serials {
    pub(crate) rsa2048: [u8; 8],
    pub(crate) pkcs7: [u8; 8],
    pub(crate) pkcs7_china: [u8; 8],
}

impl Keys {
    fn new(seed: [u8; 32], now: Timestamp) -> Option<Self> {
        let mut random = Random { seed, drawn: 0 };
        let large = RsaPrivateKey::new(&mut random, 2048).ok()?;
        // `signature` is 128 bytes on EC2 (174 characters, amazon-ec2-metadata-mock#105), so this
        // key has 1,024 bits.
        let small = RsaPrivateKey::new_unchecked(&mut random, 1024).ok()?;
        let components = Components::from_components(number(P)?, number(Q)?, number(G)?).ok()?;
        let Ok(dsa) = SigningKey::try_generate_from_rng_with_components(&mut random, components);
        let serials =
            Serials { rsa2048: serial(seed, 2), pkcs7: serial(seed, 4), pkcs7_china: serial(seed, 5) };
        let large_key = large.to_public_key().to_public_key_der().ok()?;
        let small_key = small.to_public_key().to_public_key_der().ok()?;
        let dsa_key = dsa.verifying_key().to_public_key_der().ok()?;
        let made = |serial: &[u8; 8], name, key: &[u8], authority| {
            certificate(serial, &Subject { name, key, authority }, AUTHORITY, &large, now)
                .map(|der| pem(&der))
        };
        let certificates = Certificates {
            authority: made(&serial(seed, 1), AUTHORITY, large_key.as_bytes(), true)?,
            rsa2048: made(&serials.rsa2048, "rsa2048", large_key.as_bytes(), false)?,
            signature: made(&serial(seed, 3), "signature", small_key.as_bytes(), false)?,
            pkcs7: made(&serials.pkcs7, "pkcs7", dsa_key.as_bytes(), false)?,
            pkcs7_china: made(&serials.pkcs7_china, "pkcs7 in China", large_key.as_bytes(), false)?,
        };
        Some(Self { large, small, dsa, certificates, serials })
    }
}

/// A number as wide as its digits are.
fn number(hexadecimal: &str) -> Option<BoxedUint> {
    let pairs = (0..hexadecimal.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(hexadecimal.get(at..at + 2)?, 16).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    BoxedUint::from_be_slice(&bytes, u32::try_from(bytes.len() * 8).ok()?).ok()
}

/// The serial number of a certificate of this run: like a real authority's it is in no other
/// certificate, so that a signature names the one that made it.
fn serial(seed: [u8; 32], number: u8) -> [u8; 8] {
    let digest = Sha256::new().chain_update(seed).chain_update([number]).finalize();
    let mut serial = [0; 8];
    serial.copy_from_slice(&digest[..8]);
    // Positive, and eight bytes long, in DER.
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// Random numbers from a seed: SHA-256 of the seed and a count. The keys are worth nothing outside
/// their test.
struct Random {
    seed: [u8; 32],
    drawn: u64,
}

impl TryRng for Random {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for part in out.chunks_mut(32) {
            self.drawn += 1;
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.drawn.to_be_bytes());
            part.copy_from_slice(&hash.finalize()[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Random {}
