//! Verifies the EC2 instance identity document against its signatures, with the certificates of
//! every Region.
//!
//! No I/O and no clock: bytes, a certificate and the time go in, a result comes out.
//!
//! ```no_run
//! use imds_identity::{Evidence, SignatureKind, Trust, verify};
//! # fn body() -> Vec<u8> { Vec::new() }
//! # fn now() -> std::time::SystemTime { std::time::UNIX_EPOCH }
//!
//! // As the service serves `/latest/dynamic/instance-identity/rsa2048`.
//! let rsa2048: Vec<u8> = body();
//! let evidence = Evidence { kind: SignatureKind::Rsa2048, signature: &rsa2048, document: None };
//! match verify(&evidence, Trust::Regions, now()) {
//!     Ok(verified) => println!("signed in {}", verified.region()),
//!     Err(rejection) => println!("refused: {rejection}"),
//! }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ber;
pub mod certificate;
pub mod regions;

mod document;
mod key;
mod kind;
mod pem;
mod rejection;
mod signed_data;
mod verify;

pub use certificate::{Certificate, CertificateError};
pub use kind::SignatureKind;
pub use rejection::Rejection;
pub use verify::{Evidence, Trust, Verified, verify};
