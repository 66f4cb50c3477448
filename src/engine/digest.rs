//! Content-based identity: what two components must share to be one. Fixed on every machine and in every run.
//!
//! Stateright identifies states by `Hash` alone, so a custom `Hash` of a user's state is honoured here too: components
//! with equal hash streams are one component.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

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

/// Values by small numbers, each value once.
pub struct Interner<T> {
    values: Vec<T>,
    ids: HashMap<u128, u32, BuildHasherDefault<Identity>>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Interner { values: Vec::new(), ids: HashMap::default() }
    }
}

impl<T> Interner<T> {
    /// The number of the value with this digest, and whether it is new.
    pub fn intern(&mut self, digest: Digest, value: T) -> (u32, bool) {
        let next = self.values.len() as u32;
        let id = *self.ids.entry(digest.0).or_insert(next);
        if id == next {
            self.values.push(value);
        }
        (id, id == next)
    }
}

impl<T> std::ops::Index<u32> for Interner<T> {
    type Output = T;
    fn index(&self, id: u32) -> &T {
        &self.values[id as usize]
    }
}
