//! The set of fingerprints seen: open addressing by cache lines, in shards, each of which grows by itself and in place.
//!
//! No shard is ever shared. A batch of candidates is offered to all shards at once, and each thread owns the shards
//! whose number it matches; so there is nothing to lock and nothing to race for, and of equal candidates the first in
//! the order of the batch is always the one that is new. The lines of look-ups to come are asked for ahead of time, so
//! that the memory works on many of them at once.

/// Shards are chosen by the highest bits of a fingerprint.
pub const SHARDS: usize = 32;

/// How many look-ups ahead a line is asked for.
const AHEAD: usize = 24;

/// Fingerprints that share a cache line; slots fill from the first on.
const SLOTS: usize = 8;

/// A cache line of fingerprints, in halves, as processors compare these faster; a low half of 0 is an empty slot.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    low: [u32; SLOTS],
    high: [u32; SLOTS],
}

impl Line {
    #[inline]
    fn contains(&self, fingerprint: u64) -> bool {
        let (low, high) = (fingerprint as u32, (fingerprint >> 32) as u32);
        // All slots are compared, as a branch for each would cost more.
        let halves = self.low.iter().zip(&self.high);
        halves.fold(0, |found, (&l, &h)| found | (u32::from(l == low) & u32::from(h == high))) != 0
    }

    /// How many slots are taken.
    #[inline]
    fn len(&self) -> usize {
        self.low.iter().map(|&low| u32::from(low != 0)).sum::<u32>() as usize
    }

    #[inline]
    fn push(&mut self, fingerprint: u64) {
        let free = self.len() & (SLOTS - 1);
        self.low[free] = fingerprint as u32;
        self.high[free] = (fingerprint >> 32) as u32;
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.low[SLOTS - 1] != 0
    }

    fn iter(self) -> impl Iterator<Item = u64> {
        let halves = self.low.into_iter().zip(self.high);
        halves.take_while(|(low, _)| *low != 0).map(|(low, high)| u64::from(high) << 32 | u64::from(low))
    }
}

/// A shard of fewer lines than this is small: it may be emptier, and grows by more.
const SMALL: usize = 1 << 12;

/// How many slots of a line may be taken on average.
#[inline]
fn full(homes: usize) -> usize {
    if homes < SMALL { 6 } else { 7 }
}

/// How many lines a shard of so many grows to: memory for time.
fn larger(homes: usize) -> usize {
    if homes < SMALL { homes * 2 } else { homes / 2 * 3 }
}

/// One shard of the set.
pub struct Shard {
    /// A fingerprint is in its home line, or in the first line behind it that had room. Lines from `homes` on are
    /// nobody's home: they take what the last ones cannot.
    lines: Vec<Line>,
    homes: usize,
    used: usize,
}

/// The shard of a fingerprint.
#[inline]
pub fn shard_of(fingerprint: u64) -> usize {
    (fingerprint >> 59) as usize
}

/// The line where the search for a fingerprint starts: its middle bits, scaled. Larger shards keep the order of homes.
#[inline]
fn home(fingerprint: u64, homes: usize) -> usize {
    ((u128::from(fingerprint << 5) * homes as u128) >> 64) as usize
}

impl Default for Shard {
    fn default() -> Self {
        Shard { lines: vec![Line::default(); 2], homes: 2, used: 0 }
    }
}

impl Shard {
    /// Adds a fingerprint whose low half is not 0; whether it is new.
    #[inline]
    pub fn insert(&mut self, fingerprint: u64) -> bool {
        let line = &mut self.lines[home(fingerprint, self.homes)];
        if line.contains(fingerprint) {
            return false;
        }
        if line.is_full() {
            return self.insert_behind(fingerprint);
        }
        line.push(fingerprint);
        self.count();
        true
    }

    /// [`Shard::insert`] where the home line is full.
    #[inline(never)]
    fn insert_behind(&mut self, fingerprint: u64) -> bool {
        let behind = &self.lines[home(fingerprint, self.homes) + 1..];
        let until = behind.iter().position(|line| !line.is_full()).map_or(behind.len(), |at| at + 1);
        if behind[..until].iter().any(|line| line.contains(fingerprint)) {
            return false;
        }
        self.place(fingerprint);
        self.count();
        true
    }

    #[inline]
    fn count(&mut self) {
        self.used += 1;
        if self.used >= self.homes * full(self.homes) {
            self.grow();
        }
    }

    /// Puts one that is known to be new where there is room, from its home line on.
    fn place(&mut self, fingerprint: u64) {
        let mut at = home(fingerprint, self.homes);
        loop {
            if at == self.lines.len() {
                self.lines.push(Line::default());
            }
            if !self.lines[at].is_full() {
                return self.lines[at].push(fingerprint);
            }
            at += 1;
        }
    }

    /// Grows in place, so that no page is ever cleared twice. Homes only move up: from the last line to the first, each
    /// is emptied into lines that have been emptied before; what was not at home waits until all are.
    #[cold]
    fn grow(&mut self) {
        let before = self.homes;
        self.homes = larger(before);
        let lines = self.lines.len();
        let more = self.homes.saturating_sub(lines);
        if self.homes > self.lines.capacity() {
            // Room that is not used yet costs addresses, not memory.
            self.lines.reserve_exact(self.homes * 4 - lines);
        }
        self.lines.resize(lines + more, Line::default());
        let mut displaced = Vec::new();
        for at in (0..lines).rev() {
            for fingerprint in std::mem::take(&mut self.lines[at]).iter() {
                if home(fingerprint, before) == at {
                    self.place(fingerprint);
                } else {
                    displaced.push(fingerprint);
                }
            }
        }
        for fingerprint in displaced {
            self.place(fingerprint);
        }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub fn bytes(&self) -> u64 {
        size_of_val(&*self.lines) as u64
    }
}

/// The shards that one owner holds: those from `first` on.
pub struct Holding<'a> {
    first: usize,
    shards: &'a mut [Shard],
}

/// Hands all shards out to a number of owners.
pub fn hand_out(shards: &mut [Shard], owners: usize) -> Vec<Holding<'_>> {
    let mut rest = shards;
    let mut first = 0;
    let mut holdings = Vec::new();
    for owner in 0..owners {
        let (mine, others) = rest.split_at_mut((SHARDS * (owner + 1)).div_ceil(owners) - first);
        let next = first + mine.len();
        holdings.push(Holding { first, shards: mine });
        (rest, first) = (others, next);
    }
    holdings
}

/// The owner of a fingerprint's shard.
#[inline]
pub fn owner_of(fingerprint: u64, owners: usize) -> usize {
    shard_of(fingerprint) * owners / SHARDS
}

impl Holding<'_> {
    /// Offers fingerprints, in order, all of which belong to this owner, each with a number; the numbers of those that were
    /// not seen before are told to `is_new`.
    pub fn offer(&mut self, fingerprints: &[(u64, u32)], mut is_new: impl FnMut(u32)) {
        let touch = |shards: &[Shard], fingerprint: u64| {
            let shard = &shards[shard_of(fingerprint) - self.first];
            prefetch(&shard.lines[home(fingerprint, shard.homes)]);
        };
        for &(fingerprint, _) in fingerprints.iter().take(AHEAD) {
            touch(self.shards, fingerprint);
        }
        for (i, &(fingerprint, number)) in fingerprints.iter().enumerate() {
            if let Some(&(fingerprint, _)) = fingerprints.get(i + AHEAD) {
                touch(self.shards, fingerprint);
            }
            if self.shards[shard_of(fingerprint) - self.first].insert(fingerprint) {
                is_new(number);
            }
        }
    }
}

/// Asks for a line to be brought into the processor's cache, without waiting for it.
#[inline]
fn prefetch(line: &Line) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; it neither reads nor writes, whatever the address.
    #[allow(unsafe_code)]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(line).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = line;
}
