//! What the Explorer's page shows: each state in words and as a sheet, each run as a diagram.

use std::sync::Arc;

use crate::cli::shown::Shown;
use crate::reference::erased::Erased;
use crate::semantics::PropertyId;
use crate::tell::diagram::Caption;
use crate::tell::diagram::svg::{self, Theme};
use crate::tell::prose::wrap;

/// How wide a text is.
const WIDTH: usize = 96;

/// The Explorer's page is dark blue. A diagram gets its ground, is never wider than its column, and
/// the columns stay side by side. The page's counts are those of the few states on the path, which
/// would be taken for those of the system.
const STYLE: &str = "<style>
.hscroll .oneleader { --paper: #142b46; --rule: #2b4a68; --lane: #6b86a3; --muted: #a9bccb;
    --bad-paper: #4a2d1c; display: block; max-width: 100%; height: auto }
.main-flex-right { min-width: 0 }
.main-flex-left > .heading-with-controls:first-child button,
.main-flex-left > ul:first-of-type { display: none }
.main-flex-left > .heading-with-controls:first-child { display: none }
.path-list a, .main-flex-left ul a { overflow-wrap: anywhere }
@media (min-width: 1024px) {
    .main-flex { flex-wrap: nowrap }
    .main-flex-left { flex: 0 0 27% }
    .main-flex-right { flex: 1 1 0 }
}
</style>";

/// A run that violates a property.
pub(super) struct Found {
    pub property: PropertyId,
    pub name: &'static str,
    pub steps: Vec<Erased>,
    /// The states before, between and after the steps.
    pub states: Vec<Erased>,
}

impl Found {
    pub(super) fn new(
        system: &dyn Shown,
        (property, name): (PropertyId, &'static str),
        steps: Vec<Erased>,
    ) -> Self {
        let mut states = vec![system.initial()];
        for step in &steps {
            let last = states.last().expect("not empty");
            states.push(system.apply(last, step).expect("a run that was found can be taken"));
        }
        Found { property, name, steps, states }
    }

    /// How many steps of it lead to that state.
    fn position(&self, state: &Erased) -> Option<usize> {
        self.states.iter().position(|other| other == state)
    }
}

/// All that is shown.
pub(super) struct Page {
    /// Protocol and scenario.
    pub title: String,
    /// What the scenario assumes, its faults among it.
    pub assumptions: String,
    /// What the compiled engine concluded: a verdict with its properties and its reason.
    pub verdicts: Vec<String>,
    /// The violations. The page opens with the first.
    pub found: Vec<Found>,
    pub system: Arc<dyn Shown>,
}

impl Page {
    /// The steps that lead on along counterexamples, each with its mark: a full star along the
    /// first, an empty one along another.
    pub(super) fn ways(&self, state: &Erased) -> Vec<(&'static str, &Erased)> {
        let next = |(i, found): (usize, &'_ Found)| {
            let at = found.position(state).filter(|at| *at < found.steps.len())?;
            Some((i, at))
        };
        let ways = self.found.iter().enumerate().filter_map(next);
        ways.map(|(i, at)| (if i == 0 { "★" } else { "☆" }, &self.found[i].steps[at])).collect()
    }

    /// The mark of a step that leads on.
    fn star(&self, state: &Erased, step: &Erased) -> Option<&'static str> {
        self.ways(state).into_iter().find(|(_, way)| *way == step).map(|(star, _)| star)
    }

    /// The properties that a state violates, each with the conflicting facts. Those come first
    /// whose counterexample ends there.
    fn violated(&self, state: &Erased) -> Vec<(PropertyId, &'static str, String)> {
        let all = self.system.properties().into_iter();
        let violated = all.filter_map(|(property, name)| {
            let why = self.system.holds(property, state).err()?;
            Some((property, name, why))
        });
        let mut violated: Vec<_> = violated.collect();
        violated.sort_by_key(|(property, _, _)| {
            let ends =
                |found: &Found| found.property == *property && found.states.last() == Some(state);
            !self.found.iter().any(ends)
        });
        violated
    }

    /// A step by name, with a star if it leads on, and with what it breaks.
    pub(super) fn label(&self, before: &Erased, step: &Erased, after: &Erased) -> String {
        let star = self.star(before, step).map(|star| format!("{star} ")).unwrap_or_default();
        let old = self.violated(before);
        let is_new = |(property, _, _): &&(PropertyId, &str, String)| {
            !old.iter().any(|(known, _, _)| known == property)
        };
        let broken = self.violated(after);
        let broken: Vec<&str> = broken.iter().filter(is_new).map(|(_, name, _)| *name).collect();
        let breaks = match broken.is_empty() {
            true => String::new(),
            false => format!(" ⚠ violates {}", broken.join(", ")),
        };
        format!("{star}{}{breaks}", self.system.name(step))
    }

    /// What is said of the state after a step.
    pub(super) fn after_step(&self, run: &[Erased], before: &Erased, after: &Erased) -> String {
        let mut text = self.alarm(after);
        for paragraph in [self.system.told(run), self.where_to(run.len(), after)] {
            text += &paragraph_of(&paragraph);
        }
        text += &self.system.changed(before, after);
        text +=
            "\nA * stands before what the step changed. \"Complete State?\" shows everything.\n\n";
        text + &self.assumed()
    }

    /// What is said of a state for itself.
    pub(super) fn state(&self, state: &Erased) -> String {
        let mut text = self.alarm(state);
        text += &self.assumed();
        text += "\n";
        if *state == self.system.initial() {
            text += &paragraph_of(&self.where_to(0, state));
            text += "The compiled engine's verdicts\n";
            text.extend(self.verdicts.iter().map(|verdict| format!("    {verdict}\n")));
            text += "\n";
        }
        text + &self.system.whole(state)
    }

    /// The run up to a state, drawn.
    pub(super) fn picture(&self, run: &[Erased], end: &Erased) -> String {
        let title = self.title.clone();
        let caption = match self.violated(end).into_iter().next() {
            Some((property, name, why)) => Caption {
                title,
                shows: format!("{name} is violated"),
                why,
                meaning: self.system.meaning(property).to_string(),
                is_violation: true,
            },
            None => Caption {
                title,
                shows: self.where_to(run.len(), end),
                meaning: self.assumptions.clone(),
                ..Caption::default()
            },
        };
        let diagram = self.system.diagram(run, caption);
        format!("{STYLE}{}", svg::draw(&diagram, Theme::Dark))
    }

    /// What is violated in a state, and why.
    fn alarm(&self, state: &Erased) -> String {
        let violated = self.violated(state).into_iter().map(|(property, name, why)| {
            let meaning = self.system.meaning(property);
            format!("⚠ {name} IS VIOLATED: {why}\n  ({meaning})\n\n")
        });
        violated.collect()
    }

    /// Where a state is on the way to a violation.
    fn where_to(&self, taken: usize, state: &Erased) -> String {
        let left = |found: &Found| Some(found.steps.len() - found.position(state)?);
        // The ways on, each with the properties to whose violation it leads.
        let mut ahead: Vec<((usize, &str), Vec<&str>)> = Vec::new();
        for found in &self.found {
            let Some(left) = left(found).filter(|left| *left > 0) else { continue };
            let next = &found.steps[found.steps.len() - left];
            let way = (left, self.star(state, next).unwrap_or_default());
            match ahead.iter_mut().find(|(known, _)| *known == way) {
                Some((_, names)) => names.push(found.name),
                None => ahead.push((way, vec![found.name])),
            }
        }
        let in_words = |((left, star), names): &((usize, &str), Vec<&str>)| {
            let names = names.join(", ");
            format!("{} to the violation of {names}: {star} leads on.", steps(*left))
        };
        let ahead: Vec<String> = ahead.iter().map(in_words).collect();
        match (taken, self.found.is_empty()) {
            _ if !ahead.is_empty() => ahead.join(" "),
            (0, _) => "The start. No run that violates a property is known.".to_string(),
            (_, true) => format!("After {}.", steps(taken)),
            _ if self.found.iter().any(|found| left(found) == Some(0)) => {
                format!("After {}: here the counterexample ends.", steps(taken))
            }
            _ => format!("After {}, on no counterexample.", steps(taken)),
        }
    }

    fn assumed(&self) -> String {
        format!("{}\n{}", self.title, paragraph_of(&self.assumptions).trim_end()) + "\n"
    }
}

fn steps(n: usize) -> String {
    if n == 1 { "1 step".to_string() } else { format!("{n} steps") }
}

fn paragraph_of(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => wrap(text, WIDTH).join("\n") + "\n\n",
    }
}
