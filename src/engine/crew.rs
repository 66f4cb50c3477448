//! Threads that share out numbered work; who does what is left to chance, and nothing else is, as results come back in
//! the order of the work.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A number of threads that live as long as a search.
pub struct Crew {
    /// Without one, the caller works alone.
    pool: Option<ThreadPool>,
    pub threads: usize,
}

impl Crew {
    pub fn new(threads: usize) -> Self {
        let build = || ThreadPoolBuilder::new().num_threads(threads).build().ok();
        let pool = (threads > 1).then(build).flatten();
        Crew { threads: if pool.is_some() { threads } else { 1 }, pool }
    }

    /// Applies `f` to every item and returns the results in the order of the items.
    pub fn map<I: Sync, R: Send>(&self, items: &[I], f: impl Fn(&I) -> R + Sync + Send) -> Vec<R> {
        match &self.pool {
            Some(pool) if items.len() > 1 => {
                pool.install(|| items.par_iter().with_max_len(1).map(f).collect())
            }
            _ => items.iter().map(f).collect(),
        }
    }

    /// Calls `f` once with each of `parts` and its number.
    pub fn each<P: Send>(&self, parts: Vec<P>, f: impl Fn(usize, P) + Sync + Send) {
        match &self.pool {
            Some(pool) if parts.len() > 1 => {
                pool.install(|| parts.into_par_iter().enumerate().for_each(|(i, part)| f(i, part)));
            }
            _ => parts.into_iter().enumerate().for_each(|(i, part)| f(i, part)),
        }
    }
}
