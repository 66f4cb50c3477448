//! Which step sent the message that a step delivers. Equal messages on their way cannot be told
//! apart; the one that was sent first is taken to arrive first.

use std::collections::{BTreeMap, VecDeque};

use super::kind_of;
use crate::semantics::StepKind;
use crate::tell::flight::{Flight, Sent};
use crate::tell::scene::Scene;

/// A message from the step that sent it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The lane of the sender.
    pub src: usize,
    /// The lane of the receiver.
    pub dst: usize,
    /// The row of the step that sent it.
    pub sent: usize,
    /// What became of it.
    pub end: End,
    /// In a word.
    pub label: String,
    /// The whole message.
    pub text: String,
    /// The term of the sender when it sent the message.
    pub term: Option<u64>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was delivered by the step of this row.
    Delivered(usize),
    /// It was lost in this row.
    Lost(usize),
    /// It was on its way when the run ended, or could have no effect any more.
    Open,
}

/// A message that is on its way.
struct Sending {
    row: usize,
    term: Option<u64>,
}

#[derive(Default)]
struct Tracker {
    open: BTreeMap<Flight, VecDeque<Sending>>,
    /// Those of which some copy was delivered, though they are still there.
    delivered: Vec<(Flight, usize)>,
    arrows: Vec<Arrow>,
}

impl Tracker {
    fn send(&mut self, sent: &[Sent], row: usize, term: impl Fn(usize) -> Option<u64>) {
        for Sent { src, text, to } in sent {
            for dst in to {
                let flight = Flight { src: *src, dst: *dst, text: text.clone() };
                let sending = Sending { row, term: term(*src) };
                self.open.entry(flight).or_default().push_back(sending);
            }
        }
    }

    /// A message ends in this way. On a network that delivers again it `stays`.
    fn end(&mut self, flight: &Flight, end: End, stays: bool) {
        let Some(sendings) = self.open.get_mut(flight) else { return };
        let Some(first) = sendings.front() else { return };
        let (row, term) = (first.row, first.term);
        if stays {
            self.delivered.push((flight.clone(), row));
        } else {
            sendings.pop_front();
        }
        let was_delivered = self.delivered.contains(&(flight.clone(), row));
        if end == End::Open && was_delivered {
            return;
        }
        let Flight { src, dst, ref text } = *flight;
        let (label, text) = (kind_of(flight), text.clone());
        self.arrows.push(Arrow { src, dst, sent: row, end, label, text, term });
    }
}

/// The messages of a run, ordered by where they were sent.
pub(super) fn arrows(scene: &Scene) -> Vec<Arrow> {
    let mut tracker = Tracker::default();
    tracker.send(&scene.sent_at_start, 0, |src| scene.origin.nodes[src].term);
    for (i, frame) in scene.frames.iter().enumerate() {
        let row = i + 1;
        match (&frame.message, frame.kind) {
            (Some(flight), StepKind::Lose) => tracker.end(flight, End::Lost(row), false),
            (Some(flight), StepKind::Duplicate) => {
                let sendings = tracker.open.entry(flight.clone()).or_default();
                if let Some(Sending { row, term }) = sendings.front() {
                    let copy = Sending { row: *row, term: *term };
                    sendings.push_front(copy);
                }
                continue;
            }
            (Some(flight), _) => tracker.end(flight, End::Delivered(row), scene.redelivers),
            (None, _) => {}
        }
        for flight in &frame.gone {
            let end = if frame.kind == StepKind::Tick { End::Lost(row) } else { End::Open };
            tracker.end(flight, end, false);
        }
        let node = |src: usize| {
            let own = frame.term.filter(|_| frame.node == Some(src));
            own.or(frame.after.nodes[src].term)
        };
        tracker.send(&frame.sent, row, node);
    }
    let left: Vec<(Flight, usize)> =
        tracker.open.iter().map(|(flight, sendings)| (flight.clone(), sendings.len())).collect();
    for (flight, copies) in left {
        (0..copies).for_each(|_| tracker.end(&flight, End::Open, false));
    }
    let order = |arrow: &Arrow| match arrow.end {
        End::Delivered(row) | End::Lost(row) => row,
        End::Open => usize::MAX,
    };
    tracker.arrows.sort_by_key(|arrow| (arrow.sent, order(arrow), arrow.src, arrow.dst));
    tracker.arrows
}
