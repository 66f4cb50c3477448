//! Partial synchrony: a phase without time, with faults, that ends in any state; from then on time
//! is kept, and nothing fails any more.
//!
//! All states of the first phase are found by the reference semantics, within the bounds of the
//! scenario: without them messages would pile up for ever. Each in which a quorum is up may be the
//! last one. How long each timer has been running then may differ in any way: every age is tried.

use std::sync::Arc;

use super::between::Between;
use super::few::Few;
use super::numbers::Table;
use super::ticking::Forms;
use crate::election::{Age, Election};
use crate::semantics::{StepOf, System, SystemState};

/// The states of the phase without time.
pub(super) struct Timeless<E: Election> {
    states: Table<SystemState<E>>,
    /// By state: the one before it, and the step between the two; of the first one nothing.
    came_by: Vec<Option<(u32, StepOf<E>)>>,
    /// Whether a bound left some out, or some of the starts.
    pub(super) is_cut: bool,
    /// Whether there are more than were asked for.
    pub(super) is_full: bool,
}

/// When time begins: after which state, and with which ages of the timers that run.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    state: u32,
    ages: Vec<u16>,
}

impl<E: Election> Timeless<E> {
    /// Finds all states, but at most about so many: the nearest ones.
    pub(super) fn explore(system: &System<E>, most: usize) -> Self {
        let mut states = Table::new();
        states.put(Arc::new(system.initial()));
        let (mut came_by, mut is_cut, mut at) = (vec![None], false, 0);
        while at < came_by.len() && came_by.len() <= most {
            let state = states.get(at as u32).clone();
            for step in system.candidates(&state) {
                let Some(next) = system.apply(&state, &step) else { continue };
                if system.beyond(&next).is_some() {
                    is_cut = true;
                } else if states.put(Arc::new(next)) as usize == came_by.len() {
                    came_by.push(Some((at as u32, step)));
                }
            }
            at += 1;
        }
        Timeless { is_full: came_by.len() > most, states, came_by, is_cut }
    }

    /// The states in which time may begin, one for each form, each with a moment that leads to it.
    /// One whose numbers are too far apart for a form is left out, and that is noted.
    pub(super) fn starts(
        &mut self,
        system: &System<E>,
        forms: &Forms<'_, E>,
    ) -> Vec<(Moment, Between<E>)> {
        let (mut seen, mut known) = (Table::new(), Table::new());
        let (mut all, mut different, mut is_cut) = (Vec::new(), 0, self.is_cut);
        for number in 0..self.came_by.len() as u32 {
            let state = self.states.get(number);
            // What was still allowed to fail makes no difference any more.
            if seen.put(Arc::new(begun(system, state, &[]))) < different {
                continue;
            }
            different += 1;
            if !system.can_stabilise(state) {
                continue;
            }
            each_age(state, |ages| {
                let start = begun(system, state, ages);
                let Some(form) = forms.canonical(start.clone()) else {
                    is_cut = true;
                    return;
                };
                if known.put(Arc::new(form)) as usize == all.len() {
                    all.push((Moment { state: number, ages: ages.to_vec() }, start));
                }
            });
        }
        self.is_cut = is_cut;
        all
    }

    /// The steps up to that moment.
    pub(super) fn path(&self, system: &System<E>, moment: &Moment) -> Vec<StepOf<E>> {
        let mut ages = moment.ages.iter();
        let choose = |_: &Age| ages.next().copied().unwrap_or_default();
        let mut steps = vec![system.stabilisation(self.states.get(moment.state), choose)];
        let mut at = moment.state;
        while let Some((before, step)) = &self.came_by[at as usize] {
            steps.push(step.clone());
            at = *before;
        }
        steps.reverse();
        steps
    }
}

/// A state in which time may begin, after so many steps without time; `None` if it may not begin
/// then. `drawn` draws a number below another.
pub(super) fn any_start<E: Election>(
    system: &System<E>,
    steps: usize,
    mut drawn: impl FnMut(usize) -> usize,
) -> Option<Between<E>> {
    let mut state = system.initial();
    for _ in 0..steps {
        let next = system.candidates(&state).into_iter().map(|step| system.apply(&state, &step));
        let mut next: Vec<SystemState<E>> =
            next.flatten().filter(|next| system.beyond(next).is_none()).collect();
        if next.is_empty() {
            break;
        }
        state = next.swap_remove(drawn(next.len()));
    }
    let timers = state.nodes.iter().flat_map(|node| node.timers.values());
    let ages: Vec<u16> = timers.map(|age| drawn(usize::from(age.last)) as u16).collect();
    system.can_stabilise(&state).then(|| begun(system, &state, &ages))
}

/// The state with which time begins, where the timers have these ages, by node, then timer.
fn begun<E: Election>(system: &System<E>, state: &SystemState<E>, ages: &[u16]) -> Between<E> {
    let mut begun = Between::of(system, state);
    begun.left = Few { inputs: begun.left.inputs, ..Few::default() };
    let mut ages = ages.iter();
    for node in &mut begun.nodes {
        for age in Arc::make_mut(node).timers.values_mut() {
            age.now = ages.next().copied().unwrap_or_default();
        }
    }
    begun
}

/// All combinations of ages that the timers of a state may have when time begins.
fn each_age<E: Election>(state: &SystemState<E>, mut choose: impl FnMut(&[u16])) {
    let timers = || state.nodes.iter().flat_map(|node| node.timers.values());
    let mut ages = vec![0; timers().count()];
    loop {
        choose(&ages);
        let next = timers().zip(&ages).position(|(age, now)| now + 1 < age.last);
        let Some(next) = next else { return };
        ages[..next].fill(0);
        ages[next] += 1;
    }
}
