//! Runs the fake AWS for a program outside: prints its URL and serves until standard input ends.
//!
//! `imds-fake-aws ACCOUNTS REGIONS INSTANCES [WORD...]` makes up an organization of that size.
//! `harmed`: one account and Region in a hundred is denied or fails; `slow`: every answer takes
//! 50 ms; `pending`: a change is shown as `pending` twice. `imds-fake-aws tour` is the account of
//! `docs/turn-off-imdsv1.md`. `imds-fake-aws group [ADDRESS [GROUP [INSTANCE]]]` is an Auto Scaling
//! group with one instance (by default those of the emulator), whose walks are begun by a form at
//! `/_fake/group`: `curl -d walk=terminate -d drain=75s URL/_fake/group`. `imds-fake-aws cases` is
//! the account of cases whose truth is known; `imds-fake-aws cases list` prints them.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]

use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use imds_fake_aws::autoscaling::live::LiveGroup;
use imds_fake_aws::cases::{CASES, Case, cases};
use imds_fake_aws::{Fake, Shape, World};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize| words.get(n).and_then(|text| text.parse().ok()).unwrap_or(1);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs().cast_signed());
    let first = words.first().map(String::as_str);
    if first == Some("cases") && words.get(1).is_some_and(|word| word == "list") {
        CASES.iter().for_each(|Case(id, what, truth)| println!("{id}\t{what}\t{}", truth.word()));
        return Ok(());
    }
    let world = if first == Some("tour") {
        World::tour(now)
    } else if first == Some("cases") {
        cases()
    } else {
        let mut world =
            World::generate(Shape { accounts: number(0), regions: number(1), instances: number(2) });
        for word in words.iter().skip(3).filter(|_| first != Some("group")) {
            match word.as_str() {
                "harmed" => {
                    world.harm_one_place_in_a_hundred();
                }
                "slow" => world.delay = Duration::from_millis(50),
                "pending" => world.pending_descriptions = 2,
                other => return Err(std::io::Error::other(format!("no word `{other}`"))),
            }
        }
        world
    };
    let fake = if words.first().is_some_and(|word| word == "group") {
        let word = |n: usize, usual: &str| words.get(n).cloned().unwrap_or_else(|| usual.to_owned());
        let address = word(1, "127.0.0.1:0").parse().map_err(std::io::Error::other)?;
        let group = LiveGroup::new(&word(2, "my-group"), &word(3, "i-1234567890abcdef0"), 3_600);
        Fake::start_at(address, World::new("123456789012", &["us-east-1"]), Some(group))?
    } else {
        Fake::start(world)?
    };
    println!("{}", fake.url());
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}
