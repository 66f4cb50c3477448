//! The set of fingerprints seen: open addressing in shards, each of which grows by itself.
//!
//! No shard is ever shared. A batch of candidates is offered to all shards at once, and each thread owns the shards
//! whose number it matches; so there is nothing to lock and nothing to race for, and of equal candidates the first in
//! the order of the batch is always the one that is new. Look-ups of a group are issued together, so that the memory
//! works on many of them at a time.

/// Shards are chosen by the highest bits of a fingerprint.
pub const SHARDS: usize = 64;

/// Slots looked up together.
const GROUP: usize = 32;

/// A shard is grown when it is fuller than this share of 16ths..
const FULL: usize = 13;

/// ..to twice its size while it is small, to one and a half of it later: memory for time.
const SMALL: usize = 1 << 18;

/// One shard of the set.
pub struct Shard {
    /// 0 is an empty slot.
    slots: Vec<u64>,
    used: usize,
}

/// The shard of a fingerprint.
#[inline]
pub fn shard_of(fingerprint: u64) -> usize {
    (fingerprint >> 58) as usize
}

impl Default for Shard {
    fn default() -> Self {
        Shard { slots: vec![0; 16], used: 0 }
    }
}

impl Shard {
    /// The slot where the search for a fingerprint starts: its middle bits, scaled.
    #[inline]
    fn home(&self, fingerprint: u64) -> usize {
        ((u128::from(fingerprint << 6) * self.slots.len() as u128) >> 64) as usize
    }

    /// Adds a fingerprint that is not 0; whether it is new.
    #[inline]
    pub fn insert(&mut self, fingerprint: u64) -> bool {
        if self.used * 16 >= self.slots.len() * FULL {
            self.grow();
        }
        let mut at = self.home(fingerprint);
        loop {
            match self.slots[at] {
                0 => {
                    self.slots[at] = fingerprint;
                    self.used += 1;
                    return true;
                }
                seen if seen == fingerprint => return false,
                _ => {
                    at += 1;
                    if at == self.slots.len() {
                        at = 0;
                    }
                }
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let slots = self.slots.len();
        let larger = vec![0; if slots < SMALL { slots * 2 } else { slots * 3 / 2 }];
        let old = std::mem::replace(&mut self.slots, larger);
        self.used = 0;
        for fingerprint in old.into_iter().filter(|&f| f != 0) {
            self.insert(fingerprint);
        }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub fn bytes(&self) -> u64 {
        self.slots.len() as u64 * 8
    }
}

/// Offers fingerprints, in order, to the shards that one of `owners` owners holds; `is_new` is told the position of each
/// that was not seen before.
pub fn offer(
    shards: &mut [(usize, &mut Shard)],
    owner: usize,
    owners: usize,
    fingerprints: impl Iterator<Item = (usize, u64)>,
    mut is_new: impl FnMut(usize),
) {
    let mut group = [(0usize, 0u64); GROUP];
    let mut n = 0;
    let mut flush = |group: &[(usize, u64)]| {
        // Nothing depends on these loads, so that they overlap; what they bring is in the cache when it is needed.
        let mut touched = 0;
        for &(_, fingerprint) in group {
            let shard = &shards[shard_of(fingerprint) / owners].1;
            touched ^= shard.slots[shard.home(fingerprint)];
        }
        std::hint::black_box(touched);
        for &(position, fingerprint) in group {
            if shards[shard_of(fingerprint) / owners].1.insert(fingerprint) {
                is_new(position);
            }
        }
    };
    for (position, fingerprint) in fingerprints {
        if owners == 1 || shard_of(fingerprint) % owners == owner {
            group[n] = (position, fingerprint);
            n += 1;
            if n == GROUP {
                flush(&group);
                n = 0;
            }
        }
    }
    flush(&group[..n]);
}
