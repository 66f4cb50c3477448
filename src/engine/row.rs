//! A system state as numbers, and its packed form in the frontier.

use super::tables::{Local, WorldId};

/// A system state: a number a node, one for the world, and the network: messages, or flows where order is kept.
///
/// The order of the network's numbers carries no meaning, but it is the same in every run: it follows from the path on
/// which the state was first found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The sum of the shares of all components.
    pub sum: u64,
    pub world: WorldId,
    pub nodes: usize,
    pub locals: [Local; 16],
    pub net: Vec<u32>,
}

impl Row {
    #[inline]
    pub fn copy_from(&mut self, other: &Row) {
        self.sum = other.sum;
        self.world = other.world;
        self.nodes = other.nodes;
        self.locals = other.locals;
        self.net.clear();
        self.net.extend_from_slice(&other.net);
    }

    pub fn locals(&self) -> &[Local] {
        &self.locals[..self.nodes]
    }

    /// Appends the packed form.
    #[inline]
    pub fn pack(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.sum.to_le_bytes());
        put(out, self.world);
        for &local in self.locals() {
            put(out, local);
        }
        put(out, self.net.len() as u32);
        for &id in &self.net {
            put(out, id);
        }
    }

    /// Reads the packed form at `at`, which moves behind it.
    #[inline]
    pub fn unpack(&mut self, nodes: usize, bytes: &[u8], at: &mut usize) {
        let sum: [u8; 8] = bytes[*at..*at + 8].try_into().expect("8 bytes");
        self.sum = u64::from_le_bytes(sum);
        *at += 8;
        self.nodes = nodes;
        self.world = get(bytes, at);
        for i in 0..nodes {
            self.locals[i & 15] = get(bytes, at);
        }
        let len = get(bytes, at);
        self.net.clear();
        for _ in 0..len {
            self.net.push(get(bytes, at));
        }
    }
}

/// Appends a number in as few bytes as it needs, seven bits a byte.
#[inline]
pub fn put(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Reads what [`put`] wrote.
#[inline]
pub fn get(bytes: &[u8], at: &mut usize) -> u32 {
    let mut byte = bytes[*at];
    *at += 1;
    let mut n = u32::from(byte & 0x7f);
    let mut shift = 7;
    while byte >= 0x80 {
        byte = bytes[*at];
        *at += 1;
        n |= u32::from(byte & 0x7f) << shift;
        shift += 7;
    }
    n
}
