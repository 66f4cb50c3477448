//! The visited set: the fingerprints of all states seen. It is a hash table with open addressing by
//! cache lines, in shards, each of which grows by itself and in place.
//!
//! Candidates are sorted by shard where they are found, and one thread at a time works on a shard.
//! So there are no locks, and nothing depends on which thread is faster: of equal candidates the
//! first in the order of the batch is always the new one. The cache lines of coming look-ups are
//! prefetched, so that the memory fetches many of them at once.

/// The number of shards. The highest bits of a fingerprint choose one.
pub const SHARDS: usize = 16;

/// How many look-ups ahead a line is prefetched.
const AHEAD: usize = 24;

/// How many fingerprints share a cache line. They fill it from the first slot on.
const SLOTS: usize = 8;

/// A cache line of fingerprints. Each is stored in two halves, as processors compare halves faster.
/// A slot whose low half is 0 is empty.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Line {
    low: [u32; SLOTS],
    high: [u32; SLOTS],
}

/// The halves of a fingerprint. A low half of 0 becomes 1, since 0 marks an empty slot. This
/// confuses few fingerprints, as it concerns one in four billion.
#[inline]
fn halves(fingerprint: u64) -> (u32, u32) {
    ((fingerprint as u32).max(1), (fingerprint >> 32) as u32)
}

impl Line {
    #[inline]
    fn contains(&self, (low, high): (u32, u32)) -> bool {
        // All slots are compared, as a branch for each slot would cost more.
        let slots = self.low.iter().zip(&self.high);
        slots.fold(0, |found, (&l, &h)| found | (u32::from(l == low) & u32::from(h == high))) != 0
    }

    /// The first slot that is not taken, if there is one, found by binary search.
    #[inline]
    fn free(&self) -> usize {
        let mut free = usize::from(self.low[3] != 0) * 4;
        free += usize::from(self.low[free + 1] != 0) * 2;
        (free + usize::from(self.low[free] != 0)) & (SLOTS - 1)
    }

    #[inline]
    fn push(&mut self, (low, high): (u32, u32)) {
        let free = self.free();
        (self.low[free], self.high[free]) = (low, high);
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.low[SLOTS - 1] != 0
    }

    fn iter(self) -> impl Iterator<Item = u64> {
        let halves = self.low.into_iter().zip(self.high);
        halves
            .take_while(|(low, _)| *low != 0)
            .map(|(low, high)| u64::from(high) << 32 | u64::from(low))
    }
}

/// How many slots of a line may be taken on average, in a shard with this many home lines. A small
/// shard has fewer, because a full line costs a look at the next one.
#[inline]
fn full(homes: usize) -> usize {
    match homes {
        ..0x1_0000 => 5,
        0x1_0000..0x8_0000 => 6,
        _ => 7,
    }
}

/// How many home lines a shard with this many grows to. A small shard trades memory for time.
fn larger(homes: usize) -> usize {
    match homes {
        ..0x8000 => homes * 4,
        0x8000..0x1_0000 => homes * 2,
        _ => homes / 2 * 3,
    }
}

/// One shard of the set. Shards do not share cache lines, because processors that write to the same
/// line wait for each other.
#[repr(align(128))]
pub struct Shard {
    /// A fingerprint stands in its home line, or in the first line behind it that had room. The
    /// lines from `homes` on are no home lines: they take what the last home lines cannot.
    lines: Vec<Line>,
    homes: usize,
    /// How many fingerprints there are.
    used: usize,
}

/// The shard of a fingerprint.
#[inline]
pub fn shard_of(fingerprint: u64) -> usize {
    (fingerprint >> (64 - SHARDS.ilog2())) as usize
}

/// The home of a fingerprint: the line where the search for it starts. It is chosen by the bits
/// behind those that chose the shard. The bits are scaled to the number of home lines, so the order
/// of fingerprints by home line stays the same when a shard grows.
#[inline]
fn home(fingerprint: u64, homes: usize) -> usize {
    ((u128::from(fingerprint << SHARDS.ilog2()) * homes as u128) >> 64) as usize
}

impl Default for Shard {
    fn default() -> Self {
        Shard { lines: vec![Line::default(); 2], homes: 2, used: 0 }
    }
}

impl Shard {
    /// Adds a fingerprint. Returns whether it is new.
    #[inline]
    pub fn insert(&mut self, fingerprint: u64) -> bool {
        let line = &mut self.lines[home(fingerprint, self.homes)];
        if line.is_full() {
            return self.insert_behind(fingerprint);
        }
        // No branch depends on whether it is new, because no processor could predict that.
        let (low, high) = halves(fingerprint);
        let is_new = !line.contains((low, high));
        let free = line.free();
        line.low[free] = u32::from(is_new) * low;
        line.high[free] = u32::from(is_new) * high;
        self.used += usize::from(is_new);
        if self.used >= self.homes * full(self.homes) {
            self.grow();
        }
        is_new
    }

    /// [`Shard::insert`] where the home line is full.
    #[inline(never)]
    fn insert_behind(&mut self, fingerprint: u64) -> bool {
        let mut at = home(fingerprint, self.homes);
        while let Some(line) = self.lines.get(at) {
            if line.contains(halves(fingerprint)) {
                return false;
            }
            if !line.is_full() {
                break;
            }
            at += 1;
        }
        self.place(at, fingerprint);
        self.used += 1;
        true
    }

    /// Puts a fingerprint that is known to be new into the first line with room, from a line on.
    #[inline]
    fn place(&mut self, mut at: usize, fingerprint: u64) {
        loop {
            if at == self.lines.len() {
                self.lines.push(Line::default());
            }
            if !self.lines[at].is_full() {
                return self.lines[at].push(halves(fingerprint));
            }
            at += 1;
        }
    }

    /// Grows in place, so that the kernel clears no page twice. A home line can only move up. So
    /// the lines are emptied from the last to the first, each into lines that have been emptied
    /// before. Fingerprints that do not stand in their home line wait until all lines have been
    /// emptied.
    #[cold]
    fn grow(&mut self) {
        let before = self.homes;
        self.homes = larger(before);
        let lines = self.lines.len();
        let more = self.homes.saturating_sub(lines);
        if self.homes > self.lines.capacity() {
            // Room that is not used yet costs addresses but no memory. A small shard reserves
            // little, so that shards stand close together.
            let room =
                if self.homes > 0x8000 { self.homes * 4 } else { self.homes + self.homes / 64 };
            self.lines.reserve_exact(room - lines);
        }
        self.lines.resize(lines + more, Line::default());
        let mut displaced = Vec::new();
        for at in (0..lines).rev() {
            for fingerprint in std::mem::take(&mut self.lines[at]).iter() {
                if home(fingerprint, before) == at {
                    self.place(home(fingerprint, self.homes), fingerprint);
                } else {
                    displaced.push(fingerprint);
                }
            }
        }
        for fingerprint in displaced {
            self.place(home(fingerprint, self.homes), fingerprint);
        }
    }

    /// Adds the fingerprints of `offered`, all of them of this shard. Leaves those whose
    /// fingerprints were new, in order.
    pub fn sift<T: Copy>(&mut self, offered: &mut Vec<T>, fingerprint: impl Fn(&T) -> u64) {
        for offered in offered.iter().take(AHEAD) {
            self.touch(fingerprint(offered));
        }
        let mut new = 0;
        for at in 0..offered.len() {
            if let Some(ahead) = offered.get(at + AHEAD) {
                self.touch(fingerprint(ahead));
            }
            let this = offered[at];
            offered[new] = this;
            new += usize::from(self.insert(fingerprint(&this)));
        }
        offered.truncate(new);
    }

    #[inline]
    fn touch(&self, fingerprint: u64) {
        prefetch(&self.lines[home(fingerprint, self.homes)]);
    }

    /// How many fingerprints there are.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The bytes held.
    pub fn bytes(&self) -> u64 {
        size_of_val(&*self.lines) as u64
    }
}

/// Prefetches a line into the processor's cache, without waiting for it.
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
