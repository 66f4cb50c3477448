//! Threads that share out numbered work, the caller's among them. Who does what is left to chance, and nothing else is, as
//! results come back in the order of the work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

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

    /// Applies `f` to every item and returns the results in the order of the items. What is not `much` work altogether
    /// is not worth waking anybody for.
    pub fn map<I: Send, R: Send>(
        &self,
        much: bool,
        items: impl Iterator<Item = I>,
        f: impl Fn(usize, I) -> R + Sync,
    ) -> Vec<R> {
        let Some(others) = self.others.as_ref().filter(|_| much) else {
            return items.enumerate().map(|(i, item)| f(i, item)).collect();
        };
        let items: Vec<Mutex<Option<I>>> = items.map(|item| Mutex::new(Some(item))).collect();
        let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
        let ticket = AtomicUsize::new(0);
        let work = || {
            loop {
                let i = ticket.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(i) else { return };
                let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
                let result = f(i, item.expect("a ticket is drawn once"));
                *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            }
        };
        others.in_place_scope(|scope| {
            for _ in 1..self.threads.min(items.len()) {
                scope.spawn(|_| work());
            }
            work();
        });
        let result = |slot: Mutex<Option<R>>| slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.into_iter().map(|slot| result(slot).expect("every ticket was drawn")).collect()
    }
}
