//! Which mutant is on. The mutated copies of the protocols ask here at every place where a mistake
//! can be made.
//!
//! A mutant is chosen for a thread ([`put_to_test`]), and is on only while a handler runs
//! ([`begin`]): the same functions also serve those who judge, and these are not to be mistaken. A
//! run with one thread calls its handlers on that thread, so that as many mutants are tried at a
//! time as there are threads.

use std::cell::Cell;

use stateright::actor::{Actor, Out};

/// The number of no mutant.
pub const NONE: u32 = 0;

/// So many places may be passed in one call of a handler; the longest of an unmutated one passes
/// some hundred.
const MOST_PLACES: u32 = 1_000_000;

thread_local! {
    static UNDER_TEST: Cell<u32> = const { Cell::new(NONE) };
    static ACTIVE: Cell<u32> = const { Cell::new(NONE) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACES: Cell<u32> = const { Cell::new(0) };
    static RAN: Cell<bool> = const { Cell::new(false) };
}

/// From now on, handlers that run on this thread have this mistake.
pub fn put_to_test(mutant: u32) {
    UNDER_TEST.set(mutant);
    RAN.set(false);
}

/// Whether the changed code was reached since the mutant was chosen.
pub fn has_run() -> bool {
    RAN.get()
}

/// Whether this thread is in a handler.
pub fn is_running() -> bool {
    DEPTH.get() > 0
}

/// A handler runs, until this is dropped.
pub struct Running(());

pub fn begin() -> Running {
    if DEPTH.get() == 0 {
        ACTIVE.set(UNDER_TEST.get());
        PLACES.set(0);
    }
    DEPTH.set(DEPTH.get() + 1);
    Running(())
}

impl Drop for Running {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            ACTIVE.set(NONE);
        }
    }
}

/// Whether this very mistake is to be made.
///
/// # Panics
/// In a handler that a mutant keeps from coming to its end.
pub fn on(mutant: u32) -> bool {
    let active = ACTIVE.get();
    if active == NONE {
        return false;
    }
    let places = PLACES.get() + 1;
    PLACES.set(places);
    assert!(places < MOST_PLACES, "a handler does not end");
    if active == mutant {
        RAN.set(true);
    }
    active == mutant
}

/// All items, or all but the last.
pub fn without_last<I: IntoIterator>(mutant: u32, items: I) -> impl Iterator<Item = I::Item> {
    let is_on = on(mutant);
    let mut items = items.into_iter().peekable();
    std::iter::from_fn(move || {
        // Also a loop that another mistake keeps going is to end.
        let _ = on(NONE);
        let item = items.next();
        if is_on && items.peek().is_none() { None } else { item }
    })
}

/// The commands from `start` to `middle` may come after all later ones.
#[allow(dead_code)] // Not every protocol saves.
pub fn swap<A: Actor>(mutant: u32, out: &mut Out<A>, start: usize, middle: usize) {
    if on(mutant) {
        let mut commands: Vec<_> = std::mem::take(out).into_iter().collect();
        commands[start..].rotate_left(middle - start);
        *out = commands.into_iter().collect();
    }
}
