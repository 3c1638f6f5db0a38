//! SIGKILL at drawn moments: writers of the token store, watches, lifecycle daemons, and fleet
//! changes with their rollbacks.

use crate::workspace;

/// The test of each, and how many of a hundred kills it gets: the cheaper, the more.
const TESTS: [(&str, &str, u64); 4] = [
    ("imds-cli", "killed::writers_of_the_token_store_at_any_moment", 50),
    ("imds-cli", "killed::a_watch_at_any_moment", 20),
    ("imds-lifecycle", "killed::at_any_moment", 20),
    ("imds-fleet", "killed::apply_and_rollback_killed_at_any_moment_lose_nothing_and_do_nothing_twice", 10),
];

/// Runs the tests with this many kills in all.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let usage = || "usage: cargo xtask kill [--count N], at least 100".to_owned();
    let count: u64 = match arguments {
        [] => 5_000,
        [option, value] if option == "--count" => value.parse().map_err(|_| usage())?,
        _ => return Err(usage()),
    };
    if count < 100 {
        return Err(usage());
    }
    for (package, test, share) in TESTS {
        let kills = count * share / 100;
        println!("{package}, {test}: {kills} times");
        let mut command = workspace::cargo();
        command.args(["test", "--locked", "--quiet", "--package", package, "--test", "it"]);
        command.args(["--", "--exact", test, "--nocapture"]).env("IMDS_KILLS", kills.to_string());
        let said = workspace::output_of(&mut command)?;
        // A test that was renamed would hold without having run.
        if !said.contains("test result: ok. 1 passed") {
            return Err(format!("`{test}` did not run:\n{said}"));
        }
        for line in said.lines().filter(|line| line.contains("kills")) {
            println!("    {line}");
        }
    }
    println!("{count} times killed with SIGKILL at least: nothing lost, nothing done twice");
    Ok(())
}
