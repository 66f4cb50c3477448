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
        let number = (delta << 1 ^ delta >> 63) as u32;
        put(&mut self.bytes, number);
        put(&mut self.bytes, encode(step));
        self.last = predecessor;
        self.states += 1;
    }

    /// No more is to come.
    pub fn close(&mut self) {
        self.bytes.shrink_to_fit();
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
    pub fn append(&mut self, page: Page) {
        self.bytes += page.bytes.capacity() as u64 + size_of::<Page>() as u64;
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

/// Appends a number in as few bytes as it needs: of the first, as many low bits are 0 as there are more bytes, and then
/// comes a 1.
#[inline]
fn put(bytes: &mut Vec<u8>, number: u32) {
    let more = (32 - (number | 1).leading_zeros() - 1) / 7;
    let code = (u64::from(number) << 1 | 1) << more;
    // As many bytes as it may ever need, and then only those that it does need.
    let len = bytes.len() + 1 + more as usize;
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.truncate(len);
}

/// Reads what [`put`] wrote.
fn get(bytes: &[u8], at: &mut usize) -> u32 {
    let more = bytes[*at].trailing_zeros() as usize;
    let mut code = [0; 8];
    code[..=more].copy_from_slice(&bytes[*at..=*at + more]);
    *at += 1 + more;
    (u64::from_le_bytes(code) >> (more + 1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = (0..32).flat_map(|bit| [0, 1 << bit, (1u32 << bit) - 1, u32::MAX >> bit]);
        let numbers: Vec<u32> = numbers.collect();
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put(&mut bytes, number));
        let mut at = 0;
        assert!(numbers.iter().all(|&number| get(&bytes, &mut at) == number));
        assert_eq!(at, bytes.len());
        put(&mut bytes, 127);
        put(&mut bytes, 128);
        assert_eq!(bytes.len(), at + 3, "seven bits a byte");
    }
}
