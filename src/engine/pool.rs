//! A pool of threads that share work; the caller's thread is one of them. Which thread does which
//! piece of work is left to chance, so each piece must store its results in a place of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// How often to look whether the other threads are done before going to sleep.
const SPINS: usize = 1 << 13;

/// Threads that live as long as a search.
pub(crate) struct WorkerPool {
    /// All threads but the caller's.
    others: Option<ThreadPool>,
    threads: usize,
}

impl WorkerPool {
    /// A pool of this many threads. If no others can be started, the caller works alone.
    pub(crate) fn new(threads: usize) -> Self {
        let build = || ThreadPoolBuilder::new().num_threads(threads - 1).build().ok();
        let others = (threads > 1).then(build).flatten();
        WorkerPool { threads: if others.is_some() { threads } else { 1 }, others }
    }

    /// Applies `f` to every item. Unless `is_much` is true, the caller does all the work alone, as
    /// waking other threads would take longer.
    pub(crate) fn each<I: Send>(
        &self,
        is_much: bool,
        items: impl Iterator<Item = I>,
        f: impl Fn(I) + Sync,
    ) {
        let Some(others) = self.others.as_ref().filter(|_| is_much) else {
            return items.for_each(f);
        };
        let items: Vec<Mutex<Option<I>>> = items.map(|item| Mutex::new(Some(item))).collect();
        self.share(others, items.len(), &|at: usize| {
            let item = items[at].lock().unwrap_or_else(PoisonError::into_inner).take();
            f(item.expect("a ticket is drawn once"));
        });
    }

    /// Applies `f` to each number below `count`. Not generic, so that it is compiled once.
    fn share(&self, others: &ThreadPool, count: usize, f: &(dyn Fn(usize) + Sync)) {
        let (ticket, left) = (AtomicUsize::new(0), AtomicUsize::new(count));
        let work = || {
            loop {
                let at = ticket.fetch_add(1, Ordering::Relaxed);
                if at >= count {
                    break;
                }
                f(at);
                left.fetch_sub(1, Ordering::Relaxed);
            }
        };
        others.in_place_scope(|scope| {
            for _ in 1..self.threads.min(count) {
                scope.spawn(|_| work());
            }
            work();
            // The others will finish soon: waiting actively takes less time than going to sleep.
            for _ in 0..SPINS {
                if left.load(Ordering::Relaxed) == 0 {
                    break;
                }
                std::hint::spin_loop();
            }
        });
    }
}
