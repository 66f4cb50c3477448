//! Catches panics of a protocol's or model's code. Engines report such a panic in their answer. So
//! the panic itself prints neither its message nor a backtrace.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// How many calls of [`caught`] are under way.
    static CATCHING: Cell<u32> = const { Cell::new(0) };
    /// The place of the last panic that was caught.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a function that may panic.
///
/// # Errors
/// The message of the panic, and where it happened.
pub fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| match CATCHING.get() {
            0 => others(info),
            _ => {
                PLACE.set(info.location().map(|place| format!("{}:{}", place.file(), place.line())))
            }
        }));
    });
    CATCHING.set(CATCHING.get() + 1);
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(CATCHING.get() - 1);
    outcome.map_err(|panic| {
        let place = PLACE.take().map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{}{place}", text(&*panic))
    })
}

/// On one line.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_is_caught_says_what_and_where() {
        let why = caught(|| panic!("out of {}", "luck")).expect_err("it panics");
        assert!(why.starts_with("out of luck (") && why.contains("panics.rs:"), "{why}");
        assert_eq!(caught(|| 7), Ok(7));
    }
}
