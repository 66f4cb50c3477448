//! A diagram for a terminal: a column for each node, a line for each step, messages as arrows
//! across the columns where they arrive.

use std::fmt::Write;

use super::courses::{Arrow, End};
use super::lanes::Condition;
use super::{Diagram, Row};
use crate::election::listed;
use crate::semantics::StepKind;
use crate::support::plain::printable;

/// What stands to the left of the lanes: the number of the step.
const MARGIN: usize = 6;
/// What stands to the right of the lanes gets at least this.
const REMARK: usize = 22;

/// A character of the picture, and the term whose colour it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    glyph: char,
    colour: Option<usize>,
}

/// One line of the picture.
struct Line {
    cells: Vec<Cell>,
}

impl Line {
    fn put(&mut self, at: usize, glyph: char, colour: Option<usize>) {
        if let Some(cell) = self.cells.get_mut(at) {
            *cell = Cell { glyph, colour };
        }
    }

    fn write(&mut self, at: usize, text: &str, colour: Option<usize>) {
        text.chars().enumerate().for_each(|(i, c)| self.put(at + i, c, colour));
    }
}

/// Texts of some colour become texts with escape codes, or stay as they are.
pub type Paint<'a> = &'a dyn Fn(&str, Option<usize>) -> String;

/// The picture, at most this wide.
pub fn draw(diagram: &Diagram, width: usize, paint: Paint<'_>) -> String {
    let lanes = Lanes::new(diagram, width);
    let mut text = String::new();
    let mut head = lanes.blank();
    for (lane, name) in diagram.lanes.iter().enumerate() {
        head.write(lanes.at(lane).saturating_sub(name.len() / 2), name, None);
    }
    lanes.say(&mut text, "", &head, "", paint);
    for (i, row) in diagram.rows.iter().enumerate() {
        if Some(i) == diagram.checked_from {
            let _ = writeln!(text, "{:MARGIN$}checked from here:", "");
        }
        if Some(i) == diagram.cycle {
            let _ = writeln!(text, "{:MARGIN$}from here on it goes round for ever:", "");
        }
        if row.kind.is_none() {
            let told = row.told.trim_start_matches("All nodes start.");
            lanes.say(&mut text, "", &lanes.idle(diagram, i), told, paint);
            continue;
        }
        if row.is_hidden {
            continue;
        }
        let (line, remark) = lanes.step(diagram, i);
        lanes.say(&mut text, &row.number, &line, &remark, paint);
    }
    if diagram.cycle.is_some() {
        let _ = writeln!(text, "{:MARGIN$}and so on", "");
    }
    text
}

/// Where the lanes are.
struct Lanes {
    count: usize,
    spacing: usize,
    width: usize,
}

impl Lanes {
    fn new(diagram: &Diagram, width: usize) -> Self {
        let count = diagram.lanes.len();
        let longest = diagram.arrows.iter().map(|arrow| arrow.label.chars().count()).max();
        let wanted = longest.unwrap_or(0).max(8) + 8;
        let room = width.saturating_sub(MARGIN + REMARK) / count.max(1);
        Lanes { count, spacing: wanted.min(room).max(6), width: width.max(40) }
    }

    fn at(&self, lane: usize) -> usize {
        2 + lane * self.spacing
    }

    fn blank(&self) -> Line {
        let columns = self.at(self.count - 1) + 3;
        Line { cells: vec![Cell { glyph: ' ', colour: None }; columns] }
    }

    /// The lanes as they are after a step.
    fn idle(&self, diagram: &Diagram, row: usize) -> Line {
        let mut line = self.blank();
        for lane in 0..self.count {
            let (glyph, colour) = match condition(diagram, lane, row) {
                Condition::Down => (' ', None),
                Condition::Up(term) => ('│', diagram.colour(term)),
                Condition::Leads(term) => ('┃', diagram.colour(Some(term)).or(Some(0))),
            };
            line.put(self.at(lane), glyph, colour);
        }
        line
    }

    /// The line of a step, and what stands beside it.
    fn step(&self, diagram: &Diagram, i: usize) -> (Line, String) {
        let row = &diagram.rows[i];
        let mut line = self.idle(diagram, i);
        let mut remarks: Vec<String> = Vec::new();
        let arrow = diagram.arrows.iter().find(|arrow| ends_in(arrow, i));
        if matches!(row.kind, Some(StepKind::Tick)) {
            self.tick(diagram, i, &mut line, &mut remarks);
        } else if let Some(arrow) = arrow {
            if !self.arrow(diagram, arrow, &mut line) {
                remarks.push(arrow.label.clone());
            }
            if matches!(arrow.end, End::Lost(_)) {
                remarks.push("lost".to_string());
            }
            let is_numbered = diagram.checked_from.is_none_or(|from| arrow.sent >= from);
            if arrow.sent + 1 < i && arrow.sent > 0 && is_numbered {
                remarks.push(format!("sent in {}", diagram.rows[arrow.sent].number));
            }
        } else if row.lane.is_none() {
            remarks.push(row.label.clone());
        }
        if let Some(lane) = row.lane {
            let colour = match condition(diagram, lane, i) {
                Condition::Down => None,
                Condition::Up(term) => diagram.colour(term),
                Condition::Leads(term) => diagram.colour(Some(term)).or(Some(0)),
            };
            line.put(self.at(lane), glyph(row), colour);
            if arrow.is_none() {
                self.label(diagram, row, lane, &mut line, &mut remarks);
            }
            let name = &diagram.lanes[lane];
            remarks.extend(row.notes.iter().map(|note| format!("{name} {}", note.text)));
            remarks.extend(unheard(diagram, i));
        }
        (line, remarks.join(", "))
    }

    fn tick(&self, diagram: &Diagram, i: usize, line: &mut Line, remarks: &mut Vec<String>) {
        for cell in line.cells.iter_mut().filter(|cell| cell.glyph == ' ') {
            cell.glyph = '·';
        }
        let lost = diagram.arrows.iter().filter(|arrow| arrow.end == End::Lost(i));
        let lost: Vec<String> = lost
            .map(|arrow| {
                let (src, dst) = (&diagram.lanes[arrow.src], &diagram.lanes[arrow.dst]);
                format!("{} {src} to {dst}", arrow.label)
            })
            .collect();
        remarks.push(diagram.rows[i].label.clone());
        if !lost.is_empty() {
            remarks.push(format!("lost: {}", lost.join(", ")));
        }
    }

    /// Draws a message; returns whether there was room for its label.
    fn arrow(&self, diagram: &Diagram, arrow: &Arrow, line: &mut Line) -> bool {
        let (from, to) = (self.at(arrow.src), self.at(arrow.dst));
        let is_lost = matches!(arrow.end, End::Lost(_));
        let colour = diagram.colour(arrow.term);
        if from == to {
            return false;
        }
        let (low, high) = (from.min(to), from.max(to));
        (low + 1..high).for_each(|at| line.put(at, '─', colour));
        let is_right = from < to;
        line.put(from, if is_right { '├' } else { '┤' }, colour);
        let tip = match (is_right, is_lost) {
            (true, false) => (to - 1, '▶'),
            (false, false) => (to + 1, '◀'),
            (true, true) => (to - 2, '✕'),
            (false, true) => (to + 2, '✕'),
        };
        line.put(tip.0, tip.1, colour);
        if is_lost {
            let gap = if is_right { to - 1 } else { to + 1 };
            line.put(gap, ' ', None);
        }
        // The label stands in the gap next to the sender.
        let label = format!(" {} ", arrow.label);
        let length = label.chars().count();
        if length + 4 > self.spacing {
            return false;
        }
        let slack = (self.spacing - length) / 2;
        let begin = if is_right { from + slack } else { from - self.spacing + slack + 1 };
        line.write(begin, &label, colour);
        true
    }

    /// Writes what a node does beside its lane, or, where there is no room, beside all lanes.
    fn label(
        &self,
        diagram: &Diagram,
        row: &Row,
        lane: usize,
        line: &mut Line,
        remarks: &mut Vec<String>,
    ) {
        let room = if lane + 1 < diagram.lanes.len() { self.spacing - 2 } else { 0 };
        if row.label.chars().count() <= room {
            line.write(self.at(lane) + 2, &row.label, None);
        } else {
            remarks.insert(0, row.label.clone());
        }
    }

    /// Adds a line, with what stands beside it wrapped.
    fn say(&self, text: &mut String, number: &str, line: &Line, remark: &str, paint: Paint<'_>) {
        let mut drawn = String::new();
        let mut at = 0;
        while at < line.cells.len() {
            let colour = line.cells[at].colour;
            let alike = line.cells[at..].iter().take_while(|cell| cell.colour == colour);
            let run: String = alike.map(|cell| cell.glyph).collect();
            at += run.chars().count();
            let run = printable(&run);
            drawn += &if colour.is_some() { paint(&run, colour) } else { run };
        }
        let beside = MARGIN + line.cells.len() + 1;
        let room = self.width.saturating_sub(beside).max(12);
        let lines = crate::tell::prose::wrap(remark, room);
        let first = lines.first().cloned().unwrap_or_default();
        let whole = format!("{number:>5} {drawn} {}", printable(&first));
        let _ = writeln!(text, "{}", whole.trim_end());
        for more in lines.iter().skip(1) {
            let _ = writeln!(text, "{:beside$}{}", "", printable(more));
        }
    }
}

/// The messages of a step to which no arrow belongs, as they do not arrive in what is shown.
fn unheard(diagram: &Diagram, row: usize) -> Option<String> {
    let open = diagram.arrows.iter().filter(|arrow| arrow.sent == row && arrow.end == End::Open);
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for arrow in open {
        let name = diagram.lanes[arrow.dst].as_str();
        match kinds.iter_mut().find(|(kind, _)| *kind == arrow.label) {
            Some((_, to)) => to.push(name),
            None => kinds.push((&arrow.label, vec![name])),
        }
    }
    let kind = |(kind, to): &(&str, Vec<&str>)| format!("{kind} to {}", listed(to));
    let all: Vec<String> = kinds.iter().map(kind).collect();
    (!all.is_empty()).then(|| format!("also {}", all.join(", ")))
}

fn ends_in(arrow: &Arrow, row: usize) -> bool {
    arrow.end == End::Delivered(row) || arrow.end == End::Lost(row)
}

/// How a node is after a step.
fn condition(diagram: &Diagram, lane: usize, row: usize) -> Condition {
    let here = diagram.stretches.iter().rfind(|s| s.lane == lane && s.from <= row);
    here.map_or(Condition::Down, |stretch| stretch.condition)
}

fn glyph(row: &Row) -> char {
    match row.kind {
        Some(StepKind::Timeout) => '◷',
        Some(StepKind::Crash | StepKind::Torn) => '✕',
        Some(StepKind::Restart | StepKind::RestartWithoutDisk | StepKind::RestartWithOlderDisk) => {
            '↻'
        }
        Some(StepKind::Choose) => '◆',
        _ => '●',
    }
}
