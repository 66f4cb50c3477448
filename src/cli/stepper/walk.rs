//! Where somebody stands who walks through a run: forwards, backwards, and on other steps than
//! those that were recorded.

use std::sync::Arc;

use crate::cli::shown::Shown;
use crate::reference::erased::Erased;
use crate::semantics::PropertyId;

/// A walk. It begins on a recorded run, at its start.
pub struct Walk {
    pub(super) system: Arc<dyn Shown>,
    /// Protocol and scenario.
    pub(super) title: String,
    /// The property that the recorded run breaks, if it is one of states.
    property: Option<(PropertyId, String)>,
    recorded: Vec<Erased>,
    /// The steps of the run that is walked.
    run: Vec<Erased>,
    /// The states before, between and after them.
    states: Vec<Erased>,
    /// How many of the steps lead to where one stands.
    at: usize,
    /// The steps that can be taken from there.
    offered: Vec<Erased>,
    /// Which of them is chosen.
    chosen: usize,
}

impl Walk {
    /// At the start of these steps. The property is the one that they break, if it is one of
    /// states.
    pub fn new(
        system: Arc<dyn Shown>,
        title: String,
        property: Option<(PropertyId, String)>,
        recorded: Vec<Erased>,
    ) -> Self {
        let mut walk = Walk {
            system,
            title,
            property,
            recorded,
            run: Vec::new(),
            states: Vec::new(),
            at: 0,
            offered: Vec::new(),
            chosen: 0,
        };
        walk.follow_recorded();
        walk
    }

    /// The steps up to where one stands.
    pub fn taken(&self) -> &[Erased] {
        &self.run[..self.at]
    }

    /// How many steps the run has.
    pub fn length(&self) -> usize {
        self.run.len()
    }

    /// How many of them were taken.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The state where one stands.
    pub fn state(&self) -> &Erased {
        &self.states[self.at]
    }

    /// The state before that, unless it is the first.
    pub fn before(&self) -> Option<&Erased> {
        Some(&self.states[self.at.checked_sub(1)?])
    }

    /// The steps that can be taken, each with whether it leads on along the run.
    pub fn offered(&self) -> Vec<(String, bool)> {
        let next = self.run.get(self.at);
        let names = self.offered.iter().map(|step| (self.system.name(step), Some(step) == next));
        names.collect()
    }

    /// Which of them is chosen.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// Whether one walks on other steps than those that were recorded.
    pub fn is_astray(&self) -> bool {
        self.run != self.recorded
    }

    /// Why the property is broken here, if it is.
    pub fn broken(&self) -> Option<(&str, String)> {
        let (property, name) = self.property.as_ref()?;
        let why = self.system.holds(*property, self.state()).err()?;
        Some((name, why))
    }

    /// Goes to the state after so many steps, or to the last one.
    pub fn go(&mut self, at: usize) {
        self.at = at.min(self.run.len());
        let successors = self.system.successors(&self.states[self.at]);
        self.offered = successors.into_iter().map(|(step, _)| step).collect();
        // A recorded step may change nothing; such a step is not listed otherwise.
        if let Some(next) = self.run.get(self.at)
            && !self.offered.contains(next)
        {
            self.offered.insert(0, next.clone());
        }
        let next = self.run.get(self.at);
        self.chosen = self.offered.iter().position(|step| Some(step) == next).unwrap_or(0);
    }

    /// Chooses the step that stands so many places further down.
    pub fn choose(&mut self, by: isize) {
        let last = self.offered.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
    }

    /// Takes the chosen step. If it is not the next of the run, what came after is forgotten.
    pub fn take(&mut self) {
        let Some(step) = self.offered.get(self.chosen).cloned() else { return };
        if self.run.get(self.at) != Some(&step) {
            let Some(next) = self.system.take(self.state(), &step) else { return };
            self.run.truncate(self.at);
            self.states.truncate(self.at + 1);
            self.run.push(step);
            self.states.push(next);
        }
        self.go(self.at + 1);
    }

    /// Goes back to the recorded run, to the last state that it shares with this one.
    pub fn follow_recorded(&mut self) {
        let shared = self.run.iter().zip(&self.recorded).take_while(|(a, b)| a == b).count();
        self.run = self.recorded.clone();
        self.states = vec![self.system.initial()];
        for step in &self.run {
            let last = self.states.last().expect("not empty");
            self.states.push(self.system.take(last, step).expect("it was taken before"));
        }
        self.go(shared.min(self.at));
    }
}
