//! Waits that are long enough where a message takes a tick.

/// Options of a protocol. With shorter waits every message on a ring is handed on to the next node,
/// too, nobody in Bully ever hears an answer in time, and no leader of Zab is established in time.
pub(crate) fn waits(protocol: &str) -> toml::Table {
    let waits: &[(&str, i64)] = match protocol {
        "bully" => &[("answer", 3), ("coordinator", 5), ("monitor", 5)],
        "ring" => &[("acknowledgement", 3), ("heartbeat", 4), ("monitor", 12)],
        "zab" => &[("contact", 7)],
        _ => &[],
    };
    waits.iter().map(|(wait, ticks)| (wait.to_string(), (*ticks).into())).collect()
}
