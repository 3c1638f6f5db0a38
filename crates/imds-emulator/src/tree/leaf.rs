//! A value.

use std::sync::Arc;

use crate::identity::SignatureKind;

/// What a leaf's `Content-Type` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// Every leaf but the user data, JSON ones included (aws/amazon-ec2-metadata-mock#207).
    #[default]
    Text,
    /// User data.
    Binary,
}

/// A value, which may differ between IMDSv1 and IMDSv2 readers (role credentials do).
#[derive(Clone)]
pub(crate) struct Leaf {
    value: Arc<[u8]>,
    value_v1: Option<Arc<[u8]>>,
    /// What `Content-Type` says.
    pub(crate) media_type: MediaType,
    /// The leaf is this signature of its value, made when it is asked for.
    pub(crate) signature: Option<SignatureKind>,
}

impl std::fmt::Debug for Leaf {
    /// A value may be a secret: only its length is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leaf({} bytes)", self.value.len())
    }
}

impl Leaf {
    /// A value that is the same for every reader.
    pub(crate) fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: value.into().into(), value_v1: None, media_type: MediaType::Text, signature: None }
    }

    /// A value that IMDSv1 readers see otherwise.
    pub(crate) fn by_version(v1: impl Into<Vec<u8>>, v2: impl Into<Vec<u8>>) -> Self {
        Self { value_v1: Some(v1.into().into()), ..Self::new(v2) }
    }

    /// A value of arbitrary bytes.
    pub(crate) fn binary(value: impl Into<Vec<u8>>) -> Self {
        Self { media_type: MediaType::Binary, ..Self::new(value) }
    }

    /// A signature of a document.
    pub(crate) fn signature(kind: SignatureKind, document: impl Into<Vec<u8>>) -> Self {
        Self { signature: Some(kind), ..Self::new(document) }
    }

    /// The value that this reader sees; of a signature, the document.
    pub(crate) fn value(&self, with_token: bool) -> &Arc<[u8]> {
        match &self.value_v1 {
            Some(value) if !with_token => value,
            _ => &self.value,
        }
    }
}
