//! The visited set, by itself: against a plain set, and its sharing among threads in every
//! interleaving that `loom` can think of.

use std::collections::HashSet;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use oneleader::engine::visited::{SHARDS, Shard, shard_of};

/// Numbers that are spread over all shards, and repeat; no lower half is 0.
fn fingerprints(n: u64, different: u64) -> Vec<u64> {
    let spread = |i: u64| (i % different + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..n).map(|i| spread(i.wrapping_mul(7919))).collect()
}

/// The positions at which a fingerprint stands for the first time.
fn firsts(fingerprints: &[u64]) -> Vec<u32> {
    let mut seen = HashSet::new();
    (0..fingerprints.len() as u32).filter(|&i| seen.insert(fingerprints[i as usize])).collect()
}

/// The fingerprints that belong to a shard, with their positions.
fn belonging(fingerprints: &[u64], shard: usize) -> Vec<(u64, u32)> {
    let numbered = fingerprints.iter().copied().zip(0..);
    numbered.filter(|(fingerprint, _)| shard_of(*fingerprint) == shard).collect()
}

fn empty() -> Vec<Shard> {
    (0..SHARDS).map(|_| Shard::default()).collect()
}

#[test]
fn it_is_a_set_however_often_it_grows() {
    let all = fingerprints(1_200_000, 450_000);
    let mut shards = empty();
    let mut new = Vec::new();
    // In batches, as a search offers them.
    for (batch, first) in all.chunks(100_000).zip((0..).step_by(100_000)) {
        for (i, shard) in shards.iter_mut().enumerate() {
            let mut offered = belonging(batch, i);
            shard.sift(&mut offered, |(fingerprint, _)| *fingerprint);
            new.extend(offered.iter().map(|(_, at)| first + at));
        }
    }
    let held: usize = shards.iter().map(Shard::len).sum();
    assert_eq!(held, new.len());
    assert!(shards.iter().all(|shard| shard.bytes() >= 8 * shard.len() as u64));
    new.sort_unstable();
    assert_eq!(new, firsts(&all));
}

#[test]
fn fingerprints_that_crowd_at_the_end_find_room() {
    let mut shard = Shard::default();
    let crowd: Vec<u64> = (1..5_000).map(|i| u64::MAX << 32 | i).collect();
    assert!(crowd.iter().all(|&fingerprint| shard.insert(fingerprint)));
    assert!(crowd.iter().all(|&fingerprint| !shard.insert(fingerprint)));
    assert_eq!(shard.len(), crowd.len());
}

#[test]
fn in_every_interleaving_each_state_is_new_once_and_where_it_stands_first() {
    loom::model(|| {
        let all = fingerprints(8, 3);
        let is_new: Arc<Vec<AtomicBool>> =
            Arc::new(all.iter().map(|_| AtomicBool::new(false)).collect());
        // Loom's threads outlive their maker, so each brings the shards that it works on.
        let work = |half: usize| {
            let mine: Vec<_> =
                (0..SHARDS).filter(|i| i % 2 == half).map(|i| belonging(&all, i)).collect();
            let is_new = is_new.clone();
            move || {
                for mut offered in mine {
                    Shard::default().sift(&mut offered, |(fingerprint, _)| *fingerprint);
                    for (_, at) in offered {
                        assert!(
                            !is_new[at as usize].swap(true, Ordering::Relaxed),
                            "{at} was new twice"
                        );
                    }
                }
            }
        };
        let other = thread::spawn(work(1));
        work(0)();
        other.join().expect("it does not panic");
        let new: Vec<u32> =
            (0..all.len() as u32).filter(|&i| is_new[i as usize].load(Ordering::Relaxed)).collect();
        assert_eq!(new, firsts(&all));
    });
}
