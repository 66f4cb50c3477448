//! Paths through the graph as runs of the system itself: step by step, with terms as they are.

use std::collections::VecDeque;

use super::answer::{Lasso, Path};
use super::between::Between;
use super::explore::Explored;
use super::marks::{Observer, marks};
use super::stabilising::{Moment, Timeless};
use super::ticking::{Forms, Tick, Ticking};
use crate::election::Election;
use crate::semantics::topology::Topology;
use crate::semantics::{Step, StepOf, System, SystemState, Timing};

/// A run that repeats for ever, in steps of the system.
#[derive(Debug)]
pub struct Told<E: Election> {
    /// The steps before the cycle.
    pub prefix: Vec<StepOf<E>>,
    /// The first lap.
    pub cycle: Vec<StepOf<E>>,
    /// The second lap: the same steps, with terms as far ahead as a lap takes them.
    pub again: Vec<StepOf<E>>,
}

/// A graph whose states are those of a system on these links.
pub(super) struct Phase<'a, E: Election> {
    pub(super) links: Topology,
    pub(super) explored: Explored<'a, E>,
    /// What happens before it, if no time is kept before it; and for each given start the moment
    /// in which time begins.
    pub(super) before: Option<(Timeless<E>, Vec<Moment>)>,
}

/// A run under way, told twice: by whole ticks, and by the reference semantics.
struct Teller<'a, E: Election> {
    system: &'a System<E>,
    spread: u64,
    now: Between<E>,
    reference: SystemState<E>,
    steps: Vec<StepOf<E>>,
}

/// Tells a run that repeats for ever, of the last of these phases. Every step is taken by the
/// reference semantics, and both laps end where they began, but for a shift of terms.
pub(super) fn tell<E: Election>(
    system: &System<E>,
    phases: &[Phase<'_, E>],
    when: &(dyn Fn(&SystemState<E>) -> bool + Sync),
    lasso: &Lasso,
    spread: u64,
) -> Result<Told<E>, String> {
    let mut teller = Teller::begin(system, phases, when, lasso.prefix.start, spread)?;
    let last = phases.last().ok_or("nothing was explored")?;
    teller.follow(last, &lasso.prefix.edges)?;
    let prefix = teller.take_steps();
    let form = teller.form(last)?;
    let mut laps = Vec::new();
    for _ in 0..2 {
        teller.follow(last, &lasso.cycle)?;
        if teller.form(last)? != form {
            return Err("a lap does not end where it began".to_string());
        }
        laps.push(teller.take_steps());
    }
    let again = laps.pop().unwrap_or_default();
    Ok(Told { prefix, cycle: laps.pop().unwrap_or_default(), again })
}

/// Tells a run that ends.
pub(super) fn tell_path<E: Election>(
    system: &System<E>,
    phases: &[Phase<'_, E>],
    when: &(dyn Fn(&SystemState<E>) -> bool + Sync),
    path: &Path,
    spread: u64,
) -> Result<Vec<StepOf<E>>, String> {
    let mut teller = Teller::begin(system, phases, when, path.start, spread)?;
    let last = phases.last().ok_or("nothing was explored")?;
    teller.follow(last, &path.edges)?;
    Ok(teller.steps)
}

impl<'a, E: Election> Teller<'a, E> {
    /// Goes to a start of the last phase.
    fn begin(
        system: &'a System<E>,
        phases: &[Phase<'_, E>],
        when: &(dyn Fn(&SystemState<E>) -> bool + Sync),
        start: u32,
        spread: u64,
    ) -> Result<Self, String> {
        let reference = system.initial();
        let mut now = Between::of(system, &reference);
        if let Some(first) = phases.first() {
            now.lose(system, &first.links);
        }
        let mut teller = Teller { system, spread, now, reference, steps: Vec::new() };
        if let [Phase { explored, before: Some((timeless, moments)), links }] = phases {
            let mut moments = explored.starts.iter().zip(moments);
            let moment = moments.find(|(number, _)| **number == start);
            let (_, moment) = moment.ok_or("no moment leads to the start")?;
            timeless.path(system, moment).into_iter().try_for_each(|step| teller.take(step))?;
            teller.now = Between::of(system, &teller.reference);
            teller.now.lose(system, links);
        }
        let [before, after] = phases else { return Ok(teller) };
        let forms = Forms::new(system, &after.links, spread);
        let wanted = after.explored.state(start);
        let is_it = |state: &Between<E>| {
            when(&state.system_state(system))
                && forms.canonical(state.clone()).as_ref() == Some(&wanted)
        };
        let path = path_to(&before.explored, is_it).ok_or("the start cannot be reached")?;
        teller.follow(before, &path)?;
        if after.links != before.links {
            teller.take(Step::Switch { topology: 1 })?;
            teller.now.lose(system, &after.links);
        }
        Ok(teller)
    }

    fn take_steps(&mut self) -> Vec<StepOf<E>> {
        std::mem::take(&mut self.steps)
    }

    fn take(&mut self, step: StepOf<E>) -> Result<(), String> {
        let name = || self.system.name(&step);
        let next = self.system.take(&self.reference, &step);
        self.reference = next.ok_or_else(|| format!("`{}` cannot be taken", name()))?;
        self.steps.push(step);
        Ok(())
    }

    /// Takes the steps of each node in their order. A node waits while it is not its turn to be
    /// handed in a client's input.
    fn take_by_node(&mut self, mut nodes: Vec<VecDeque<StepOf<E>>>) -> Result<(), String> {
        while nodes.iter().any(|steps| !steps.is_empty()) {
            let before = self.steps.len();
            for steps in &mut nodes {
                while let Some(step) = steps.front().filter(|step| self.may_take(step)).cloned() {
                    steps.pop_front();
                    self.take(step)?;
                }
            }
            if self.steps.len() == before {
                return Err("client input does not come in the order of its numbers".to_string());
            }
        }
        Ok(())
    }

    fn may_take(&self, step: &StepOf<E>) -> bool {
        match step {
            Step::Choose { key, value, .. } => {
                self.system.may_choose(&self.reference.world, key, value)
            }
            _ => true,
        }
    }

    /// Goes along edges of a graph.
    fn follow(&mut self, phase: &Phase<'_, E>, edges: &[u32]) -> Result<(), String> {
        let ticking = Ticking::new(self.system, &phase.links, self.spread);
        let mut ticking = ticking.in_orders(phase.explored.orders());
        let observer = Observer::new(self.system, &phase.links);
        for &edge in edges {
            let edge = phase.explored.graph.edge(edge);
            let wanted = phase.explored.state(edge.to);
            let before = observer.reigns(&self.now);
            let state = self.now.clone();
            let ticks = ticking.ticks(&state).unwrap_or_default();
            let is_it = |tick: &Tick<E>| {
                tick.has_fault == edge.adversary
                    && marks(&before, &observer.reigns(&tick.after)) | tick.idle == edge.marks
                    && ticking.forms.canonical(tick.after.clone()).as_ref() == Some(&wanted)
            };
            let tick = ticks.into_iter().find(is_it).ok_or("no tick is like the graph's")?;
            let alone = ticking.alone(&state);
            let steps = alone.iter().zip(&tick.nodes).map(|(end, (draw, pick))| {
                let steps = end.as_ref().as_ref().map(|ends| ends[*draw][*pick].steps.clone());
                steps.unwrap_or_default().into()
            });
            self.take_by_node(steps.collect())?;
            if self.system.rules.timing != Timing::Asynchronous {
                self.take(Step::Tick)?;
            }
            self.now = tick.after;
            let mut seen = Between::of(self.system, &self.reference);
            seen.lose(self.system, &phase.links);
            let form = |state| ticking.forms.canonical(state);
            if form(seen) != form(self.now.clone()) {
                return Err("the reference semantics came to another state".to_string());
            }
        }
        Ok(())
    }

    /// The canonical form of where the run is.
    fn form(&self, phase: &Phase<'_, E>) -> Result<Between<E>, String> {
        let forms = Forms::new(self.system, &phase.links, self.spread);
        forms.canonical(self.now.clone()).ok_or_else(|| "beyond the bounds".to_string())
    }
}

/// A shortest way to one of these states.
fn path_to<E: Election>(
    explored: &Explored<'_, E>,
    is_it: impl Fn(&Between<E>) -> bool,
) -> Option<Vec<u32>> {
    let graph = &explored.graph;
    let mut came_by: Vec<Option<Option<u32>>> = vec![None; graph.states() as usize];
    let mut open: VecDeque<u32> = graph.starts().iter().copied().collect();
    graph.starts().iter().for_each(|&start| came_by[start as usize] = Some(None));
    while let Some(state) = open.pop_front() {
        if is_it(&explored.state(state)) {
            let (mut path, mut at) = (Vec::new(), state);
            while let Some(Some(edge)) = came_by[at as usize] {
                path.push(edge);
                at = graph.source(edge);
            }
            path.reverse();
            return Some(path);
        }
        for edge in graph.edges_of(state) {
            let to = graph.edge(edge).to;
            if came_by[to as usize].is_none() {
                came_by[to as usize] = Some(Some(edge));
                open.push_back(to);
            }
        }
    }
    None
}
