//! What a poll costs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{emulator, start};
use crate::service::process;

/// The loop that people write: a token and a value per round, as the EC2 User Guide shows them.
const BASH: &str = r#"
while :; do
    token=$(curl -sf -X PUT "$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/api/token" -H "$TTL: 21600")
    state=$(curl -sf -H "$TOKEN: $token" "$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest/meta-data/autoscaling/target-lifecycle-state")
    case $state in InService | Standby | Detached) ;; Terminated) exit ;; esac
    sleep 0.001
done
"#;

/// What a contender took.
struct Cost {
    polls: u64,
    connections: u64,
    token_puts: u64,
    processor_seconds: f64,
    /// Resident KiB early and at the end.
    resident: [u64; 2],
}

pub(super) fn run(imds: &Path, polls: u64, loops: u64) -> Result<(), String> {
    let mut watch = Command::new(imds);
    watch.args(["watch", "--interval", "5ms", "lifecycle"]);
    let ours = measure(imds, &mut watch, polls)?;
    let headers = format!("TTL={} TOKEN={}", imds_model::header::TOKEN_TTL, imds_model::header::TOKEN);
    let bash = measure(imds, Command::new("bash").args(["-c", &format!("{headers}; {BASH}")]), loops)?;
    println!("| | polls | connections | token PUTs | CPU per poll | resident early | resident at the end |");
    println!("|---|---|---|---|---|---|---|");
    for (name, cost) in [("imds watch", &ours), ("bash loop", &bash)] {
        println!(
            "| {name} | {} | {} | {} | {:.0} us | {} KiB | {} KiB |",
            cost.polls,
            cost.connections,
            cost.token_puts,
            per_poll(cost) * 1e6,
            cost.resident[0],
            cost.resident[1]
        );
    }
    println!("CPU per poll: 1/{:.0} of the bash loop's\n", per_poll(&bash) / per_poll(&ours));
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand polls")]
fn per_poll(cost: &Cost) -> f64 {
    cost.processor_seconds / cost.polls as f64
}

fn measure(imds: &Path, command: &mut Command, polls: u64) -> Result<Cost, String> {
    let emulator = emulator(imds)?;
    emulator.set("autoscaling/target-lifecycle-state", "InService")?;
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let child = start(command, &emulator, home.path())?;
    let pid = child.0.id();
    let until = |gets: u64| {
        while emulator.counter("gets")? < gets {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok::<_, String>(())
    };
    // Past whatever a start allocates.
    until(polls / 10)?;
    let early = process::resident_kib(pid)?;
    until(polls)?;
    let (late, processor_seconds) = (process::resident_kib(pid)?, process::processor_seconds(pid)?);
    Ok(Cost {
        polls: emulator.counter("gets")?,
        connections: emulator.counter("connections")?,
        token_puts: emulator.counter("token_puts")?,
        processor_seconds,
        resident: [early, late],
    })
}
