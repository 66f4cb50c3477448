//! The visited set, by itself: against a plain set, and its sharing among threads in every interleaving that `loom` can
//! think of.

use std::collections::HashSet;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use oneleader::engine::visited::{SHARDS, Shard, offer};

/// The shards of one owner, numbered as [`offer`] expects them.
fn owned(owner: usize, owners: usize) -> Vec<(usize, Shard)> {
    (0..SHARDS).filter(|i| i % owners == owner).map(|i| (i, Shard::default())).collect()
}

fn lent(shards: &mut [(usize, Shard)]) -> Vec<(usize, &mut Shard)> {
    shards.iter_mut().map(|(i, shard)| (*i, shard)).collect()
}

/// Numbers that are spread over all shards, and repeat.
fn fingerprints(n: u64, different: u64) -> Vec<u64> {
    let spread = |i: u64| (i % different + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..n).map(|i| spread(i.wrapping_mul(7919))).collect()
}

/// The positions at which a fingerprint stands for the first time.
fn firsts(fingerprints: &[u64]) -> Vec<usize> {
    let mut seen = HashSet::new();
    (0..fingerprints.len()).filter(|&i| seen.insert(fingerprints[i])).collect()
}

#[test]
fn it_is_a_set_however_often_it_grows() {
    let all = fingerprints(400_000, 150_000);
    for owners in [1, 2, 3] {
        let mut new = Vec::new();
        for owner in 0..owners {
            let mut shards = owned(owner, owners);
            let mut shards = lent(&mut shards);
            offer(&mut shards, owner, owners, all.iter().copied().enumerate(), |i| new.push(i));
            let held: usize = shards.iter().map(|(_, shard)| shard.len()).sum();
            assert!(held > 0 && shards.iter().all(|(_, shard)| shard.bytes() >= 8 * shard.len() as u64));
        }
        new.sort_unstable();
        assert_eq!(new, firsts(&all), "{owners} owners");
    }
}

#[test]
fn in_every_interleaving_each_state_is_new_once_and_where_it_stands_first() {
    loom::model(|| {
        let all: Arc<Vec<u64>> = Arc::new(fingerprints(8, 3));
        let is_new: Arc<Vec<AtomicBool>> = Arc::new(all.iter().map(|_| AtomicBool::new(false)).collect());
        let work = |owner: usize| {
            let (all, is_new) = (all.clone(), is_new.clone());
            move || {
                let mut shards = owned(owner, 2);
                let candidates = all.iter().copied().enumerate();
                offer(&mut lent(&mut shards), owner, 2, candidates, |i| {
                    assert!(!is_new[i].swap(true, Ordering::Relaxed), "{i} was new to both owners");
                });
            }
        };
        let other = thread::spawn(work(1));
        work(0)();
        other.join().expect("it does not panic");
        let new: Vec<usize> = (0..all.len()).filter(|&i| is_new[i].load(Ordering::Relaxed)).collect();
        assert_eq!(new, firsts(&all));
    });
}
