//! Wire profiles: how the answers of each generation of the real service look, byte by byte.

use serde::{Deserialize, Serialize};

/// A generation of the real service whose bytes the emulator answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nitro instances (c5, m5, t3 and later): what captures from 2020 to 2026 show.
    #[default]
    Nitro,
    /// Xen instances (t2, m4, c4): HTTP/1.0 answers.
    Xen,
    /// AWS Snowball Edge (Snowball Edge Developer Guide).
    Snowball,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Nitro, Self::Xen, Self::Snowball];

    /// The profile's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nitro => "nitro",
            Self::Xen => "xen",
            Self::Snowball => "snowball",
        }
    }

    /// The profile of this name, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == text)
    }

    /// What every session token begins with: `AQAEA...` on Nitro, `AQAAA...` on Xen, `MDA...` on a
    /// Snowball.
    pub(crate) const fn token_prefix(self) -> &'static [u8; 4] {
        match self {
            Self::Nitro => b"\x01\x00\x04\x00",
            Self::Xen => b"\x01\x00\x00\x00",
            Self::Snowball => b"00\x17s",
        }
    }
}
