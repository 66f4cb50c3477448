//! The shapes of a drawing: what a step, a message that ends, and a symbol of the legend look like.

use svg::node::element::{Circle, Group, Line as Straight, Path, Rectangle};

use super::labels::is_fault;
use super::legend::Symbol;
use crate::semantics::StepKind;

/// How many colours of terms there are. Further terms begin again.
pub(super) const COLOURS: usize = 6;

/// The class of a colour: `f` to fill, `s` to stroke, `o` for what stands on it.
pub(super) fn class(what: char, colour: Option<usize>) -> String {
    match colour {
        Some(colour) => format!("{what}{}", colour % COLOURS),
        None => format!("{what}n"),
    }
}

/// A number as it stands in the file: no more exact than can be seen.
pub(super) fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

pub(super) fn rectangle(
    (left, top, right, bottom): (f64, f64, f64, f64),
    radius: f64,
) -> Rectangle {
    Rectangle::new()
        .set("x", round(left))
        .set("y", round(top))
        .set("width", round(right - left))
        .set("height", round(bottom - top))
        .set("rx", radius)
}

pub(super) fn straight(from: (f64, f64), to: (f64, f64)) -> Straight {
    Straight::new()
        .set("x1", round(from.0))
        .set("y1", round(from.1))
        .set("x2", round(to.0))
        .set("y2", round(to.1))
}

pub(super) fn path(d: String) -> Path {
    Path::new().set("d", d)
}

/// The point that far before the end.
pub(super) fn shorter(from: (f64, f64), to: (f64, f64), by: f64) -> (f64, f64) {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let length = x.hypot(y);
    (to.0 - x / length * by, to.1 - y / length * by)
}

/// The head of an arrow that points this way.
pub(super) fn head(tip: (f64, f64), unit: (f64, f64)) -> Path {
    let back = (tip.0 - unit.0 * 9.0, tip.1 - unit.1 * 9.0);
    let aside = (-unit.1 * 4.2, unit.0 * 4.2);
    path(format!(
        "M{} {} L{} {} L{} {} Z",
        round(tip.0),
        round(tip.1),
        round(back.0 + aside.0),
        round(back.1 + aside.1),
        round(back.0 - aside.0),
        round(back.1 - aside.1)
    ))
}

pub(super) fn cross((x, y): (f64, f64)) -> Path {
    let d = format!(
        "M{a} {b} L{c} {d} M{a} {d} L{c} {b}",
        a = round(x - 5.0),
        c = round(x + 5.0),
        b = round(y - 5.0),
        d = round(y + 5.0)
    );
    path(d).set("class", "bad").set("stroke-width", 2.4).set("stroke-linecap", "round")
}

fn circle((x, y): (f64, f64), r: f64) -> Circle {
    Circle::new().set("cx", round(x)).set("cy", round(y)).set("r", r)
}

/// The mark of a step.
pub(super) fn mark(kind: Option<StepKind>, at: (f64, f64), colour: Option<usize>) -> Group {
    let (x, y) = at;
    let edge = class('s', colour);
    let outlined = format!("paper {edge}");
    match kind {
        Some(StepKind::Crash | StepKind::Torn) => {
            Group::new().add(circle(at, 8.0).set("class", "paper")).add(cross(at))
        }
        Some(StepKind::Timeout) => {
            let d = format!(
                "M{x} {} V{y} H{}",
                round(y - 3.6),
                round(x + 2.8),
                x = round(x),
                y = round(y)
            );
            let hands = path(d).set("class", edge).set("fill", "none").set("stroke-width", 1.6);
            let face = circle(at, 6.5).set("class", outlined).set("stroke-width", 2);
            Group::new().add(face).add(hands)
        }
        Some(kind) if is_fault(kind) => {
            let ring = circle(at, 6.0).set("class", "paper bad").set("stroke-width", 2.4);
            Group::new().add(ring)
        }
        Some(StepKind::Choose) => {
            let d = format!("M{} {} l6.5 6.5 l-6.5 6.5 l-6.5 -6.5 Z", round(x), round(y - 6.5));
            Group::new().add(path(d).set("class", outlined).set("stroke-width", 2))
        }
        _ => Group::new().add(circle(at, 5.5).set("class", class('f', colour))).add(
            circle(at, 5.5)
                .set("class", "halo-ring")
                .set("style", "fill:none;stroke:var(--paper);stroke-width:1.5"),
        ),
    }
}

/// A message that nobody receives.
pub(super) fn unheard(from: (f64, f64), to: (f64, f64), colour: Option<usize>) -> Group {
    let edge = class('s', colour);
    let ring = circle(to, 3.2).set("class", format!("paper {edge}"));
    let line = straight(from, shorter(from, to, 3.2)).set("class", edge).set("stroke-width", 1.4);
    Group::new().set("opacity", 0.75).add(line).add(ring)
}

/// A symbol of the legend, which begins here.
pub(super) fn symbol(symbol: Symbol, (x, y): (f64, f64)) -> Group {
    let (middle, end) = ((x + 12.0, y), (x + 24.0, y));
    let line = |class: &str, width: f64| {
        straight((x, y), end).set("class", class).set("stroke-width", width)
    };
    let shaft = |to: f64| straight((x, y), (to, y)).set("class", "shaft sn");
    let step = |kind| mark(Some(kind), middle, None);
    let swatch = || rectangle((x, y - 6.0, x + 24.0, y + 6.0), 3.0);
    let group = Group::new();
    match symbol {
        Symbol::Term(colour) => {
            group.add(circle((x + 5.0, y), 4.5).set("class", class('f', Some(colour))))
        }
        Symbol::Message => group.add(shaft(x + 18.0)).add(head(end, (1.0, 0.0)).set("class", "fn")),
        Symbol::Unheard => group.add(unheard((x, y - 4.0), (x + 20.0, y + 3.0), None)),
        Symbol::Lost => group.add(shaft(x + 19.0)).add(cross((x + 19.0, y))),
        Symbol::Receives => group.add(step(StepKind::Deliver)),
        Symbol::Timeout => group.add(step(StepKind::Timeout)),
        Symbol::Choice => group.add(step(StepKind::Choose)),
        Symbol::Crash => group.add(step(StepKind::Crash)),
        Symbol::Restart => group.add(step(StepKind::Restart)),
        Symbol::Leads => {
            let bar = straight((x + 6.0, y), (x + 18.0, y)).set("class", "sn");
            group.add(bar.set("stroke-width", 13).set("stroke-linecap", "round"))
        }
        Symbol::Down => group.add(line("down", 1.5)),
        Symbol::Wall => group.add(line("wall", 5.0)),
        Symbol::Tick => group.add(line("tick", 1.0)),
        Symbol::Violation => group.add(swatch().set("class", "bad-paper edged")),
        Symbol::Pale => {
            let lane = line("sn", 2.5);
            group.set("opacity", 0.45).add(lane).add(step(StepKind::Deliver))
        }
    }
}
