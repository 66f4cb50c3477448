//! When two values are the same component. The answer, and the digests used for it, are the same on
//! every machine and in every run.
//!
//! Two values are the same component if their `Hash` feeds the same bytes to a hasher and they are
//! equal by `==`. Equal hashes alone are not enough: stateright hashes a set without its length,
//! and a `Hash` written by hand may leave fields out. Stateright takes whole states with equal
//! hashes for one state, which does little harm. To confuse two components would do more: it would
//! make states out of parts that never occur together. `==` alone would be too slow, since every
//! value would have to be compared with every other.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::ids::{IdVec, Number};

/// The place that is used for further digests of values that share a digest.
const ALIKE: u64 = 5 << 32;

/// A 128-bit digest of a component and of the place where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Digest(u128);

impl Digest {
    /// The digest of `value` at `place`. The place tells apart equal values that stand in different
    /// places: without it, two states in which two nodes have swapped their local states would have
    /// the same fingerprint.
    pub(crate) fn of(seed: u64, place: u64, value: &impl Hash) -> Digest {
        let mut hasher = SipHasher13::new_with_keys(seed, place);
        value.hash(&mut hasher);
        Digest(hasher.finish128().as_u128())
    }

    /// Another digest, for the `nth` further value that has this digest.
    fn nth(self, nth: u64) -> Digest {
        Digest::of(nth, ALIKE, &self.0)
    }

    /// The component's share of a fingerprint. The fingerprint of a state is the sum of its
    /// components' shares.
    pub(crate) fn share(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// The share of a queue after one more message was put at its end; `queue` is its share before. It
/// depends on the order of the messages.
pub(crate) fn chain(queue: u64, message: u64) -> u64 {
    let mut sum = queue.rotate_left(23).wrapping_add(message);
    for _ in 0..2 {
        sum = (sum ^ (sum >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    sum ^ (sum >> 32)
}

/// The share of messages that arrive in the next tick; `share` is what they would add to a
/// fingerprint if they could arrive now. The later share of a sum is the sum of the later shares.
#[inline]
pub(crate) fn later(share: u64) -> u64 {
    share.wrapping_mul(0x9fb2_1c65_1e98_df27)
}

/// A hasher for keys that are digests. It returns the key itself, as digests are random already.
#[derive(Default)]
pub(crate) struct Identity(u64);

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

/// A field that is hashed on its own first. So the bytes of two neighbouring fields cannot be
/// confused with those of two other fields.
pub(crate) struct Field<'a, T>(pub(crate) &'a T);

impl<T: Hash> Hash for Field<'_, T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        Digest::of(0, 0, self.0).0.hash(hasher);
    }
}

/// Values, each with an id, and each value once.
pub(crate) struct Interner<I, T> {
    values: IdVec<I, T>,
    /// The first value with each digest.
    ids: HashMap<u128, I, BuildHasherDefault<Identity>>,
    /// The further values with the same digest, where there are any.
    alike: HashMap<u128, Vec<I>, BuildHasherDefault<Identity>>,
}

/// What became of a value that was to get an id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Interned<T> {
    /// It is new, and has this digest for itself.
    New(Digest),
    /// An equal value has the id. This one is given back.
    Known(T),
}

impl<I, T> Default for Interner<I, T> {
    fn default() -> Self {
        Interner { values: IdVec::default(), ids: HashMap::default(), alike: HashMap::default() }
    }
}

impl<I: Number, T: PartialEq> Interner<I, T> {
    /// The id of the value, which has this digest. Different values with the same digest get
    /// different ids, and different digests, which depend on the order in which they are met.
    pub(crate) fn intern(&mut self, digest: Digest, value: T) -> (I, Interned<T>) {
        let next = self.values.next();
        let first = *self.ids.entry(digest.0).or_insert(next);
        let own = if first == next {
            digest
        } else if self.values[first] == value {
            return (first, Interned::Known(value));
        } else {
            let alike = self.alike.entry(digest.0).or_default();
            if let Some(&id) = alike.iter().find(|id| self.values[**id] == value) {
                return (id, Interned::Known(value));
            }
            alike.push(next);
            digest.nth(alike.len() as u64)
        };
        self.values.push(value);
        (next, Interned::New(own))
    }
}

impl<I: Number, T> std::ops::Index<I> for Interner<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.values[id]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::MessageId;

    /// Told apart by `==`, but all hashed alike.
    #[derive(Debug, PartialEq)]
    struct Alike(u8);

    impl Hash for Alike {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }

    fn id(position: usize) -> MessageId {
        MessageId::at(position)
    }

    fn digest(value: &impl Hash) -> Digest {
        Digest::of(7, 0, value)
    }

    #[test]
    fn a_value_has_one_number_and_its_digest() {
        let mut numbers = Interner::default();
        let (a, b) = (digest(&"a"), digest(&"b"));
        assert_eq!(numbers.intern(a, "a"), (id(0), Interned::New(a)));
        assert_eq!(numbers.intern(b, "b"), (id(1), Interned::New(b)));
        assert_eq!(numbers.intern(a, "a"), (id(0), Interned::Known("a")));
        assert_eq!((numbers[id(0)], numbers[id(1)]), ("a", "b"));
    }

    #[test]
    fn values_that_only_their_hash_takes_for_one_have_numbers_and_digests_of_their_own() {
        let mut numbers = Interner::default();
        let mut digests = Vec::new();
        for (value, number) in [(5, 0), (6, 1), (7, 2)] {
            let interned = numbers.intern(digest(&Alike(value)), Alike(value));
            let (found, Interned::New(own)) = interned else { panic!("{value} is new") };
            assert_eq!(found, id(number));
            digests.push(own);
        }
        assert_eq!(digests[0], digest(&Alike(5)), "the first keeps what its hash says");
        let mut shares: Vec<u64> = digests.iter().map(|own| own.share()).collect();
        shares.sort_unstable();
        shares.dedup();
        assert_eq!(shares.len(), 3, "and so do fingerprints differ");
        for (value, number) in [(7, 2), (5, 0), (6, 1)] {
            let found = numbers.intern(digest(&Alike(value)), Alike(value));
            assert_eq!(found, (id(number), Interned::Known(Alike(value))));
        }
    }

    #[test]
    fn the_digests_of_values_alike_depend_on_their_order_alone() {
        let digests = |values: [u8; 3]| {
            let mut numbers = Interner::<MessageId, _>::default();
            values.map(|value| match numbers.intern(digest(&Alike(value)), Alike(value)) {
                (_, Interned::New(own)) => own,
                known => panic!("{known:?}"),
            })
        };
        assert_eq!(digests([1, 2, 3]), digests([3, 1, 2]));
    }

    #[test]
    fn a_field_does_not_run_into_the_next() {
        /// A set's hash as stateright has it: that of its elements, with no word of how many there
        /// are.
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
