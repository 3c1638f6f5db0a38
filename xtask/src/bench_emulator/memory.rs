//! How much memory of a process is resident.

/// `VmRSS` of a process (proc_pid_status(5)).
pub(super) fn resident_kib(process: u32) -> Result<u64, String> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("`{path}`: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
    kib.ok_or_else(|| format!("`{path}` tells no resident memory"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn of_this_process() {
        let kib = super::resident_kib(std::process::id()).unwrap();
        assert!((100..10_000_000).contains(&kib), "{kib}");
        assert_eq!(
            super::resident_kib(u32::MAX).unwrap_err(),
            "`/proc/4294967295/status`: No such file or directory (os error 2)"
        );
    }
}
