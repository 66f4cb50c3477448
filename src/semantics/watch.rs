//! A hook for tools that observe handlers. Before a handler is called, the watcher of the current
//! thread gets the node at which it is called. The node also shows which timers are set and which
//! choices are open; the handler's own arguments do not.

use std::any::Any;
use std::cell::Cell;

use crate::election::Election;
use crate::semantics::node::{Clock, NodeOf};

/// Is called with a [`NodeOf`] some protocol, as the node is before the event (down, if it starts).
pub type Watcher = fn(node: &dyn Any, clock: Clock);

thread_local! {
    static WATCHER: Cell<Option<Watcher>> = const { Cell::new(None) };
}

/// Sets or removes the watcher of this thread.
pub fn watch(watcher: Option<Watcher>) {
    WATCHER.set(watcher);
}

/// A handler is about to be called.
pub(crate) fn show<E: Election>(node: &NodeOf<E>, clock: Clock) {
    if let Some(watcher) = WATCHER.get() {
        watcher(node, clock);
    }
}
