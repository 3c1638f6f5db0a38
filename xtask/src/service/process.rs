//! What the kernel knows of a process: its memory, its processor time and its open files.

use std::fs::{read_dir, read_to_string};

/// Ticks of the processor time in `/proc/PID/stat` per second: 100 on every Linux
/// (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in KiB: `VmRSS` of proc_pid_status(5).
pub(crate) fn resident_kib(pid: u32) -> Result<u64, String> {
    let path = format!("/proc/{pid}/status");
    let status = read_to_string(&path).map_err(|error| format!("`{path}`: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
    kib.ok_or_else(|| format!("`{path}` tells no resident memory"))
}

/// Seconds of processor time, that of children that were waited for included.
pub(crate) fn processor_seconds(pid: u32) -> Result<f64, String> {
    let stat = read_to_string(format!("/proc/{pid}/stat")).map_err(|error| error.to_string())?;
    // The program's name stands in parentheses and may hold anything; proc(5) counts fields from 1,
    // `state` is 3.
    let (_, rest) = stat.rsplit_once(')').ok_or("no program name in stat")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: Option<f64> = (14..=17).map(|field| fields.get(field - 3)?.parse::<f64>().ok()).sum();
    ticks.map(|ticks| ticks / TICKS_PER_SECOND).ok_or("no processor time in stat".to_owned())
}

/// How many files and sockets it has open.
pub(crate) fn descriptors(pid: u32) -> Result<usize, String> {
    let path = format!("/proc/{pid}/fd");
    read_dir(&path).map(Iterator::count).map_err(|error| format!("`{path}`: {error}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_this_process() {
        let kib = super::resident_kib(std::process::id()).unwrap();
        assert!((100..10_000_000).contains(&kib), "{kib}");
        assert!(super::descriptors(std::process::id()).unwrap() >= 3);
        assert_eq!(
            super::resident_kib(u32::MAX).unwrap_err(),
            "`/proc/4294967295/status`: No such file or directory (os error 2)"
        );
    }
}
