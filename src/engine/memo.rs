//! What is known of pairs of numbers.

use super::tables::UNKNOWN;

/// What a [`Memo`] may hold.
pub trait Value: Copy {
    /// What it answers when it does not know yet.
    const UNKNOWN: Self;
}

impl Value for u32 {
    const UNKNOWN: u32 = UNKNOWN;
}

/// Values by pairs of numbers: open addressing, a cache line a look-up.
pub struct Memo<V = u32> {
    slots: Vec<(u64, V)>,
    used: usize,
}

/// The key of no pair.
const FREE: u64 = u64::MAX;

impl<V: Value> Default for Memo<V> {
    fn default() -> Self {
        Memo { slots: vec![(FREE, V::UNKNOWN); 1 << 8], used: 0 }
    }
}

impl<V: Value> Memo<V> {
    /// Where the search for a pair starts. Pairs that differ only in the last bits of the second number stand together, as
    /// what is asked for together tends to.
    #[inline]
    fn home(key: u64, mask: usize) -> usize {
        const NEAR: u64 = 7;
        ((key & !NEAR).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29 & !NEAR | key & NEAR) as usize & mask
    }

    /// What is known of a pair.
    #[inline]
    pub fn get(&self, a: u32, b: u32) -> V {
        let key = u64::from(a) << 32 | u64::from(b);
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        loop {
            let (k, value) = self.slots[i];
            if k == key || k == FREE {
                return value;
            }
            i = (i + 1) & mask;
        }
    }

    pub fn insert(&mut self, a: u32, b: u32, value: V) {
        // While it is small it may be sparse, so that hardly a look-up needs a second look.
        let sparse = if self.slots.len() < 1 << 16 { 4 } else { 2 };
        if self.used * sparse >= self.slots.len() {
            let grown = vec![(FREE, V::UNKNOWN); self.slots.len() * 2];
            for (key, value) in std::mem::replace(&mut self.slots, grown) {
                if key != FREE {
                    self.place(key, value);
                }
            }
        }
        self.used += usize::from(self.place(u64::from(a) << 32 | u64::from(b), value));
    }

    fn place(&mut self, key: u64, value: V) -> bool {
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        while self.slots[i].0 != FREE && self.slots[i].0 != key {
            i = (i + 1) & mask;
        }
        let is_new = self.slots[i].0 == FREE;
        self.slots[i] = (key, value);
        is_new
    }

    pub fn bytes(&self) -> u64 {
        size_of_val(&*self.slots) as u64
    }
}

/// Values by pairs of numbers, most of which have the value that is usual for them: that takes a bit each, which a
/// processor's nearest cache holds.
///
/// Where there would be so many bits that they took too much memory, there are none, and all values are kept.
pub struct Mostly<V = u32> {
    /// A bit for each pair that is known to have the usual value: rows of words.
    usual: Vec<u64>,
    /// Words a row are a power of two: this one.
    shift: u32,
    rows: usize,
    is_off: bool,
    others: Memo<V>,
}

/// The most words: 64 MiB. Where assertions are checked it is little, so that tests meet the end of it.
const MOST_WORDS: usize = if cfg!(debug_assertions) { 1 << 8 } else { 1 << 23 };

impl<V: Value> Default for Mostly<V> {
    fn default() -> Self {
        Mostly { usual: Vec::new(), shift: 0, rows: 0, is_off: false, others: Memo::default() }
    }
}

impl<V: Value> Mostly<V> {
    /// Makes room for so many first and so many second numbers. Bits that have none are not to be asked for.
    pub fn extend(&mut self, a: usize, b: usize) {
        let (width, wider) = (1 << self.shift, b.div_ceil(64).next_power_of_two());
        if self.is_off || wider.max(width) * a > MOST_WORDS {
            (self.usual, self.shift, self.is_off) = (Vec::new(), 0, true);
            return;
        }
        if wider > width {
            let mut usual = vec![0; self.rows * wider];
            for (wide, row) in usual.chunks_mut(wider).zip(self.usual.chunks(width)) {
                wide[..width].copy_from_slice(row);
            }
            (self.usual, self.shift) = (usual, wider.ilog2());
        }
        self.usual.resize(a << self.shift, 0);
        self.rows = a;
    }

    /// Where the bits of a first number start.
    #[inline]
    pub fn row(&self, a: u32) -> u32 {
        a << self.shift
    }

    /// 1 if a second number is known to have the usual value with the first number of that row.
    #[inline]
    pub fn usual(&self, row: u32, b: u32) -> u64 {
        let word = self.usual.get((row + (b >> 6)) as usize);
        word.copied().unwrap_or(0) >> (b & 63) & 1
    }

    #[inline]
    pub fn is_usual(&self, a: u32, b: u32) -> bool {
        self.usual(self.row(a), b) == 1
    }

    /// What is known of a pair that is not known to have the usual value.
    #[inline]
    pub fn other(&self, a: u32, b: u32) -> V {
        self.others.get(a, b)
    }

    /// What is known of a pair that may have this usual value.
    #[inline]
    pub fn get(&self, a: u32, b: u32, usual: V) -> V {
        if self.is_usual(a, b) { usual } else { self.other(a, b) }
    }

    pub fn is_known(&self, a: u32, b: u32) -> bool
    where
        V: PartialEq,
    {
        self.is_usual(a, b) || self.other(a, b) != V::UNKNOWN
    }

    pub fn insert(&mut self, a: u32, b: u32, value: V, is_usual: bool) {
        if !(is_usual && self.set_usual(a, b)) {
            self.set_other(a, b, value);
        }
    }

    /// Sets the bit of a pair, if there is one; whether there is.
    pub fn set_usual(&mut self, a: u32, b: u32) -> bool {
        let at = (self.row(a) + (b >> 6)) as usize;
        self.usual.get_mut(at).map(|word| *word |= 1 << (b & 63)).is_some()
    }

    pub fn set_other(&mut self, a: u32, b: u32, value: V) {
        self.others.insert(a, b, value);
    }

    pub fn bytes(&self) -> u64 {
        self.others.bytes() + self.usual.capacity() as u64 * 8
    }
}
