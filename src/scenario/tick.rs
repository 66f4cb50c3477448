//! The length of a tick, as text: `10ms`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Timers are multiples of it, and none runs for days.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn serialize<S: Serializer>(tick: &Duration, s: S) -> Result<S::Ok, S::Error> {
    s.serialize_str(&format!("{}us", tick.as_micros()))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(d)?;
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit: Option<u64> = match &text[digits.len()..] {
        "us" => Some(1),
        "ms" => Some(1_000),
        "s" => Some(1_000_000),
        _ => None,
    };
    let wrong = |why: &str| D::Error::custom(format!("tick `{text}`: {why}"));
    let (Ok(n @ 1..), Some(unit)) = (digits.parse::<u64>(), unit) else {
        return Err(wrong("expected a duration above 0, in us, ms or s, such as \"10ms\""));
    };
    // A longer tick could not be written again.
    let micros = n.checked_mul(unit).filter(|micros| *micros <= LONGEST.as_micros() as u64);
    micros.map(Duration::from_micros).ok_or_else(|| wrong("expected at most a day"))
}
