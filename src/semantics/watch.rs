//! For tools that look into handlers: before a handler is called, whoever watches on that thread is
//! shown the node that it is called of. A handler's own arguments say nothing of the timers that
//! are set and the choices that are open.

use std::any::Any;
use std::cell::Cell;

use crate::election::Election;
use crate::semantics::node::{Clock, NodeOf};

/// Is shown a [`NodeOf`] some protocol, as it is before the event (down, if it starts).
pub type Watcher = fn(node: &dyn Any, clock: Clock);

thread_local! {
    static WATCHER: Cell<Option<Watcher>> = const { Cell::new(None) };
}

/// Shows this thread's calls of handlers to somebody, or to nobody any more.
pub fn watch(watcher: Option<Watcher>) {
    WATCHER.set(watcher);
}

/// A handler is about to be called.
pub(crate) fn show<E: Election>(node: &NodeOf<E>, clock: Clock) {
    if let Some(watcher) = WATCHER.get() {
        watcher(node, clock);
    }
}
