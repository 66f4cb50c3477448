//! Texts put into another at given places.

use std::cmp::Reverse;
use std::ops::Range;

/// What is to be put in. Ranges must nest.
#[derive(Default)]
pub struct Splices(Vec<Splice>);

struct Splice {
    range: Range<usize>,
    before: String,
    after: String,
}

impl Splices {
    /// Puts one text before a range and one after it. Of equal ranges the first is the outermost.
    pub fn wrap(&mut self, range: Range<usize>, before: String, after: String) {
        self.0.push(Splice { range, before, after });
    }

    /// Puts a text between what ends at a place and what begins there.
    pub fn insert(&mut self, at: usize, text: String) {
        self.wrap(at..at, text, String::new());
    }

    pub fn into_text(self, text: &str) -> String {
        let mut pieces: Vec<(usize, Place, String)> = Vec::new();
        for (order, Splice { range, before, after }) in self.0.into_iter().enumerate() {
            if range.is_empty() {
                pieces.push((range.start, Place::Between(order), before));
            } else {
                pieces.push((range.start, Place::Open(Reverse(range.end), order), before));
                pieces.push((range.end, Place::Close(Reverse(range.start), Reverse(order)), after));
            }
        }
        pieces.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut spliced = String::with_capacity(text.len() * 4);
        let mut done = 0;
        for (at, _, piece) in pieces {
            spliced += &text[done..at];
            spliced += &piece;
            done = at;
        }
        spliced + &text[done..]
    }
}

/// At one place: what ends there, the inner before the outer; what stands between; what begins, the
/// outer first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Close(Reverse<usize>, Reverse<usize>),
    Between(usize),
    Open(Reverse<usize>, usize),
}
