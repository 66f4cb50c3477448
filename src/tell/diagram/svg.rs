//! A diagram as SVG.
//!
//! Texts of a run stand between tags and never within one, and the crate that writes the file
//! escapes what stands there.

use std::fmt::{self, Display};

use svg::node::element::{
    Circle, Definitions, Description, Group, Style, TSpan, Text as Written, Title,
};
use svg::{Document, Node};

use super::lanes::Condition;
use super::legend::{Symbol, items};
use super::marks::{
    COLOURS, class, cross, head, mark, path, rectangle, round, straight, symbol, unheard,
};
use super::plan::{Line, Plan};
use super::text::{Anchor, SMALL, Text};
use super::{Diagram, Row};
use crate::semantics::StepKind;
use crate::support::plain::printable;

/// The colours on which a diagram is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Theme {
    /// As the reader's system is set.
    #[default]
    Auto,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        })
    }
}

/// The colours of terms are those of Okabe and Ito, "Color Universal Design" (2008), which people
/// who are blind to some colours can tell apart. Vermilion is kept for what goes wrong.
const LIGHT: &str = "--paper:#ffffff;--ink:#1c2733;--muted:#66727f;--lane:#b8c1ca;--rule:#e4e8ec;\
    --bad:#b84500;--bad-paper:#fdf0e6;--t0:#0072b2;--t1:#e69f00;--t2:#009e73;--t3:#cc79a7;\
    --t4:#56b4e9;--t5:#d5c711;--on0:#ffffff;--on1:#1c1400;--on2:#ffffff;--on3:#1c0f16;\
    --on4:#06202f;--on5:#1c1a00;";
const DARK: &str = "--paper:#12181f;--ink:#e6ebf0;--muted:#93a0ad;--lane:#4b5763;--rule:#26303a;\
    --bad:#ff8f4d;--bad-paper:#33210f;--t0:#3d9bd9;--t1:#e69f00;--t2:#1fb58a;--t3:#cc79a7;\
    --t4:#86cdf5;--t5:#f0e442;--on0:#03121d;--on1:#1c1400;--on2:#00170f;--on3:#1c0f16;\
    --on4:#06202f;--on5:#1c1a00;";

const RULES: &str = "
.oneleader text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto,
    Helvetica, Arial, sans-serif }
.oneleader .paper { fill: var(--paper) }
.oneleader .ink { fill: var(--ink) }
.oneleader .muted { fill: var(--muted) }
.oneleader .fault { fill: var(--bad); font-weight: 600 }
.oneleader .bold { font-weight: 650 }
.oneleader .halo, .oneleader .halo-bad { paint-order: stroke; stroke-width: 4px }
.oneleader .halo { stroke: var(--paper); stroke-linejoin: round }
.oneleader .halo-bad { stroke: var(--bad-paper); stroke-linejoin: round }
.oneleader .rule { stroke: var(--rule) }
.oneleader .stripe { fill: var(--rule); opacity: .5 }
.oneleader .tick { stroke: var(--lane); stroke-dasharray: 1 5; stroke-linecap: round }
.oneleader .wall { stroke: var(--bad); stroke-width: 5; stroke-dasharray: 1 8; opacity: .8 }
.oneleader .wall { stroke-linecap: round }
.oneleader .down { stroke: var(--lane); stroke-dasharray: 3 5 }
.oneleader .bad { stroke: var(--bad); fill: none }
.oneleader .bad-paper { fill: var(--bad-paper) }
.oneleader .edged { stroke: var(--bad); stroke-opacity: .5 }
.oneleader .bad-edge { fill: var(--bad) }
.oneleader .name { fill: var(--paper); stroke: var(--lane) }
.oneleader .shaft { fill: none; stroke-width: 1.7 }
";

/// The file.
pub fn draw(diagram: &Diagram, theme: Theme) -> String {
    whole(diagram, &Plan::new(diagram), theme).to_string() + "\n"
}

/// The lanes alone, for a page that tells the rest. Each row that is shown has a rectangle of the
/// class `row`, whose `data-row` is the number of the row, and `data-x` where its node stands.
pub fn draw_lanes(diagram: &Diagram) -> String {
    let plan = Plan::bare(diagram);
    let rows = diagram.rows.iter().zip(&plan.bands).enumerate();
    let rows = rows.filter(|(_, (row, _))| !row.is_hidden).map(|(i, (row, band))| {
        let stripe = rectangle((4.0, band.top, plan.width - 4.0, band.bottom), 6.0);
        let stripe = stripe.set("class", "row").set("data-row", i).set("fill", "transparent");
        match row.lane {
            Some(lane) => stripe.set("data-x", round(plan.lanes[lane])),
            None => stripe,
        }
    });
    let rows = rows.fold(Group::new(), Group::add);
    whole(diagram, &plan, Theme::Auto).add(rows).to_string() + "\n"
}

fn whole(diagram: &Diagram, plan: &Plan, theme: Theme) -> Document {
    let caption = &diagram.caption;
    let (width, height) = (plan.width.ceil(), plan.height.ceil());
    let mut whole = Document::new()
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("width", width)
        .set("height", height)
        .set("class", "oneleader")
        .set("role", "img")
        .add(Title::new(printable(&format!("{}: {}", caption.title, caption.shows))))
        .add(Description::new().add(svg::node::Text::new(printable(&description(diagram)))))
        .add(Style::new(style(theme)))
        .add(Definitions::new())
        .add(rectangle((0.0, 0.0, width, height), 0.0).set("class", "paper"));
    for part in [ground(diagram, plan), lanes(diagram, plan), messages(plan)] {
        whole = whole.add(part);
    }
    whole = whole.add(steps(diagram, plan)).add(texts(plan)).add(legend(plan));
    if let Some(from) = diagram.checked_from {
        // What comes before is covered by a veil.
        let (top, bottom) = (plan.bands[0].top, plan.bands[from].top - 24.0);
        let veil = rectangle((0.0, top, width, bottom), 0.0);
        whole = whole.add(veil.set("class", "paper").set("opacity", 0.45));
    }
    whole
}

/// The run in words, for those who cannot see the picture.
fn description(diagram: &Diagram) -> String {
    let told = |row: &Row| match row.number.is_empty() {
        true => row.told.clone(),
        false => format!("{}. {}", row.number, row.told),
    };
    let rows: Vec<String> = diagram.rows.iter().map(told).collect();
    format!("{} {}", rows.join(" "), diagram.caption.why)
}

fn style(theme: Theme) -> String {
    let mut colours = match theme {
        Theme::Auto => format!(
            "\n.oneleader {{ {LIGHT} }}\n@media (prefers-color-scheme: dark) {{ .oneleader {{ {DARK} }} }}"
        ),
        Theme::Light => format!("\n.oneleader {{ {LIGHT} }}"),
        Theme::Dark => format!("\n.oneleader {{ {DARK} }}"),
    };
    for i in 0..COLOURS {
        colours += &format!(
            "\n.oneleader .f{i} {{ fill: var(--t{i}) }}\n.oneleader .s{i} {{ stroke: var(--t{i}) }}\
             \n.oneleader .o{i} {{ fill: var(--on{i}) }}"
        );
    }
    colours += "\n.oneleader .fn { fill: var(--lane) }\n.oneleader .sn { stroke: var(--lane) }\
                \n.oneleader .on { fill: var(--ink) }";
    colours + RULES
}

/// What lies under everything: the last step of a violation, ticks, changes of links, the cycle.
fn ground(diagram: &Diagram, plan: &Plan) -> Group {
    let mut group = Group::new();
    let (left, right) = plan.field;
    for (row, band) in diagram.rows.iter().zip(&plan.bands) {
        match row.kind {
            Some(StepKind::Tick) if !row.is_hidden => {
                let line = straight((left, band.y), (right, band.y));
                group = group.add(line.set("class", "tick"));
            }
            Some(StepKind::Switch | StepKind::Stabilise) => {
                let stripe = (left, band.y - 13.0, right, band.y + 13.0);
                group = group.add(rectangle(stripe, 6.0).set("class", "stripe"));
            }
            _ => {}
        }
    }
    if diagram.caption.is_violation && diagram.last() > 0 {
        let band = plan.bands[diagram.last()];
        let stripe = (24.0, band.top, plan.width - 24.0, band.bottom);
        group = group.add(rectangle(stripe, 6.0).set("class", "bad-paper"));
    }
    if let Some((left, top, right, bottom)) = plan.end {
        let (paper, edge) = match diagram.caption.is_violation {
            true => ("bad-paper", "bad-edge"),
            false => ("stripe", "muted"),
        };
        group = group.add(rectangle((left, top, right, bottom), 6.0).set("class", paper));
        group = group.add(rectangle((left, top, left + 5.0, bottom), 2.5).set("class", edge));
    }
    if let Some(from) = diagram.checked_from {
        let y = plan.bands[from].top - 2.0;
        group = group.add(straight((left, y), (plan.width - 24.0, y)).set("class", "rule"));
    }
    match diagram.cycle {
        Some(from) => group.add(bracket(plan, from, diagram.last())),
        None => group,
    }
}

/// An arrow from the end of a cycle back to where it begins.
fn bracket(plan: &Plan, from: usize, to: usize) -> Group {
    let (top, bottom) = (plan.bands[from].y, plan.bands[to].y);
    let (x, edge) = (40.0, plan.field.0 - 34.0);
    let d = format!(
        "M{edge} {b} H{i} Q{x} {b} {x} {bi} V{ti} Q{x} {t} {i} {t} H{e}",
        edge = round(edge),
        b = round(bottom),
        i = x + 8.0,
        bi = round(bottom - 8.0),
        ti = round(top + 8.0),
        t = round(top),
        e = round(edge - 3.0),
    );
    let middle = round((top + bottom) / 2.0);
    let text = Written::new("goes on for ever")
        .set("transform", format!("translate({} {middle}) rotate(-90)", x - 7.0))
        .set("text-anchor", "middle")
        .set("font-size", SMALL)
        .set("class", "muted");
    Group::new()
        .add(path(d).set("class", "muted").set("style", "fill:none;stroke:var(--muted)"))
        .add(head((edge, top), (1.0, 0.0)).set("class", "muted"))
        .add(text)
}

/// The lanes: lines in the colour of the node's term, broad bars where it leads, walls.
fn lanes(diagram: &Diagram, plan: &Plan) -> Group {
    let mut group = Group::new();
    let end = plan.end_of_lanes();
    for stretch in &diagram.stretches {
        let x = plan.lanes[stretch.lane];
        let (top, bottom) = plan.span(diagram, stretch);
        let line = straight((x, top), (x, bottom));
        group = group.add(match stretch.condition {
            Condition::Down => line.set("class", "down").set("stroke-width", 1.5),
            Condition::Up(term) => {
                line.set("class", class('s', diagram.colour(term))).set("stroke-width", 2.5)
            }
            Condition::Leads(term) => line
                .set("class", class('s', diagram.colour(Some(term)).or(alone(diagram))))
                .set("stroke-width", 13)
                .set("stroke-linecap", "round")
                .set("opacity", 0.85),
        });
    }
    for wall in &diagram.walls {
        let x = plan.lanes[wall.lane] + plan.spacing / 2.0;
        let top = if wall.from == 0 { plan.bands[0].top } else { plan.bands[wall.from].y + 18.0 };
        let bottom = if wall.to == diagram.last() { end } else { plan.bands[wall.to].y - 18.0 };
        group = group.add(straight((x, top), (x, bottom)).set("class", "wall"));
    }
    group
}

/// The colour of reigns where terms have no numbers.
fn alone(diagram: &Diagram) -> Option<usize> {
    (diagram.terms.len() <= 1).then_some(0)
}

fn messages(plan: &Plan) -> Group {
    let mut group = Group::new();
    for stub in &plan.stubs {
        let title = Title::new(printable(&stub.title));
        let drawn = unheard(stub.from, stub.to, stub.colour);
        group = group.add(Group::new().add(title).add(drawn));
    }
    plan.lines.iter().fold(group, |group, line| group.add(message(line)))
}

fn message(line: &Line) -> Group {
    let group = Group::new().add(Title::new(printable(&line.title)));
    let shaft = format!("shaft {}", class('s', line.colour));
    let (from, to) = (line.from, line.to);
    if from.0 == to.0 {
        // To itself.
        let (x, d) = (to.0 - 7.0, (to.1 - from.1).min(60.0) / 2.0 + 10.0);
        let d = format!(
            "M{} {} C{} {} {} {} {} {}",
            round(from.0),
            round(from.1),
            round(x - d),
            round(from.1 + 8.0),
            round(x - d),
            round(to.1 - 8.0),
            round(x - 6.0),
            round(to.1)
        );
        let head = head((x, to.1), (1.0, 0.0)).set("class", class('f', line.colour));
        return group.add(path(d).set("class", shaft)).add(head);
    }
    // The control point of a curve pulls it half as far aside.
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0 - 2.0 * line.bend);
    let towards = (to.0 - middle.0, to.1 - middle.1);
    let length = towards.0.hypot(towards.1);
    let unit = (towards.0 / length, towards.1 / length);
    let gap = if line.is_lost { 0.0 } else { 8.0 };
    let tip = (to.0 - unit.0 * gap, to.1 - unit.1 * gap);
    let neck = (tip.0 - unit.0 * 6.0, tip.1 - unit.1 * 6.0);
    let d = format!(
        "M{} {} Q{} {} {} {}",
        round(from.0),
        round(from.1),
        round(middle.0),
        round(middle.1),
        round(if line.is_lost { tip.0 } else { neck.0 }),
        round(if line.is_lost { tip.1 } else { neck.1 })
    );
    let group = group.add(path(d).set("class", shaft));
    match line.is_lost {
        true => group.add(cross(to)),
        false => group.add(head(tip, unit).set("class", class('f', line.colour))),
    }
}

/// A mark for each step.
fn steps(diagram: &Diagram, plan: &Plan) -> Group {
    let mut group = Group::new();
    for (i, (row, band)) in diagram.rows.iter().zip(&plan.bands).enumerate() {
        let Some(lane) = row.lane else { continue };
        let title = Title::new(printable(&row.name));
        let colour = colour_of(diagram, lane, i);
        let mark = mark(row.kind, (plan.lanes[lane], band.y), colour);
        let mark = Group::new().add(title).add(mark);
        group = group.add(mark);
    }
    group
}

/// The colour of a node after a step.
fn colour_of(diagram: &Diagram, lane: usize, row: usize) -> Option<usize> {
    let here = |s: &&super::Stretch| s.lane == lane && s.from <= row;
    match diagram.stretches.iter().rfind(here)?.condition {
        Condition::Down => None,
        Condition::Up(term) => diagram.colour(term),
        Condition::Leads(term) => diagram.colour(Some(term)).or(alone(diagram)),
    }
}

fn legend(plan: &Plan) -> Group {
    plan.symbols.iter().fold(Group::new(), |group, (sign, at)| group.add(symbol(*sign, *at)))
}

/// Each symbol of a picture that is drawn without its legend, with what it means.
pub fn keys(diagram: &Diagram) -> Vec<(String, String)> {
    let key = |(sign, words): (Symbol, String)| {
        let width = sign.width().ceil();
        let drawn = Document::new()
            .set("viewBox", format!("0 0 {width} 16"))
            .set("width", width)
            .set("height", 16)
            .set("class", "oneleader")
            .set("aria-hidden", "true")
            .add(symbol(sign, (0.0, 8.0)));
        (drawn.to_string(), words)
    };
    items(diagram).into_iter().map(key).collect()
}

fn texts(plan: &Plan) -> Group {
    plan.texts.iter().fold(Group::new(), |group, text| group.add(written(text)))
}

fn written(text: &Text) -> Box<dyn Node> {
    let mut group = Group::new();
    let (left, top, right, bottom) = text.bounds();
    let mut x = left;
    let mut ink = text.class.to_string();
    if let Some(colour) = text.plate {
        let colour = colour.or(Some(0));
        let plate = rectangle((left, top - 1.5, right, bottom + 1.5), 4.0);
        group = group.add(plate.set("class", class('f', colour)));
        ink = format!("bold {}", class('o', colour));
        x += 7.0;
    } else if let Some(colour) = text.chip {
        let chip = Circle::new().set("cx", round(left + 4.5)).set("cy", round(text.y - 4.0));
        group = group.add(chip.set("r", 4.5).set("class", class('f', colour)));
        x += 14.0;
    }
    if text.class.contains("lane-name") {
        let name = rectangle((left - 12.0, top - 5.0, right + 12.0, bottom + 5.0), 9.0);
        group = group.add(name.set("class", "name"));
    }
    let (anchor, x) = match (text.anchor, text.plate.is_some() || text.chip.is_some()) {
        (Anchor::Start, _) | (_, true) => ("start", x),
        (Anchor::Middle, _) => ("middle", text.x),
        (Anchor::End, _) => ("end", text.x),
    };
    let halo = text.halo.filter(|_| text.plate.is_none()).unwrap_or_default();
    let mut written = Written::new(printable(&text.content))
        .set("x", round(x))
        .set("y", round(text.y))
        .set("font-size", text.size)
        .set("text-anchor", anchor)
        .set("class", format!("{ink} {halo}").trim().to_string());
    if !text.aside.is_empty() {
        let aside = TSpan::new(printable(&format!(" {}", text.aside)));
        written = written.add(aside.set("dx", 4).set("font-size", SMALL).set("class", "muted"));
    }
    Box::new(group.add(written))
}
