//! Runs the fake AWS for a program outside: `imds-fake-aws ACCOUNTS REGIONS INSTANCES [harmed]`
//! prints its URL and serves until its standard input ends. `harmed`: one place in a hundred is
//! denied or fails.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

use std::io::Read;

use imds_fake_aws::{Fake, Shape, World};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize| words.get(n).and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut world = World::generate(Shape { accounts: number(0), regions: number(1), instances: number(2) });
    if words.get(3).is_some_and(|word| word == "harmed") {
        world.harm_one_place_in_a_hundred();
    }
    let fake = Fake::start(world)?;
    println!("{}", fake.url());
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}
