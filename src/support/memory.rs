//! How much memory there is: a limit of memory is in force even where nobody asks for one, since a
//! machine that runs out of it ends the program, and all that was seen is lost.

use std::fs::read_to_string;

/// What a run may take unless told: three quarters of what is available. `None` where the system
/// does not tell.
pub fn usual_limit() -> Option<u64> {
    available().map(|bytes| bytes / 4 * 3)
}

/// What the machine can still give, or the container that the program runs in.
pub fn available() -> Option<u64> {
    machine().into_iter().chain(container()).min()
}

fn machine() -> Option<u64> {
    let meminfo = read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// What the control group allows, as a container sees its own. What is used to cache files is given
/// back when needed.
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

/// Three digits and a unit, such as `17.2 G`: powers of ten.
pub fn short(n: f64) -> String {
    let units = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    match units.into_iter().find(|(unit, _)| n >= *unit) {
        Some((unit, letter)) => format!("{:.1} {letter}", n / unit),
        None => format!("{n:.0} ").trim_end().to_string(),
    }
}
