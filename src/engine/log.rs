//! How each state was first reached: its predecessor and the step, in two or three bytes, level by level.
//!
//! Only ever read to rebuild one trace, backwards, so that decoding a level costs nothing to speak of.

use super::flows::{StepId, WHOLE};

/// The log of a whole search. States are numbered in the order in which they were found, the initial one 0.
#[derive(Default)]
pub struct Log {
    levels: Vec<Level>,
    bytes: u64,
}

#[derive(Default)]
struct Level {
    /// The number of the level's first state.
    first: u64,
    pages: Vec<Page>,
}

/// A stretch of a level, written by one worker.
#[derive(Default)]
pub struct Page {
    bytes: Vec<u8>,
    states: u32,
    /// The predecessor before the first, and the last.
    from: u64,
    last: u64,
}

impl Page {
    /// A page whose predecessors lie near `from`.
    pub fn new(from: u64) -> Self {
        Page { bytes: Vec::new(), states: 0, from, last: from }
    }

    /// Notes the next state.
    #[inline]
    pub fn push(&mut self, predecessor: u64, step: StepId) {
        let delta = predecessor as i64 - self.last as i64;
        let (first, a) = varint((delta << 1 ^ delta >> 63) as u32);
        let (second, b) = varint(encode(step));
        let both = u128::from(first) | u128::from(second) << (8 * a);
        // As many bytes as they may ever need, and then only those that they do need.
        let len = self.bytes.len() + a + b;
        self.bytes.extend_from_slice(&both.to_le_bytes());
        self.bytes.truncate(len);
        self.last = predecessor;
        self.states += 1;
    }

    pub fn is_empty(&self) -> bool {
        self.states == 0
    }

    fn entries(&self) -> impl Iterator<Item = (u64, StepId)> {
        let mut at = 0;
        let mut last = self.from as i64;
        (0..self.states).map(move |_| {
            let zigzag = get(&self.bytes, &mut at);
            last += i64::from(zigzag >> 1) ^ -i64::from(zigzag & 1);
            (last as u64, decode(get(&self.bytes, &mut at)))
        })
    }
}

impl Log {
    /// Starts the next level, whose first state has this number.
    pub fn open_level(&mut self, first: u64) {
        self.levels.push(Level { first, pages: Vec::new() });
    }

    /// Adds a page to the level that is open.
    pub fn append(&mut self, mut page: Page) {
        page.bytes.shrink_to_fit();
        self.bytes += page.bytes.len() as u64 + size_of::<Page>() as u64;
        self.levels.last_mut().expect("a level is open").pages.push(page);
    }

    /// The steps that lead from the initial state to the state of this number.
    pub fn path_to(&self, state: u64) -> Vec<StepId> {
        let mut steps = Vec::new();
        let mut at = state;
        for level in self.levels.iter().rev() {
            if at < level.first {
                continue;
            }
            let mut number = level.first;
            let page = level.pages.iter().find(|page| {
                let here = at < number + u64::from(page.states);
                if !here {
                    number += u64::from(page.states);
                }
                here
            });
            let entry = page.and_then(|page| page.entries().nth((at - number) as usize));
            let (predecessor, step) = entry.expect("every state but the first is in the log");
            steps.push(step);
            at = predecessor;
        }
        steps.reverse();
        steps
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Steps of the whole are rare, but as short as others.
fn encode(step: StepId) -> u32 {
    step.rotate_left(1)
}

fn decode(number: u32) -> StepId {
    number.rotate_right(1)
}

const _: () = assert!(WHOLE == 1 << 31);

/// A number in as few bytes as it needs, seven bits a byte, and how many these are.
#[inline]
fn varint(n: u32) -> (u64, usize) {
    if n < 0x80 {
        return (u64::from(n), 1);
    }
    let (mut bytes, mut len, mut rest) = (u64::from(n & 0x7f), 1, n >> 7);
    while rest > 0 {
        bytes |= 0x80 << (8 * len - 8) | u64::from(rest & 0x7f) << (8 * len);
        (len, rest) = (len + 1, rest >> 7);
    }
    (bytes, len)
}

/// Reads what [`varint`] made.
#[inline]
fn get(bytes: &[u8], at: &mut usize) -> u32 {
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
