//! The command `imds`.
fn main() {}
