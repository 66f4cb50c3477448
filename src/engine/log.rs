//! How each state was first reached: its predecessor and the step, in two to four bytes, level by level.
//!
//! States are found in the order of their predecessors, so of a predecessor only the distance from the last one is kept.
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
pub struct Page {
    bytes: Vec<u8>,
    states: u32,
    /// The first state that may be a predecessor, and the last that was.
    from: u64,
    last: u64,
}

/// A distance below this stands in the lowest bits of the step's number; one that is not stands behind it.
const FAR: u32 = 7;

impl Page {
    /// A page whose predecessors start at `from`.
    pub fn new(from: u64) -> Self {
        Page { bytes: Vec::new(), states: 0, from, last: from }
    }

    /// Notes the next state, whose predecessor comes no earlier than that of the one before.
    #[inline]
    pub fn push(&mut self, predecessor: u64, step: StepId) {
        debug_assert!(predecessor >= self.last);
        let distance = (predecessor - self.last) as u32;
        put(&mut self.bytes, encode(step) * u64::from(FAR + 1) + u64::from(distance.min(FAR)));
        if distance >= FAR {
            put(&mut self.bytes, u64::from(distance - FAR));
        }
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
        let mut last = self.from;
        (0..self.states).map(move |_| {
            let number = get(&self.bytes, &mut at);
            let near = number % u64::from(FAR + 1);
            last += near;
            if near == u64::from(FAR) {
                last += get(&self.bytes, &mut at);
            }
            (last, decode(number / u64::from(FAR + 1)))
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
fn encode(step: StepId) -> u64 {
    u64::from(step.rotate_left(1))
}

fn decode(number: u64) -> StepId {
    (number as u32).rotate_right(1)
}

const _: () = assert!(WHOLE == 1 << 31);

/// The bits of the largest number that [`put`] takes.
const BITS: u32 = u32::BITS + FAR.count_ones();

/// Appends a number in as few bytes as it needs: of the first, as many low bits are 0 as there are more bytes, and then
/// comes a 1.
#[inline]
fn put(bytes: &mut Vec<u8>, number: u64) {
    debug_assert!(number >> BITS == 0);
    let more = (u64::BITS - (number | 1).leading_zeros() - 1) / 7;
    let code = (number << 1 | 1) << more;
    // As many bytes as it may ever need, and then only those that it does need.
    let len = bytes.len() + 1 + more as usize;
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.truncate(len);
}

/// Reads what [`put`] wrote.
fn get(bytes: &[u8], at: &mut usize) -> u64 {
    let more = bytes[*at].trailing_zeros() as usize;
    let mut code = [0; 8];
    code[..=more].copy_from_slice(&bytes[*at..=*at + more]);
    *at += 1 + more;
    u64::from_le_bytes(code) >> (more + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let numbers = (0..=BITS).flat_map(|bits| {
            let full = (1 << bits) - 1;
            [0, full, full / 2 + 1, full ^ (full / 3)]
        });
        let numbers: Vec<u64> = numbers.collect();
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put(&mut bytes, number));
        let mut at = 0;
        assert!(numbers.iter().all(|&number| get(&bytes, &mut at) == number));
        assert_eq!(at, bytes.len());
        put(&mut bytes, 127);
        put(&mut bytes, 128);
        assert_eq!(bytes.len(), at + 3, "seven bits a byte");
    }

    #[test]
    fn entries_are_read_as_they_were_noted() {
        let steps = [0, 1, 77, WHOLE - 1, WHOLE, WHOLE + 256, WHOLE | (u32::MAX >> 2)];
        let distances = [0, 1, u64::from(FAR) - 1, FAR.into(), u64::from(FAR) + 1, 1 << 20];
        let mut predecessor = 1 << 40;
        let mut page = Page::new(predecessor);
        let mut noted = Vec::new();
        for distance in distances {
            for step in steps {
                predecessor += distance;
                page.push(predecessor, step);
                noted.push((predecessor, step));
            }
        }
        assert_eq!(page.entries().collect::<Vec<_>>(), noted);
    }
}
