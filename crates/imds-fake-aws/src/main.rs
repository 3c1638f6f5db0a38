//! Runs the fake AWS for a program outside: prints its URL and serves until standard input ends.
//!
//! `imds-fake-aws ACCOUNTS REGIONS INSTANCES [harmed]` makes up an organization of that size;
//! `harmed`: one account and Region in a hundred is denied or fails. `imds-fake-aws tour` is the
//! account of `docs/turn-off-imdsv1.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]

use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use imds_fake_aws::{Fake, Instance, Options, Shape, World};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize| words.get(n).and_then(|text| text.parse().ok()).unwrap_or(1);
    let world = if words.first().is_some_and(|word| word == "tour") {
        tour()
    } else {
        let mut world =
            World::generate(Shape { accounts: number(0), regions: number(1), instances: number(2) });
        if words.get(3).is_some_and(|word| word == "harmed") {
            world.harm_one_place_in_a_hundred();
        }
        world
    };
    let fake = Fake::start(world)?;
    println!("{}", fake.url());
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}

/// One Region with an instance that needs IMDSv2, one that allows IMDSv1 and one that uses it, with
/// a sample of both metrics every five minutes.
fn tour() -> World {
    const WEEKS: i64 = 3 * 7 * 86_400;
    let mut world = World::new("111122223333", &["eu-west-1"]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs().cast_signed());
    for (number, (name, tokens, calls)) in
        [("web", "required", 0.0), ("build", "optional", 0.0), ("legacy", "optional", 12.0)]
            .into_iter()
            .enumerate()
    {
        let options = Options::full(tokens, 2, "enabled", "disabled", "disabled");
        let mut instance = Instance::new(&format!("i-{:017x}", number + 1), options);
        instance.launched_at = now - 2 * WEEKS;
        instance.tags.insert("Name".to_owned(), name.to_owned());
        // An hour of them lies ahead, for a gate that waits.
        let times = (now - WEEKS..now + 3_600).step_by(300);
        for (metric, sum) in [("MetadataNoToken", calls), ("MetadataNoTokenRejected", 0.0)] {
            let samples = times.clone().map(|at| (at, sum)).collect();
            world.metrics.insert((instance.id.clone(), metric.to_owned()), samples);
        }
        world.at("111122223333", "eu-west-1").instances.push(instance);
    }
    world
}
