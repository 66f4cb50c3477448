//! Two caches whose keys are pairs of ids: [`Memo`], an open-addressing hash map, and
//! [`BitmapMemo`], which stores the most common answer as one bit for each pair.

use std::marker::PhantomData;

use super::ids::{FlowId, Key, OutcomeId, WorldId};
use crate::semantics::PropertySet;

/// An answer that a cache can store.
pub(crate) trait Answer: Copy {
    /// What a slot of the cache holds.
    type Slot: Copy;

    /// The content of a slot that holds no answer.
    const UNKNOWN: Self::Slot;

    /// The content of a slot that holds this answer.
    fn store(self) -> Self::Slot;

    /// The answer that a slot holds, if it holds one.
    fn recall(slot: Self::Slot) -> Option<Self>;
}

/// Ids have a special value `UNKNOWN`. So a slot is no larger than an id.
macro_rules! answers_by_id {
    ($($name:ident)*) => {$(
        impl Answer for $name {
            type Slot = $name;
            const UNKNOWN: $name = $name::UNKNOWN;

            #[inline]
            fn store(self) -> $name {
                self
            }

            #[inline]
            fn recall(slot: $name) -> Option<$name> {
                (slot != $name::UNKNOWN).then_some(slot)
            }
        }
    )*};
}
answers_by_id! { WorldId OutcomeId FlowId }

/// Other answers have no such value, so an `Option` is stored.
macro_rules! answers_by_option {
    ($($name:ident)*) => {$(
        impl Answer for $name {
            type Slot = Option<$name>;
            const UNKNOWN: Option<$name> = None;

            #[inline]
            fn store(self) -> Option<$name> {
                Some(self)
            }

            #[inline]
            fn recall(slot: Option<$name>) -> Option<$name> {
                slot
            }
        }
    )*};
}
answers_by_option! { bool PropertySet }

/// A hash map from pairs of ids to answers: open addressing, in most cases one cache line for each
/// look-up.
pub(crate) struct Memo<A, B, V: Answer> {
    slots: Vec<(u64, V::Slot)>,
    used: usize,
    keys: PhantomData<fn(A, B)>,
}

/// The key in a slot that is free.
const FREE: u64 = u64::MAX;

impl<A, B, V: Answer> Default for Memo<A, B, V> {
    fn default() -> Self {
        Memo { slots: vec![(FREE, V::UNKNOWN); 1 << 8], used: 0, keys: PhantomData }
    }
}

impl<A: Key, B: Key, V: Answer> Memo<A, B, V> {
    #[inline]
    fn key(a: A, b: B) -> u64 {
        u64::from(a.bits()) << 32 | u64::from(b.bits())
    }

    /// Where the search for a key starts. Pairs that differ only in the last bits of the second id
    /// stand close together, because they are often asked for one after the other.
    #[inline]
    fn home(key: u64, mask: usize) -> usize {
        const NEAR: u64 = 7;
        ((key & !NEAR).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 29 & !NEAR | key & NEAR) as usize
            & mask
    }

    /// The answer for a pair, if it is known.
    #[inline]
    pub(crate) fn get(&self, a: A, b: B) -> Option<V> {
        let key = Self::key(a, b);
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        loop {
            let (k, slot) = self.slots[i];
            if k == key || k == FREE {
                return V::recall(slot);
            }
            i = (i + 1) & mask;
        }
    }

    /// Stores the answer for a pair.
    pub(crate) fn insert(&mut self, a: A, b: B, answer: V) {
        // A small map is kept sparse, so that few look-ups need to go on to a second slot.
        let sparse = if self.slots.len() < 1 << 16 { 4 } else { 2 };
        if self.used * sparse >= self.slots.len() {
            let grown = vec![(FREE, V::UNKNOWN); self.slots.len() * 2];
            for (key, slot) in std::mem::replace(&mut self.slots, grown) {
                if key != FREE {
                    self.place(key, slot);
                }
            }
        }
        self.used += usize::from(self.place(Self::key(a, b), answer.store()));
    }

    /// Puts a key and its answer into a slot; whether the key is new.
    fn place(&mut self, key: u64, slot: V::Slot) -> bool {
        let mask = self.slots.len() - 1;
        let mut i = Self::home(key, mask);
        while self.slots[i].0 != FREE && self.slots[i].0 != key {
            i = (i + 1) & mask;
        }
        let is_new = self.slots[i].0 == FREE;
        self.slots[i] = (key, slot);
        is_new
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        size_of_val(&*self.slots) as u64
    }
}

/// A map from pairs of ids to answers, where most pairs have the same answer, the usual one.
///
/// For each pair a bit says whether its answer is known to be the usual one. These bits are few
/// enough for a processor's nearest cache. All other answers are kept in a [`Memo`]. If the bits
/// would take too much memory, there are none, and the `Memo` holds every answer.
pub(crate) struct BitmapMemo<A, B, V: Answer> {
    /// The bits: a row of words for each first id.
    usual: Vec<u64>,
    /// The binary logarithm of the number of words in a row.
    shift: u32,
    rows: usize,
    /// Whether there are no bits, because they would take too much memory.
    is_off: bool,
    others: Memo<A, B, V>,
}

/// The most words of bits: 64 MiB. With debug assertions there are few, so that tests reach this
/// limit.
const MOST_WORDS: usize = if cfg!(debug_assertions) { 1 << 8 } else { 1 << 23 };

impl<A: Key, B: Key, V: Answer> Default for BitmapMemo<A, B, V> {
    fn default() -> Self {
        BitmapMemo { usual: Vec::new(), shift: 0, rows: 0, is_off: false, others: Memo::default() }
    }
}

/// Where the bits of a first id start, in words.
#[derive(Clone, Copy, Default)]
pub(crate) struct BitRow(u32);

impl<A: Key, B: Key, V: Answer> BitmapMemo<A, B, V> {
    /// Makes room for the bits of so many first and so many second ids. The bits of other ids must
    /// not be asked for.
    pub(crate) fn extend(&mut self, a: usize, b: usize) {
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

    /// Where the bits of a first id start.
    #[inline]
    pub(crate) fn row(&self, a: A) -> BitRow {
        BitRow(a.bits() << self.shift)
    }

    /// The position, in `usual`, of the word with the bit of a pair.
    #[inline]
    fn word(row: BitRow, b: B) -> usize {
        (row.0 + (b.bits() >> 6)) as usize
    }

    /// 1 if the answer for a second id is known to be the usual one, with the first id that this
    /// row belongs to; otherwise 0.
    #[inline]
    pub(crate) fn usual(&self, row: BitRow, b: B) -> u64 {
        self.usual.get(Self::word(row, b)).copied().unwrap_or(0) >> (b.bits() & 63) & 1
    }

    /// Whether the answer for a pair is known to be the usual one.
    #[inline]
    pub(crate) fn is_usual(&self, a: A, b: B) -> bool {
        self.usual(self.row(a), b) == 1
    }

    /// The answer for a pair whose bit does not say that it is the usual one.
    #[inline]
    pub(crate) fn other(&self, a: A, b: B) -> Option<V> {
        self.others.get(a, b)
    }

    /// The answer for a pair, where `usual` is the usual one.
    #[inline]
    pub(crate) fn get(&self, a: A, b: B, usual: V) -> Option<V> {
        if self.is_usual(a, b) { Some(usual) } else { self.other(a, b) }
    }

    /// Whether there is an answer for a pair.
    pub(crate) fn is_known(&self, a: A, b: B) -> bool {
        self.is_usual(a, b) || self.other(a, b).is_some()
    }

    /// Stores the answer for a pair, and whether it is the usual one.
    pub(crate) fn insert(&mut self, a: A, b: B, answer: V, is_usual: bool) {
        if !(is_usual && self.set_usual(a, b)) {
            self.set_other(a, b, answer);
        }
    }

    /// Sets the bit of a pair, if there is a bit for it; whether there is.
    pub(crate) fn set_usual(&mut self, a: A, b: B) -> bool {
        let word = Self::word(self.row(a), b);
        self.usual.get_mut(word).map(|word| *word |= 1 << (b.bits() & 63)).is_some()
    }

    /// Stores the answer for a pair without a bit.
    pub(crate) fn set_other(&mut self, a: A, b: B, answer: V) {
        self.others.insert(a, b, answer);
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.others.bytes() + self.usual.capacity() as u64 * 8
    }
}
