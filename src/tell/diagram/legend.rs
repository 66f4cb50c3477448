//! What the symbols of a picture mean: those that occur in it, and no others.

use super::Diagram;
use super::courses::End;
use super::lanes::Condition;
use crate::semantics::StepKind;

/// A symbol of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symbol {
    /// The colour with this number.
    Term(usize),
    /// An arrow.
    Message,
    /// A short line with a ring.
    Unheard,
    /// An arrow that ends in a cross.
    Lost,
    /// A dot.
    Receives,
    /// A clock.
    Timeout,
    /// A diamond.
    Choice,
    /// A cross in a disc.
    Crash,
    /// A ring on a lane.
    Restart,
    /// A broad bar.
    Leads,
    /// A dashed line.
    Down,
    /// A wall of dots.
    Wall,
    /// Fine dots across all lanes.
    Tick,
    /// What lies under the last step of a violation.
    Violation,
    /// What is before the start.
    Pale,
}

impl Symbol {
    /// How much room it takes.
    pub(super) fn width(self) -> f64 {
        if matches!(self, Symbol::Term(_)) { 15.0 } else { 32.0 }
    }

    fn words(self) -> &'static str {
        match self {
            Symbol::Term(_) => "",
            Symbol::Message => "a message, from its sending to its receipt",
            Symbol::Unheard => "nobody receives the message, or it can have no effect any more",
            Symbol::Lost => "the message is lost",
            Symbol::Receives => "the node receives a message",
            Symbol::Timeout => "a timeout",
            Symbol::Choice => "the node is given an input",
            Symbol::Crash => "the node crashes",
            Symbol::Restart => "the node restarts",
            Symbol::Leads => "the node leads",
            Symbol::Down => "the node is down",
            Symbol::Wall => "no message passes",
            Symbol::Tick => "time passes",
            Symbol::Violation => "the step that violates the property",
            Symbol::Pale => "before checking begins",
        }
    }

    /// Whether the picture has it.
    fn occurs(self, diagram: &Diagram) -> bool {
        let is_any = |is_it: &dyn Fn(StepKind) -> bool| {
            let shown = diagram.rows.iter().filter(|row| !row.is_hidden);
            shown.filter_map(|row| row.kind).any(is_it)
        };
        let ends = |is_it: &dyn Fn(End) -> bool| diagram.arrows.iter().any(|a| is_it(a.end));
        let conditions = || diagram.stretches.iter().map(|stretch| stretch.condition);
        match self {
            Symbol::Term(_) => true,
            Symbol::Message => ends(&|end| matches!(end, End::Delivered(_))),
            Symbol::Unheard => ends(&|end| end == End::Open),
            Symbol::Lost => ends(&|end| matches!(end, End::Lost(_))),
            Symbol::Receives => is_any(&|kind| kind == StepKind::Deliver),
            Symbol::Timeout => is_any(&|kind| kind == StepKind::Timeout),
            Symbol::Choice => is_any(&|kind| kind == StepKind::Choose),
            Symbol::Crash => is_any(&|kind| matches!(kind, StepKind::Crash | StepKind::Torn)),
            Symbol::Restart => is_any(&|kind| {
                let is_intact = kind == StepKind::Restart;
                let is_older = kind == StepKind::RestartWithOlderDisk;
                is_intact || is_older || kind == StepKind::RestartWithoutDisk
            }),
            Symbol::Leads => conditions().any(|c| matches!(c, Condition::Leads(_))),
            Symbol::Down => conditions().any(|condition| condition == Condition::Down),
            Symbol::Wall => !diagram.walls.is_empty(),
            Symbol::Tick => is_any(&|kind| kind == StepKind::Tick),
            Symbol::Violation => diagram.caption.is_violation && diagram.last() > 0,
            Symbol::Pale => diagram.checked_from.is_some(),
        }
    }
}

/// The symbols of a picture with what they mean: first the terms, each by its name.
pub(super) fn items(diagram: &Diagram) -> Vec<(Symbol, String)> {
    let term = |(term, name): &(u64, String)| {
        let colour = diagram.colour(Some(*term))?;
        Some((Symbol::Term(colour), name.clone()))
    };
    let terms = diagram.terms.iter().filter_map(term);
    let others = [
        Symbol::Message,
        Symbol::Unheard,
        Symbol::Lost,
        Symbol::Receives,
        Symbol::Timeout,
        Symbol::Choice,
        Symbol::Crash,
        Symbol::Restart,
        Symbol::Leads,
        Symbol::Down,
        Symbol::Wall,
        Symbol::Tick,
        Symbol::Violation,
        Symbol::Pale,
    ];
    let others = others.into_iter().filter(|symbol| symbol.occurs(diagram));
    terms.chain(others.map(|symbol| (symbol, symbol.words().to_string()))).collect()
}
