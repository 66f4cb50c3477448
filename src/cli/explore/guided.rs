//! The system as the Explorer sees it.
//!
//! The Explorer lists properties only after its checker has run to completion, which in version
//! 0.31 means over the whole space. So the checker gets a space that it completes at once: the
//! boundary admits only the states on the counterexamples' paths, and the list names only what is
//! violated there, or what the compiled engine has answered. Browsing ignores the boundary, so
//! every step off the path can be followed, too.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use stateright::{Model, Path, Property};

use super::page::{Found, Page};
use crate::reference::erased::Erased;
use crate::reference::questions::{Questioned, always};
use crate::semantics::PropertyId;

/// The model.
pub(super) struct Guided {
    pub page: Arc<Page>,
    /// The properties that are listed.
    pub listed: Vec<(PropertyId, &'static str)>,
}

/// A state, with the run that was followed to it. The run is no part of what it is.
#[derive(Clone)]
pub(super) struct Seen {
    page: Arc<Page>,
    state: Erased,
    run: Arc<[Erased]>,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl Hash for Seen {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}

/// The Explorer shows this for the initial state, and for each state that is to be complete. It
/// takes states for the same that are shown in the same way, so the run must not show.
impl Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.page.state(&self.state))
    }
}

/// A step that can be taken in a state.
#[derive(Clone)]
pub(super) struct Offered {
    before: Erased,
    step: Erased,
    after: Erased,
}

impl PartialEq for Offered {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

impl Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)
    }
}

impl Guided {
    /// The steps that can be taken, in the order in which they are offered: those with a star come
    /// first, the full star before the empty one.
    fn offered(&self, state: &Erased) -> Vec<(Erased, Erased)> {
        let mut all = self.page.system.successors(state);
        let ways = self.page.ways(state);
        let place = |step: &Erased| ways.iter().position(|(_, way)| *way == step);
        all.sort_by_cached_key(|(step, _)| place(step).unwrap_or(ways.len()));
        all
    }

    /// The path to a state of a counterexample, or to the start, in the form of the Explorer's
    /// addresses: `/0/3/1`. The first number is that of the initial state; the others are the
    /// positions of the steps among those that are offered.
    pub(super) fn link(&self, found: Option<&Found>) -> String {
        let mut link = "/0".to_string();
        for (state, step) in found.iter().flat_map(|found| found.states.iter().zip(&found.steps)) {
            let index = self.offered(state).iter().position(|(other, _)| other == step);
            link += &format!("/{}", index.expect("a run that was found can be taken"));
        }
        link
    }
}

impl Questioned for Guided {
    fn holds_here(&self, property: PropertyId, seen: &Seen) -> bool {
        self.page.system.holds(property, &seen.state).is_ok()
    }
}

impl Model for Guided {
    type State = Seen;
    type Action = Offered;

    fn init_states(&self) -> Vec<Seen> {
        let (page, state) = (self.page.clone(), self.page.system.initial());
        vec![Seen { page, state, run: Arc::default() }]
    }

    fn actions(&self, seen: &Seen, actions: &mut Vec<Offered>) {
        let offer = |(step, after)| Offered { before: seen.state.clone(), step, after };
        actions.extend(self.offered(&seen.state).into_iter().map(offer));
    }

    fn next_state(&self, seen: &Seen, offered: Offered) -> Option<Seen> {
        let run = seen.run.iter().cloned().chain([offered.step]).collect();
        Some(Seen { page: self.page.clone(), state: offered.after, run })
    }

    fn within_boundary(&self, seen: &Seen) -> bool {
        let is_on = |found: &Found| found.states.contains(&seen.state);
        seen.run.is_empty() || self.page.found.iter().any(is_on)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let all: Vec<PropertyId> = self.listed.iter().map(|(property, _)| *property).collect();
        always(self.listed.clone(), &all)
    }

    fn format_action(&self, Offered { before, step, after }: &Offered) -> String {
        self.page.label(before, step, after)
    }

    fn format_step(&self, seen: &Seen, offered: Offered) -> Option<String> {
        let run: Vec<Erased> = seen.run.iter().cloned().chain([offered.step]).collect();
        Some(self.page.after_step(&run, &seen.state, &offered.after))
    }

    fn as_svg(&self, path: Path<Seen, Offered>) -> Option<String> {
        let end = path.last_state().clone();
        Some(self.page.picture(&end.run, &end.state))
    }
}
