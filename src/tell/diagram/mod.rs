//! A space-time diagram of a run, as data: a lane for each node, a row for each step, and an arrow
//! for each message, from the step that sent it to the step that delivered it. Time goes down.
//!
//! A [`Diagram`] says what is drawn and nothing about where. [`svg`] and [`terminal`] draw it.

mod courses;
#[cfg(feature = "cli")]
mod labels;
mod lanes;
#[cfg(feature = "cli")]
pub mod layout;
#[cfg(feature = "cli")]
mod legend;
#[cfg(feature = "cli")]
mod marks;
#[cfg(feature = "cli")]
mod measure;
#[cfg(feature = "cli")]
mod plan;
#[cfg(feature = "cli")]
pub mod svg;
pub mod terminal;
#[cfg(feature = "cli")]
mod text;

use crate::election::node_name;
use crate::semantics::StepKind;
use crate::tell::flight::Flight;
use crate::tell::links;
use crate::tell::scene::{Frame, NodeView, Reign, Scene};

pub use courses::{Arrow, End};
pub use lanes::{Condition, Stretch};

/// What is said about a run beside what happens in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caption {
    /// What the run is of: protocol and scenario.
    pub title: String,
    /// What the run shows: that a property is violated, or an answer.
    pub shows: String,
    /// The conflicting facts.
    pub why: String,
    /// What the property says.
    pub meaning: String,
    /// Whether something is wrong with the last state.
    pub is_violation: bool,
}

/// A space-time diagram.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// What is said about the run.
    pub caption: Caption,
    /// The names of the nodes.
    pub lanes: Vec<String>,
    /// The start, then a row for each step.
    pub rows: Vec<Row>,
    /// The messages.
    pub arrows: Vec<Arrow>,
    /// How the nodes are, lane by lane, from row to row.
    pub stretches: Vec<Stretch>,
    /// Between which neighbouring lanes no message can pass, from row to row: `lane` is the left
    /// one.
    pub walls: Vec<Wall>,
    /// The terms that occur, in ascending order, with their names.
    pub terms: Vec<(u64, String)>,
    /// The first row of what is checked, if there are rows before it.
    pub checked_from: Option<usize>,
    /// The first row of the cycle that goes on for ever with the last row.
    pub cycle: Option<usize>,
}

/// The links between the lanes on its left and those on its right are all down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wall {
    /// The lane on its left.
    pub lane: usize,
    /// The row in which the links went down.
    pub from: usize,
    /// The row in which they came up again, or the last one.
    pub to: usize,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the step, as in texts; empty for the start.
    pub number: String,
    /// Its kind; `None` for the start.
    pub kind: Option<StepKind>,
    /// The node at which it happened.
    pub lane: Option<usize>,
    /// The sender and the receiver of the message that was lost or doubled on its way.
    pub between: Option<(usize, usize)>,
    /// In a word or two.
    pub label: String,
    /// What it changed about the node's term or reign.
    pub notes: Vec<Note>,
    /// The whole name of the step.
    pub name: String,
    /// In a sentence or two.
    pub told: String,
    /// Whether it is one of several ticks in which nothing else happens, and the last of them
    /// stands for all.
    pub is_hidden: bool,
}

/// A remark about a node's term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether the node leads the term from now on.
    pub leads: bool,
    /// The term; `None` if terms have no numbers, or the node leads no more.
    pub term: Option<u64>,
    /// In words.
    pub text: String,
}

impl Diagram {
    /// The diagram of a run.
    pub fn new(scene: &Scene, caption: Caption) -> Self {
        let prefix = scene.prefix;
        let mut rows = vec![Row {
            number: String::new(),
            kind: None,
            lane: None,
            between: None,
            label: String::new(),
            notes: Vec::new(),
            name: "start".to_string(),
            told: start(scene),
            is_hidden: false,
        }];
        for (i, frame) in scene.frames.iter().enumerate() {
            let number = if i < prefix { "–".to_string() } else { (i - prefix + 1).to_string() };
            rows.push(Row {
                number,
                kind: Some(frame.kind),
                lane: frame.node,
                between: frame
                    .message
                    .as_ref()
                    .filter(|_| frame.node.is_none())
                    .map(|flight| (flight.src, flight.dst)),
                label: label(frame),
                notes: notes(scene, i),
                name: frame.name.clone(),
                told: frame.told.clone(),
                is_hidden: false,
            });
        }
        gather_ticks(scene, &mut rows);
        let nodes = scene.origin.nodes.len();
        Diagram {
            caption,
            lanes: (0..nodes).map(|node| node_name(node.into())).collect(),
            rows,
            arrows: courses::arrows(scene),
            stretches: lanes::stretches(scene),
            walls: lanes::walls(scene),
            terms: scene.terms.iter().map(|(term, name)| (*term, name.clone())).collect(),
            checked_from: (prefix > 0 && prefix < scene.frames.len()).then_some(prefix + 1),
            cycle: scene.cycle.map(|frame| frame + 1),
        }
    }

    /// The number of a term's colour: where it stands among those that occur. Zero has none, where
    /// nobody leads it: it only stands for the time before the first.
    pub fn colour(&self, term: Option<u64>) -> Option<usize> {
        let at = self.terms.iter().position(|(known, _)| Some(*known) == term)?;
        let is_led = |stretch: &Stretch| stretch.condition == Condition::Leads(0);
        let begins_at_nothing = self.terms.first().is_some_and(|(first, _)| *first == 0);
        match begins_at_nothing && !self.stretches.iter().any(is_led) {
            true => at.checked_sub(1),
            false => Some(at),
        }
    }

    /// The name of a term.
    pub fn term_name(&self, term: Option<u64>) -> Option<&str> {
        let found = self.terms.iter().find(|(known, _)| Some(*known) == term);
        found.map(|(_, name)| name.as_str())
    }

    /// The last row.
    pub fn last(&self) -> usize {
        self.rows.len() - 1
    }
}

/// Lets the last of several ticks stand for all.
fn gather_ticks(scene: &Scene, rows: &mut [Row]) {
    let is_idle = |i: usize| {
        let frame = &scene.frames[i];
        frame.kind == StepKind::Tick && frame.gone.is_empty()
    };
    let mut first = 0;
    for i in 0..scene.frames.len() {
        let goes_on = is_idle(i) && i + 1 < scene.frames.len() && is_idle(i + 1);
        let is_border = i + 1 == scene.prefix || Some(i + 1) == scene.cycle;
        if goes_on && !is_border {
            rows[i + 1].is_hidden = true;
            continue;
        }
        if i > first && is_idle(i) {
            let ticks = i + 1 - first;
            rows[i + 1].label = format!("{ticks} ticks");
            rows[i + 1].told = format!("Time passes: {ticks} ticks.");
            if i >= scene.prefix {
                rows[i + 1].number = format!("{}–{}", rows[first + 1].number, rows[i + 1].number);
            }
        }
        first = i + 1;
    }
}

/// The first word of a message's text: its kind.
pub(super) fn kind_of(flight: &Flight) -> String {
    first_word(&flight.text)
}

fn first_word(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if word.is_empty() { text.to_string() } else { word }
}

fn start(scene: &Scene) -> String {
    let cut = &scene.origin.cut;
    let links = match cut.is_empty() {
        true => String::new(),
        false => format!(" These links are cut: {}.", links::short(cut)),
    };
    let leads = |(i, node): (usize, &NodeView)| {
        let name = scene.terms.get(&node.leads?).map(|term| format!(" {term}"));
        Some(format!(" {} leads{}.", node_name(i.into()), name.unwrap_or_default()))
    };
    let leads: String = scene.origin.nodes.iter().enumerate().filter_map(leads).collect();
    format!("All nodes start.{leads}{links}")
}

/// A step in a word or two.
fn label(frame: &Frame) -> String {
    let kind = || frame.message.as_ref().map(kind_of).unwrap_or_default();
    // The name of the step, without its verb and its node.
    let rest = || frame.name.splitn(3, ' ').nth(2).unwrap_or_default();
    match frame.kind {
        StepKind::Deliver => kind(),
        StepKind::Timeout => format!("{} timeout", first_word(rest())),
        StepKind::Choose => rest().replacen(" = ", ": ", 1),
        StepKind::Restart => "restarts".to_string(),
        StepKind::RestartWithoutDisk => "restarts, disk empty".to_string(),
        StepKind::RestartWithOlderDisk => "restarts, older disk".to_string(),
        StepKind::Crash => "crashes".to_string(),
        StepKind::Torn if frame.message.is_some() => format!("{}, crashes midway", kind()),
        StepKind::Torn => "crashes midway".to_string(),
        StepKind::Lose => format!("{} is lost", kind()),
        StepKind::Duplicate => format!("{} is doubled", kind()),
        StepKind::Switch if frame.after.cut.is_empty() => "all links are up".to_string(),
        StepKind::Switch => format!("cut: {}", links::short(&frame.after.cut)),
        StepKind::Stabilise => "time is kept from here".to_string(),
        StepKind::Tick => "tick".to_string(),
    }
}

/// What a step changed about its node's term and reign.
fn notes(scene: &Scene, i: usize) -> Vec<Note> {
    let frame = &scene.frames[i];
    let Some(node) = frame.node else { return Vec::new() };
    let (old, new) = (&scene.before(i).nodes[node], &frame.after.nodes[node]);
    let name = |term: u64| scene.terms.get(&term).cloned().unwrap_or_default();
    let reign = frame.changes.iter().find(|change| change.node == node).and_then(|c| c.reign);
    let mut notes = Vec::new();
    if new.is_up && new.term != old.term && scene.has_terms && new.term.is_some_and(|t| t > 0) {
        let term = new.term.unwrap_or_default();
        if !matches!(reign, Some(Reign::Begins(led)) if led == term) {
            notes.push(Note {
                leads: false,
                term: Some(term),
                text: format!("now {}", name(term)),
            });
        }
    }
    match reign {
        Some(Reign::Begins(term)) if scene.has_terms => {
            let text = format!("leads {}", name(term));
            notes.push(Note { leads: true, term: Some(term), text });
        }
        Some(Reign::Begins(term)) => {
            notes.push(Note { leads: true, term: Some(term), text: "leads".to_string() });
        }
        Some(Reign::Ends) if new.is_up => {
            notes.push(Note { leads: false, term: None, text: "leads no more".to_string() });
        }
        _ => {}
    }
    notes
}
