//! Shows the progress of a long run in one line of standard error, if that is a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::exploration::Progress;
use crate::support::memory::{self, short};

/// The line of progress.
pub(super) struct Line {
    is_shown: bool,
    is_there: Cell<bool>,
    last: Cell<Option<Instant>>,
    /// The bytes that a run may take: its limit, or what the machine has left.
    memory: Option<u64>,
}

impl Line {
    pub(super) fn new(is_quiet: bool, max_memory: Option<u64>) -> Self {
        Line {
            is_shown: !is_quiet && io::stderr().is_terminal(),
            is_there: Cell::new(false),
            last: Cell::new(None),
            memory: max_memory.or_else(memory::available),
        }
    }

    /// Shows the progress of the run with this title, a few times a second.
    pub(super) fn show(&self, title: &str, progress: &Progress) {
        let is_due =
            self.last.get().is_none_or(|last| last.elapsed() >= Duration::from_millis(250));
        if !self.is_shown || !is_due {
            return;
        }
        self.last.set(Some(Instant::now()));
        self.is_there.set(true);
        let mut line = format!(
            "{title}: {} states, {}/s, depth {}, frontier {}",
            short(progress.distinct as f64),
            short(progress.distinct as f64 / progress.seconds.max(1e-9)),
            progress.depth,
            short(progress.frontier as f64),
        );
        if let Some(bytes) = progress.bytes {
            line += &format!(", {}B", short(bytes as f64));
            if let Some(left) = self.memory.and_then(|memory| memory_lasts(progress, bytes, memory))
            {
                line += &format!(", memory ends in about {left}");
            }
        }
        // Wrapping is off: a wrapped line could not be cleared completely.
        let _ = write!(io::stderr(), "\r\x1b[K\x1b[?7l{line}\x1b[?7h");
    }

    /// Clears the line, so that other output can be written.
    pub(super) fn clear(&self) {
        if self.is_there.take() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// How long the memory lasts at this rate, if that is less than a day.
fn memory_lasts(progress: &Progress, bytes: u64, memory: u64) -> Option<String> {
    let rate = bytes as f64 / progress.seconds;
    let seconds = memory.saturating_sub(bytes) as f64 / rate;
    match seconds {
        _ if progress.seconds < 2.0 || !seconds.is_finite() => None,
        s if s < 90.0 => Some(format!("{s:.0} s")),
        s if s < 5400.0 => Some(format!("{:.0} min", s / 60.0)),
        s if s < 86400.0 => Some(format!("{:.0} h", s / 3600.0)),
        _ => None,
    }
}
