//! Runs the made-up AWS for a program outside: `imds-fake-aws ACCOUNTS REGIONS INSTANCES` prints its URL and serves
//! until its standard input ends.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::io::Read;

use imds_fake_aws::{Fake, Shape, World};

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().unwrap_or(1));
    let mut next = || numbers.next().unwrap_or(1);
    let shape = Shape { accounts: next(), regions: next(), instances: next() };
    let fake = Fake::start(World::generate(shape))?;
    println!("{}", fake.url());
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}
