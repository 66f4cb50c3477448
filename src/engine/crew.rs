//! A few threads that share out numbered work.
//!
//! Who does what is left to chance; results come back in the order of the work, so that nothing else is. Work is
//! claimed with a ticket, the only thing that the threads write to together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Applies `f` to every item, with so many threads, and returns the results in the order of the items.
pub fn map<I: Sync, R: Send>(threads: usize, items: &[I], f: impl Fn(usize, &I) -> R + Sync) -> Vec<R> {
    if threads <= 1 || items.len() <= 1 {
        return items.iter().enumerate().map(|(i, item)| f(i, item)).collect();
    }
    let ticket = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = ticket.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i) else { return done };
            done.push((i, f(i, item)));
        }
    };
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        for (i, result) in done {
            results[i] = Some(result);
        }
    });
    results.into_iter().map(|r| r.expect("every ticket was drawn")).collect()
}

/// Lets every thread do its own part: `f` is called once with each of `parts`.
pub fn each<P: Send>(parts: Vec<P>, f: impl Fn(usize, P) + Sync) {
    let f = &f;
    let mut parts = parts.into_iter().enumerate();
    let Some((_, first)) = parts.next() else { return };
    thread::scope(|scope| {
        for (i, part) in parts {
            scope.spawn(move || f(i, part));
        }
        f(0, first);
    });
}
