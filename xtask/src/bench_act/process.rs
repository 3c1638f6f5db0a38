//! What the kernel knows of a process: its memory and its processor time.

use std::fs::read_to_string;

/// Ticks of the processor time in `/proc/PID/stat` per second: 100 on every Linux
/// (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in KiB.
pub(super) fn resident(pid: u32) -> Result<u64, String> {
    let status = read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or("no VmRSS".to_owned())
}

/// Seconds of processor time, that of children that were waited for included.
pub(super) fn processor_seconds(pid: u32) -> Result<f64, String> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).map_err(|error| error.to_string())?;
    // The program's name stands in parentheses and may hold anything; proc(5) counts fields from 1,
    // `state` is 3.
    let (_, rest) = stat.rsplit_once(')').ok_or("no program name in stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: Option<f64> = (14..=17).map(|field| fields.get(field - 3)?.parse::<f64>().ok()).sum();
    ticks.map(|ticks| ticks / TICKS_PER_SECOND).ok_or("no processor time in stat".to_owned())
}
