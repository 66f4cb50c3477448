//! How much memory there is. Every run has a limit of memory, even if nobody asks for one: if the
//! machine ran out of memory, it would kill the program, and everything seen would be lost.

use std::fs::read_to_string;

/// The default limit of a run in bytes: three quarters of what is available. `None` if the
/// operating system does not say how much is available.
pub fn usual_limit() -> Option<u64> {
    available().map(|bytes| bytes / 4 * 3)
}

/// How many bytes the machine, or the container in which the program runs, can still give.
pub fn available() -> Option<u64> {
    machine().into_iter().chain(container()).min()
}

fn machine() -> Option<u64> {
    let meminfo = read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// How many bytes the control group of the container still allows. Memory that caches files counts
/// as free.
fn container() -> Option<u64> {
    let number = |path: &str| read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let cached = |path: &str, key: &str| {
        let stat = read_to_string(path).ok()?;
        stat.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok())
    };
    let folder = "/sys/fs/cgroup";
    let version_2 = || {
        let most = number(&format!("{folder}/memory.max"))?;
        let used = number(&format!("{folder}/memory.current"))?;
        Some((most, used, cached(&format!("{folder}/memory.stat"), "file ")))
    };
    let version_1 = || {
        let most = number(&format!("{folder}/memory/memory.limit_in_bytes"))?;
        let used = number(&format!("{folder}/memory/memory.usage_in_bytes"))?;
        Some((most, used, cached(&format!("{folder}/memory/memory.stat"), "total_cache ")))
    };
    let (most, used, cached) = version_2().or_else(version_1)?;
    Some(most.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

/// A number with one decimal and a unit (powers of ten), such as `17.2 G`.
pub fn short(n: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.into_iter().find(|(unit, _)| n >= *unit) {
        Some((unit, letter)) => format!("{:.1} {letter}", n / unit),
        None => format!("{n:.0} ").trim_end().to_string(),
    }
}
