//! What a fleet consists of, as far as metadata options go. No I/O.

pub mod effective;
pub mod options;
pub mod owner;
pub mod resource;
