//! What is wrong with an instance, and where.

use crate::base::span::Step;

/// What about an instance cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Where it is, counted from the instance; what may be to blame as well follows.
    pub(crate) places: Vec<Vec<Step>>,
    /// What it is, and what is accepted.
    pub(crate) message: String,
}
