//! When results were found, and with which sources.

use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// Where results come from.
#[derive(Serialize)]
pub(super) struct Provenance {
    /// The day in universal time.
    date: String,
    /// The commit of the folder in which the command runs, with `-dirty` if files differ from it;
    /// nothing if git knows of none.
    commit: Option<String>,
}

impl Provenance {
    /// Today, here. To be asked before results are found, not after.
    pub(super) fn now() -> Self {
        Provenance { date: day(SystemTime::now()), commit: commit() }
    }
}

fn commit() -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]);
    let told = git.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let commit = String::from_utf8(told.stdout).ok()?.trim().to_string();
    (told.status.success() && !commit.is_empty()).then_some(commit)
}

/// The day in universal time, as `2026-01-31`.
pub(super) fn day(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a number of days since 1970: the algorithm of Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", where a year begins in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}
