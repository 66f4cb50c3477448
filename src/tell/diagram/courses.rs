//! Which step sent the message that a step delivers. Equal messages on their way cannot be told
//! apart; the one that was sent first is taken to arrive first, also where the network holds them
//! as one.

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
    /// The term that the message names, if it names one; else that of its sender when it was sent.
    pub term: Option<u64>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was delivered by the step of this row.
    Delivered(usize),
    /// It was lost in this row.
    Lost(usize),
    /// It was on its way when the run ended, or could have no effect any more, be it from the
    /// moment in which it was sent.
    Open,
}

/// A message that is on its way.
struct Sending {
    row: usize,
    term: Option<u64>,
    /// Whether some copy of it was delivered, though it is still there.
    was_delivered: bool,
}

#[derive(Default)]
struct Tracker {
    open: BTreeMap<Flight, VecDeque<Sending>>,
    arrows: Vec<Arrow>,
}

impl Tracker {
    fn send(&mut self, flight: Flight, row: usize, term: Option<u64>) {
        let sending = Sending { row, term, was_delivered: false };
        self.open.entry(flight).or_default().push_back(sending);
    }

    /// A message that added nothing to those in flight. An equal one may be in flight, and then
    /// either may be the one that arrives; or it can have no effect any more.
    fn send_in_vain(&mut self, flight: Flight, row: usize, term: Option<u64>) {
        if self.open.get(&flight).is_some_and(|sendings| !sendings.is_empty()) {
            self.send(flight, row, term);
        } else {
            self.draw(&flight, row, End::Open, term);
        }
    }

    /// A message ends in this way. On a network that delivers again it `stays`.
    fn end(&mut self, flight: &Flight, end: End, stays: bool) {
        let Some(sendings) = self.open.get_mut(flight) else { return };
        let first = sendings.iter().position(|sending| !sending.was_delivered).unwrap_or(0);
        let Some(sending) = sendings.get_mut(first) else { return };
        let Sending { row, term, was_delivered } = *sending;
        if stays {
            sending.was_delivered = true;
        } else {
            sendings.remove(first);
        }
        if end != End::Open || !was_delivered {
            self.draw(flight, row, end, term);
        }
    }

    /// The same for all equal messages, which are one on a network that delivers again.
    fn end_all(&mut self, flight: &Flight, end: End) {
        let Some(sendings) = self.open.get(flight) else { return };
        let fresh = sendings.iter().filter(|sending| !sending.was_delivered).count();
        (0..fresh.max(1)).for_each(|_| self.end(flight, end, false));
        self.open.remove(flight);
    }

    fn draw(&mut self, flight: &Flight, sent: usize, end: End, term: Option<u64>) {
        let Flight { src, dst, ref text } = *flight;
        let (label, text) = (kind_of(flight), text.clone());
        self.arrows.push(Arrow { src, dst, sent, end, label, text, term });
    }
}

/// One message for each receiver.
fn flights(sent: &[Sent]) -> impl Iterator<Item = Flight> {
    let each = |Sent { src, text, to }: &Sent| {
        let flight = |&dst: &usize| Flight { src: *src, dst, text: text.clone() };
        to.iter().map(flight).collect::<Vec<_>>()
    };
    sent.iter().flat_map(each)
}

/// The term that a message names, as in `Vote { term: 2 }`; else that of its sender. None if it
/// names one in which nobody ever is in this run.
fn named_term(scene: &Scene, text: &str, sender: Option<u64>) -> Option<u64> {
    let (word, _) = scene.terms.get(&sender?)?.split_once(' ')?;
    let Some((_, rest)) = text.split_once(&format!(" {word}: ")) else { return sender };
    let is_it = |name: &str| {
        let value = name.strip_prefix(word).unwrap_or_default().trim_start();
        let after = rest.strip_prefix(value);
        after.is_some_and(|after| after.starts_with([',', ' ', '}', ')', ']']))
    };
    scene.terms.iter().find(|(_, name)| is_it(name)).map(|(term, _)| *term)
}

/// The messages of a run, ordered by where they were sent.
pub(super) fn arrows(scene: &Scene) -> Vec<Arrow> {
    let mut tracker = Tracker::default();
    for flight in flights(&scene.sent_at_start) {
        let term = scene.origin.nodes[flight.src].term;
        tracker.send(flight, 0, term);
    }
    for (i, frame) in scene.frames.iter().enumerate() {
        let row = i + 1;
        let vanish = |tracker: &mut Tracker, flight: &Flight, end| match scene.redelivers {
            true => tracker.end_all(flight, end),
            false => tracker.end(flight, end, false),
        };
        match (&frame.message, frame.kind) {
            (Some(flight), StepKind::Lose) => vanish(&mut tracker, flight, End::Lost(row)),
            (Some(flight), StepKind::Duplicate) => {
                let sendings = tracker.open.entry(flight.clone()).or_default();
                if let Some(&Sending { row, term, was_delivered }) = sendings.front() {
                    sendings.push_front(Sending { row, term, was_delivered });
                }
                continue;
            }
            (Some(flight), _) => tracker.end(flight, End::Delivered(row), scene.redelivers),
            (None, _) => {}
        }
        for flight in &frame.gone {
            let end = if frame.kind == StepKind::Tick { End::Lost(row) } else { End::Open };
            vanish(&mut tracker, flight, end);
        }
        let term = |src: usize| {
            let own = frame.term.filter(|_| frame.node == Some(src));
            own.or(frame.after.nodes[src].term)
        };
        for flight in flights(&frame.sent) {
            let term = term(flight.src);
            tracker.send(flight, row, term);
        }
        for flight in flights(&frame.sent_in_vain) {
            let term = term(flight.src);
            tracker.send_in_vain(flight, row, term);
        }
    }
    let left: Vec<(Flight, usize)> =
        tracker.open.iter().map(|(flight, sendings)| (flight.clone(), sendings.len())).collect();
    for (flight, copies) in left {
        (0..copies).for_each(|_| tracker.end(&flight, End::Open, false));
    }
    for arrow in &mut tracker.arrows {
        arrow.term = named_term(scene, &arrow.text, arrow.term);
    }
    let order = |arrow: &Arrow| match arrow.end {
        End::Delivered(row) | End::Lost(row) => row,
        End::Open => usize::MAX,
    };
    tracker.arrows.sort_by_key(|arrow| (arrow.sent, order(arrow), arrow.src, arrow.dst));
    tracker.arrows
}
