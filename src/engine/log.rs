//! How each state was first reached: its predecessor and the step, in two to four bytes, level by
//! level.
//!
//! States are found in the order of their predecessors. So for each predecessor only its distance
//! from the previous predecessor is kept. The log is read only to rebuild a trace, from its end to
//! its start, so decoding may be slow.

use super::ids::{Key, Number, StepId, widen};

/// The log of a whole search. States are numbered in the order in which they were found, from the
/// initial state on, which has the number 0.
#[derive(Default)]
pub(crate) struct Log {
    levels: Vec<Level>,
    bytes: u64,
}

#[derive(Default)]
struct Level {
    /// The number of the level's first state.
    first: u64,
    pages: Vec<Page>,
}

/// Consecutive states of a level, written by one thread.
pub(crate) struct Page {
    bytes: Vec<u8>,
    states: u32,
    /// The first state that may be a predecessor, and the predecessor of the state noted last.
    from: u64,
    last: u64,
}

/// A distance below this stands in the lowest bits of the step's code. If those bits hold this
/// number itself, the distance is at least as large, and the rest of it follows behind the code.
const FAR: u64 = 7;

impl Page {
    /// A page whose predecessors start at `from`.
    pub(crate) fn new(from: u64) -> Self {
        Page { bytes: Vec::new(), states: 0, from, last: from }
    }

    /// Notes the next state. Its predecessor is that of the state noted before, or a later one.
    #[inline]
    pub(crate) fn push(&mut self, predecessor: u64, step: StepId) {
        debug_assert!(predecessor >= self.last);
        let distance = predecessor - self.last;
        put(&mut self.bytes, encode(step) * (FAR + 1) + distance.min(FAR));
        if distance >= FAR {
            put(&mut self.bytes, distance - FAR);
        }
        self.last = predecessor;
        self.states += 1;
    }

    /// Gives unused memory back. No more states will be noted.
    pub(crate) fn close(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Whether no state has been noted.
    pub(crate) fn is_empty(&self) -> bool {
        self.states == 0
    }

    fn entries(&self) -> impl Iterator<Item = (u64, StepId)> {
        let mut at = 0;
        let mut last = self.from;
        (0..self.states).map(move |_| {
            let number = get(&self.bytes, &mut at);
            let near = number % (FAR + 1);
            last += near;
            if near == FAR {
                last += get(&self.bytes, &mut at);
            }
            (last, decode(number / (FAR + 1)))
        })
    }
}

impl Log {
    /// Starts the next level, whose first state has this number.
    pub(crate) fn open_level(&mut self, first: u64) {
        self.levels.push(Level { first, pages: Vec::new() });
    }

    /// Adds a page to the level that is open.
    pub(crate) fn append(&mut self, page: Page) {
        self.bytes += page.bytes.capacity() as u64 + size_of::<Page>() as u64;
        self.levels.last_mut().expect("a level is open").pages.push(page);
    }

    /// The steps that lead from the initial state to the state of this number.
    pub(crate) fn path_to(&self, state: u64) -> Vec<StepId> {
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

    /// How many states each level has, if there are so many in all; the initial state is a level.
    pub(crate) fn levels(&self, states: u64) -> Vec<u64> {
        let firsts = || self.levels.iter().map(|level| level.first);
        let sizes = firsts().chain([states]).zip([0].into_iter().chain(firsts()));
        // The last level may have been opened in vain.
        sizes.map(|(end, first)| end - first).filter(|size| *size > 0).collect()
    }

    /// The bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The code of a step: its number, with the bit that marks steps of the whole system moved from the
/// highest to the lowest place, so that these steps have short codes too.
fn encode(step: StepId) -> u64 {
    u64::from(step.bits().rotate_left(1))
}

/// The step with a code.
fn decode(code: u64) -> StepId {
    StepId::from_bits((code as u32).rotate_right(1))
}

/// The bits of the largest number that [`put`] takes.
const BITS: u32 = u32::BITS + FAR.count_ones();

/// Appends a number in as few bytes as it needs. The low bits of the first byte tell how many bytes
/// follow: there are as many zeros before the lowest one.
#[inline]
fn put(bytes: &mut Vec<u8>, number: u64) {
    debug_assert!(number >> BITS == 0);
    let more = (u64::BITS - (number | 1).leading_zeros() - 1) / 7;
    let code = (number << 1 | 1) << more;
    // It is faster to append as many bytes as any number may need, and then to cut off the unused
    // ones.
    let len = bytes.len() + 1 + widen(more);
    bytes.extend_from_slice(&code.to_le_bytes());
    bytes.truncate(len);
}

/// Reads the number that [`put`] wrote at a position, and moves the position behind it.
fn get(bytes: &[u8], at: &mut usize) -> u64 {
    let more = widen(bytes[*at].trailing_zeros());
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
        const WHOLE: u32 = 1 << 31;
        assert_eq!(StepId::WHOLE.bits(), WHOLE);
        let steps = [0, 1, 77, WHOLE - 1, WHOLE, WHOLE + 256, WHOLE | (u32::MAX >> 2)];
        let steps = steps.map(StepId::from_bits);
        let distances = [0, 1, FAR - 1, FAR, FAR + 1, 1 << 20];
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
