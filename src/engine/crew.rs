//! Threads that share out work, the caller's among them. Who does what is left to chance, so each piece of work is to keep what
//! comes of it to itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// How often to look whether the others are done, before sleeping on it.
const SPINS: usize = 1 << 13;

/// A number of threads that live as long as a search.
pub struct Crew {
    /// All threads but the caller's.
    others: Option<ThreadPool>,
    pub threads: usize,
}

impl Crew {
    pub fn new(threads: usize) -> Self {
        let build = || ThreadPoolBuilder::new().num_threads(threads - 1).build().ok();
        let others = (threads > 1).then(build).flatten();
        Crew { threads: if others.is_some() { threads } else { 1 }, others }
    }

    /// Applies `f` to every item. What is not `much` work altogether is not worth waking anybody for.
    pub fn each<I: Send>(&self, much: bool, items: impl Iterator<Item = I>, f: impl Fn(I) + Sync) {
        let Some(others) = self.others.as_ref().filter(|_| much) else {
            return items.for_each(f);
        };
        let items: Vec<Mutex<Option<I>>> = items.map(|item| Mutex::new(Some(item))).collect();
        let (ticket, left) = (AtomicUsize::new(0), AtomicUsize::new(items.len()));
        let work = || {
            while let Some(item) = items.get(ticket.fetch_add(1, Ordering::Relaxed)) {
                let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                f(item.expect("a ticket is drawn once"));
                left.fetch_sub(1, Ordering::Relaxed);
            }
        };
        others.in_place_scope(|scope| {
            for _ in 1..self.threads.min(items.len()) {
                scope.spawn(|_| work());
            }
            work();
            // The others will be done in a moment, and to fall asleep would take longer.
            for _ in 0..SPINS {
                if left.load(Ordering::Relaxed) == 0 {
                    break;
                }
                std::hint::spin_loop();
            }
        });
    }
}
