//! Work that all threads share. Compiled once: whatever is generic here is compiled for each
//! protocol, and rayon's own iterators are large.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// `f` of each number below `count`, in the order of the numbers.
pub fn map<R: Send>(count: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let places: Vec<Mutex<Option<R>>> = (0..count).map(|_| Mutex::new(None)).collect();
    each(count, &|number| {
        let found = f(number);
        *places[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    });
    let taken = |place: Mutex<Option<R>>| {
        let found = place.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.expect("each number was worked on")
    };
    places.into_iter().map(taken).collect()
}

fn each(count: usize, f: &(dyn Fn(usize) + Sync)) {
    (0..count).into_par_iter().for_each(f);
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_are_in_order() {
        assert_eq!(super::map(1000, |n| 3 * n), (0..1000).map(|n| 3 * n).collect::<Vec<_>>());
        assert!(super::map(0, |n| n).is_empty());
    }
}
