//! Content-based identity: what two components must share to be one. Fixed on every machine and in every run.
//!
//! Two components are one if their hash streams are equal and they are equal by `==`. `Hash` alone may tell less apart: the
//! hash of stateright's sets says nothing of where a set ends, and a `Hash` written by hand may leave fields out. Stateright
//! takes whole states of equal hash for one, which merges little; the same of components would mix states that were never
//! met. `==` alone would need every value compared with every other.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

/// The place of all digests of values that share one.
const ALIKE: u64 = 5 << 32;

/// A 128-bit digest of a component and of the place where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u128);

impl Digest {
    /// The digest of `value` at `place`. Places keep equal values in different places apart: without them, states that
    /// swap two nodes would have the same fingerprint.
    pub fn of(seed: u64, place: u64, value: &impl Hash) -> Digest {
        let mut hasher = SipHasher13::new_with_keys(seed, place);
        value.hash(&mut hasher);
        Digest(hasher.finish128().as_u128())
    }

    /// Another digest, for the value that is `nth` (from 1 on) of those that share this one with a first.
    fn nth(self, nth: usize) -> Digest {
        Digest::of(nth as u64, ALIKE, &self.0)
    }

    /// What the component adds to a fingerprint: that of a state is the sum over its components, as random as they are.
    pub fn share(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// What a queue adds to the sum with one more message behind those that add `queue`. Their order matters.
pub fn chain(queue: u64, message: u64) -> u64 {
    let mut sum = queue.rotate_left(23).wrapping_add(message);
    for _ in 0..2 {
        sum = (sum ^ (sum >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    sum ^ (sum >> 32)
}

/// A digest is a hash already.
#[derive(Default)]
pub struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only digests are hashed");
    }
    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}

/// A field whose hash stream ends where the field ends, so that it cannot run into the next one.
pub struct Field<'a, T>(pub &'a T);

impl<T: Hash> Hash for Field<'_, T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Digest::of(0, 0, self.0).0.hash(hasher);
    }
}

/// Values by small numbers, each value once.
pub struct Interner<T> {
    values: Vec<T>,
    /// The first value with each digest.
    ids: HashMap<u128, u32, BuildHasherDefault<Identity>>,
    /// The further values that share a digest, where there are any.
    alike: HashMap<u128, Vec<u32>, BuildHasherDefault<Identity>>,
}

/// What became of a value that was to get a number.
#[derive(Debug, PartialEq, Eq)]
pub enum Interned<T> {
    /// It is new, and this digest is its own.
    New(Digest),
    /// An equal value has the number, and this one is given back.
    Known(T),
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Interner { values: Vec::new(), ids: HashMap::default(), alike: HashMap::default() }
    }
}

impl<T: PartialEq> Interner<T> {
    /// The number of the value, which has this digest. Of values that share a digest each has a number, and a digest, of
    /// its own, by the order in which they are met.
    pub fn intern(&mut self, digest: Digest, value: T) -> (u32, Interned<T>) {
        let next = self.values.len() as u32;
        let first = *self.ids.entry(digest.0).or_insert(next);
        let own = if first == next {
            digest
        } else if self[first] == value {
            return (first, Interned::Known(value));
        } else {
            let alike = self.alike.entry(digest.0).or_default();
            if let Some(&id) = alike.iter().find(|id| self.values[**id as usize] == value) {
                return (id, Interned::Known(value));
            }
            alike.push(next);
            digest.nth(alike.len())
        };
        self.values.push(value);
        (next, Interned::New(own))
    }
}

impl<T> std::ops::Index<u32> for Interner<T> {
    type Output = T;
    fn index(&self, id: u32) -> &T {
        &self.values[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told apart by `==`, but all hashed alike.
    #[derive(Debug, PartialEq)]
    struct Alike(u8);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    fn digest(value: &impl Hash) -> Digest {
        Digest::of(7, 0, value)
    }

    #[test]
    fn a_value_has_one_number_and_its_digest() {
        let mut numbers = Interner::default();
        let (a, b) = (digest(&"a"), digest(&"b"));
        assert_eq!(numbers.intern(a, "a"), (0, Interned::New(a)));
        assert_eq!(numbers.intern(b, "b"), (1, Interned::New(b)));
        assert_eq!(numbers.intern(a, "a"), (0, Interned::Known("a")));
        assert_eq!((numbers[0], numbers[1]), ("a", "b"));
    }

    #[test]
    fn values_that_only_their_hash_takes_for_one_have_numbers_and_digests_of_their_own() {
        let mut numbers = Interner::default();
        let mut digests = Vec::new();
        for (value, number) in [(5, 0), (6, 1), (7, 2)] {
            let (id, Interned::New(own)) = numbers.intern(digest(&Alike(value)), Alike(value)) else {
                panic!("{value} is new")
            };
            assert_eq!(id, number);
            digests.push(own);
        }
        assert_eq!(digests[0], digest(&Alike(5)), "the first keeps what its hash says");
        let mut shares: Vec<u64> = digests.iter().map(|own| own.share()).collect();
        shares.sort_unstable();
        shares.dedup();
        assert_eq!(shares.len(), 3, "and so do fingerprints differ");
        for (value, number) in [(7, 2), (5, 0), (6, 1)] {
            let found = numbers.intern(digest(&Alike(value)), Alike(value));
            assert_eq!(found, (number, Interned::Known(Alike(value))));
        }
    }

    #[test]
    fn the_digests_of_values_alike_depend_on_their_order_alone() {
        let digests = |values: [u8; 3]| {
            let mut numbers = Interner::default();
            values.map(|value| match numbers.intern(digest(&Alike(value)), Alike(value)) {
                (_, Interned::New(own)) => own,
                known => panic!("{known:?}"),
            })
        };
        assert_eq!(digests([1, 2, 3]), digests([3, 1, 2]));
    }

    #[test]
    fn a_field_does_not_run_into_the_next() {
        /// A set's hash as stateright has it: that of its elements, with no word of how many there are.
        struct Open(Vec<u64>);
        impl Hash for Open {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                self.0.iter().for_each(|element| element.hash(hasher));
            }
        }
        let (a, b) = ((Open(vec![1, 2]), Open(vec![3])), (Open(vec![1]), Open(vec![2, 3])));
        assert_eq!(digest(&a), digest(&b));
        assert_ne!(digest(&(Field(&a.0), Field(&a.1))), digest(&(Field(&b.0), Field(&b.1))));
    }
}
