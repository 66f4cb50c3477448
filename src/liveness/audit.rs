//! Whether a tick of the whole system is what the reference semantics makes of it, and whether
//! states that have the same canonical form go on alike.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use super::apart::{Grain, Instance};
use super::between::Between;
use super::explore::{Explored, Extent, explore, explore_wide};
use super::few::Few;
use super::graph::Edge;
use super::marks::{ALL, LED, Observer, marks};
use super::report::expect_decidable;
use super::stabilising::{Timeless, any_start};
use super::ticking::{Forms, Tick, Ticking};
use super::wide::change;
use crate::election::{Election, node_name};
use crate::semantics::topology::Topology;
use crate::semantics::{Step, System, Timing};

/// At which states an audit of canonical forms looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// So many states, those nearest to the start.
    pub nearest: usize,
    /// So many walks from the start.
    pub walks: u64,
    /// So many ticks in each walk. Whatever a tick can lead to is equally likely; in each second
    /// walk, only what makes numbers grow. A walk with the same number is always the same.
    pub ticks: usize,
}

/// Holds a protocol's [`renumber`](Election::renumber) and [`simplify`](Election::simplify) against
/// its handlers. In each state of a sample, as it really is: each tick from the state must have its
/// like among the ticks from the state's canonical form, draw by draw, with the same leaders, and
/// lead to the same canonical form; and the other way round. If `links` are not those with which
/// the system begins, they are cut where somebody has come to lead. Where time is not kept at
/// first, the states are those in which time may begin after a walk. Returns the number of ticks
/// that were compared.
///
/// # Errors
/// The system is not one that can be decided; or the first state that goes on in another way than
/// its form.
pub fn audit_form<E: Election>(
    system: &System<E>,
    links: &Topology,
    sample: Sample,
) -> Result<u64, String> {
    expect_decidable(system)?;
    let mut audit = Audit {
        ticking: Ticking::new(system, links, u64::MAX),
        observer: Observer::new(system, links),
        hasher: RandomState::new(),
        compared: 0,
    };
    if system.rules.timing == Timing::Stabilising {
        return audit.compare_starts(sample);
    }
    let starts = starts(system, links, sample)?;
    let mut seen: HashSet<Rc<Between<E>>> = starts.iter().cloned().collect();
    let mut open: VecDeque<Rc<Between<E>>> = starts.iter().cloned().collect();
    while let Some(state) = open.pop_front() {
        audit.compare(&state, |next| {
            if seen.len() < sample.nearest {
                let next = Rc::new(next.clone());
                if seen.insert(next.clone()) {
                    open.push_back(next);
                }
            }
        })?;
    }
    for walk in 0..sample.walks {
        let (mut random, mut state) = (walk, starts[walk as usize % starts.len()].clone());
        for at in 0..sample.ticks {
            let mut after = Vec::new();
            match seen.insert(state.clone()) {
                true => audit.compare(&state, |next| after.push(next.clone()))?,
                false => audit.ticks(&state, |next| after.push(next.clone())).map(drop)?,
            }
            if walk % 2 == 1 {
                audit.keep_unrest(&mut after, state.left, (at, sample.ticks));
            }
            let next = after.swap_remove(drawn(&mut random, after.len()));
            state = Rc::new(next);
        }
    }
    Ok(audit.compared)
}

/// Where an audit begins: with the system; or, if these are not the system's first links, in states
/// in which they are cut, each after a walk to where somebody leads, or of so many ticks.
fn starts<E: Election>(
    system: &System<E>,
    links: &Topology,
    sample: Sample,
) -> Result<Vec<Rc<Between<E>>>, String> {
    let before = &system.rules.topologies[0];
    let (walks, most) = if before == links { (1, 0) } else { (sample.walks, sample.ticks) };
    let observer = Observer::new(system, before);
    let mut ticking = Ticking::new(system, before, u64::MAX);
    let mut starts = Vec::new();
    for mut random in 0..walks {
        let mut state = Between::of(system, &system.initial());
        // What a start sends over links that are cut is lost, too.
        state.lose(system, before);
        for _ in 0..most {
            let reigns = observer.reigns(&state);
            if marks(&reigns, &reigns) & LED != 0 {
                break;
            }
            let ticks = ticking.ticks(&state);
            let mut ticks = ticks.map_err(|_| format!("time stops in\n{}", shown(&state)))?;
            state = ticks.swap_remove(drawn(&mut random, ticks.len())).after;
        }
        state.lose(system, links);
        starts.push(Rc::new(state));
    }
    Ok(starts)
}

/// Keeps those of which it is true, if there are any.
fn keep_some<T>(all: &mut Vec<T>, mut is_so: impl FnMut(&T) -> bool) {
    if all.iter().any(&mut is_so) {
        all.retain(is_so);
    }
}

/// The next of a sequence of random numbers (splitmix64), below `most`.
fn drawn(random: &mut u64, most: usize) -> usize {
    *random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *random;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) % most as u64) as usize
}

/// Holds ticks of the whole system, in which nodes take their turns one after the other, against
/// the reference semantics, in which their steps come in any order. In the states nearest to the
/// start, so many of them: both must lead to the same states at the next tick. Returns how many
/// states, of the reference semantics, were seen on the way.
///
/// # Errors
/// The system is not one that can be decided; or the first state from which they lead to different
/// ones.
pub fn audit_ticks<E: Election>(
    system: &System<E>,
    links: &Topology,
    most: usize,
) -> Result<u64, String> {
    expect_decidable(system)?;
    let mut ticking = Ticking::new(system, links, u64::MAX);
    let mut start = Between::of(system, &system.initial());
    start.lose(system, links);
    let start = Rc::new(start);
    let mut seen = HashSet::from([start.clone()]);
    let mut open = VecDeque::from([start]);
    let mut between = 0;
    while let Some(state) = open.pop_front() {
        let ticks = ticking.ticks(&state);
        let ticks = ticks.map_err(|_| format!("time stops in\n{}", shown(&state)))?;
        // In the order of the ticks, so that it is always the same states that are looked at.
        let ordered: Vec<Between<E>> = ticks.into_iter().map(|tick| tick.after).collect();
        let (told, on_the_way) = interleaved(system, links, &state);
        between += on_the_way;
        let after: HashSet<Between<E>> = ordered.iter().cloned().collect();
        if told != after {
            return Err(format!(
                "the reference semantics takes another tick from\n{}",
                shown(&state)
            ));
        }
        for next in ordered {
            let next = Rc::new(next);
            if seen.len() < most && seen.insert(next.clone()) {
                open.push_back(next);
            }
        }
    }
    Ok(between)
}

/// The states at the next tick by the reference semantics, and how many states there are before
/// it.
fn interleaved<E: Election>(
    system: &System<E>,
    links: &Topology,
    state: &Between<E>,
) -> (HashSet<Between<E>>, u64) {
    let hasher = RandomState::new();
    let start = state.system_state(system);
    let mut seen = HashSet::from([hasher.hash_one(&start)]);
    let (mut open, mut after) = (vec![start], HashSet::new());
    while let Some(state) = open.pop() {
        for (step, next) in system.successors(&state) {
            if step == Step::Tick {
                let mut next = Between::of(system, &next);
                next.lose(system, links);
                after.insert(next);
            } else if seen.insert(hasher.hash_one(&next)) {
                open.push(next);
            }
        }
    }
    (after, seen.len() as u64)
}

/// Holds the graph, which is found in numbers, against ticks of the whole system on values: each of
/// its states must have the same edges. So must the graph of wide forms, which must have the same
/// forms of the first one's states, too. Returns how many edges of each were compared.
///
/// # Errors
/// The system is not one that can be decided; or the first state that has other edges.
pub fn audit_graph<E: Election>(
    system: &System<E>,
    links: &Topology,
    extent: Extent,
) -> Result<[u64; 2], String> {
    expect_decidable(system)?;
    let start = || vec![Between::of(system, &system.initial())];
    let exact = explore(system, links, start(), extent, &|_| true)?;
    let wide = explore_wide(system, links, start(), extent)?;
    let forms = Forms::new(system, links, u64::MAX);
    let numbers: HashMap<Between<E>, u32> = wide.states().zip(0..).collect();
    let number = |state| numbers.get(&forms.wide_form(state)?.0).copied();
    let seen: BTreeSet<u32> = exact.states().filter_map(number).collect();
    if wide.forms_of(&exact) != Vec::from_iter(seen) {
        return Err("other wide forms of the states of the graph than on values".to_string());
    }
    Ok([
        compare_graph(&exact, Grain::Exact, Ticking::new(system, links, extent.spread))?,
        compare_graph(&wide, Grain::Wide, Ticking::new(system, links, u64::MAX))?,
    ])
}

fn compare_graph<E: Election>(
    explored: &Explored<'_, E>,
    grain: Grain,
    mut ticking: Ticking<'_, E>,
) -> Result<u64, String> {
    let observer = Observer::new(ticking.system, ticking.forms.links);
    let numbers: HashMap<Between<E>, u32> = explored.states().zip(0..).collect();
    let mut compared = 0;
    for (form, number) in explored.states().zip(0..) {
        let known = explored.graph.out(number);
        if known.is_empty() && explored.graph.is_cut(number) {
            continue;
        }
        let mut edges = HashSet::new();
        for Instance { state, excess } in ticking.forms.stands_for(grain, &form) {
            let before = observer.reigns(&state);
            for tick in ticking.ticks(&state).unwrap_or_default() {
                let marks = marks(&before, &observer.reigns(&tick.after)) | tick.idle;
                let Some((after, left)) = ticking.forms.form(grain, tick.after) else { continue };
                let to = numbers.get(&after).copied();
                let to = to.ok_or_else(|| format!("not in the graph:\n{}", shown(&after)))?;
                let (marks, draw) = (marks | change(excess, left), tick.draw as u16);
                edges.insert(Edge { to, marks, draw, adversary: tick.has_fault });
            }
        }
        if edges != known.iter().copied().collect() {
            return Err(format!("other edges on values than in the graph:\n{}", shown(&form)));
        }
        compared += known.len() as u64;
    }
    Ok(compared)
}

/// Holds the states in which time may begin, after a phase without time, against the `stabilise`
/// steps of the reference semantics: both must be the same. Returns how many there are, but for
/// their terms.
///
/// # Errors
/// The system is not one that can be decided; or one of them has states that the other has not.
pub fn audit_starts<E: Election>(system: &System<E>, most: usize) -> Result<u64, String> {
    expect_decidable(system)?;
    let forms = Forms::new(system, &system.rules.topologies[0], u64::MAX);
    let mut timeless = Timeless::explore(system, most);
    if timeless.is_full {
        return Err(format!("without time there are more than {most} states"));
    }
    let form = |state: Between<E>| forms.canonical(state).ok_or("a bound is in the way");
    let starts = timeless.starts(system, &forms).into_iter().map(|(_, start)| form(start));
    let ours: HashSet<Between<E>> = starts.collect::<Result<_, _>>()?;
    let (hasher, mut theirs) = (RandomState::new(), HashSet::new());
    let mut open = vec![system.initial()];
    let mut seen = HashSet::from([hasher.hash_one(&open[0])]);
    while let Some(state) = open.pop() {
        for (step, next) in system.successors(&state) {
            if let Step::Stabilise { .. } = step {
                theirs.insert(form(Between::of(system, &next))?);
            } else if system.beyond(&next).is_none() && seen.insert(hasher.hash_one(&next)) {
                open.push(next);
            }
        }
    }
    if ours != theirs {
        let (ours, theirs) = (ours.len(), theirs.len());
        return Err(format!("{ours} starts, and {theirs} by the reference semantics, or others"));
    }
    Ok(ours.len() as u64)
}

pub(super) struct Audit<'a, E: Election> {
    pub(super) ticking: Ticking<'a, E>,
    pub(super) observer: Observer<'a, E>,
    pub(super) hasher: RandomState,
    pub(super) compared: u64,
}

/// For each draw the ticks: what is true of it, whether there was a fault, where it leads.
type Ticks = Vec<Vec<(u32, bool, u64)>>;

impl<E: Election> Audit<'_, E> {
    /// Of what a tick can lead to, keeps what makes numbers grow: where there are such, states in
    /// which nobody leads or has learned. A crash comes as soon as it can, the next ones a quarter
    /// of a walk after each other, and restarts in its second half only.
    fn keep_unrest(&self, after: &mut Vec<Between<E>>, left: Few, (at, of): (usize, usize)) {
        let past = self.ticking.system.rules.faults.crashes - left.crashes;
        let wanted = if left.crashes > 0 && 4 * at >= past as usize * of {
            (left.crashes - 1, left.restarts)
        } else if 2 * at > of {
            (left.crashes, left.restarts.saturating_sub(1))
        } else {
            (left.crashes, left.restarts)
        };
        keep_some(after, |state| (state.left.crashes, state.left.restarts) == wanted);
        keep_some(after, |state| {
            let reigns = self.observer.reigns(state);
            marks(&reigns, &reigns) & (LED | ALL) == 0
        });
    }

    /// Compares a state with its form.
    fn compare(&mut self, state: &Between<E>, tell: impl FnMut(&Between<E>)) -> Result<(), String> {
        let form = self.form(state)?;
        let real = self.ticks(state, tell)?;
        if self.ticks(&form, |_| ())? != real {
            return Err(format!(
                "{}\ngoes on in another way than its canonical form\n{}",
                shown(state),
                shown(&form)
            ));
        }
        self.compare_wide(state)
    }

    /// Compares some of the states in which time may begin, drawn at random.
    fn compare_starts(&mut self, sample: Sample) -> Result<u64, String> {
        let (forms, mut random) = (&self.ticking.forms, 0);
        let (system, links) = (forms.system, forms.links);
        for steps in 0..sample.nearest {
            let steps = steps % sample.ticks;
            let start = any_start(system, steps, |most| drawn(&mut random, most));
            if let Some(mut start) = start {
                start.lose(system, links);
                self.compare(&start, |_| ())?;
            }
        }
        Ok(self.compared)
    }

    fn form(&self, state: &Between<E>) -> Result<Between<E>, String> {
        let form = self.ticking.forms.canonical(state.clone()).ok_or("a bound is in the way")?;
        match self.ticking.forms.canonical(form.clone()) {
            Some(again) if again == form => Ok(form),
            _ => Err(format!("not a canonical form, since it has another one:\n{}", shown(&form))),
        }
    }

    /// Every tick from a state, each with its marks.
    pub(super) fn marked(&mut self, state: &Between<E>) -> Result<Vec<(u32, Tick<E>)>, String> {
        let before = self.observer.reigns(state);
        let all = self.ticking.ticks(state);
        let all = all.map_err(|_| format!("time stops in\n{}", shown(state)))?;
        self.compared += all.len() as u64;
        let marked = |tick: Tick<E>| (marks(&before, &self.observer.reigns(&tick.after)), tick);
        Ok(all.into_iter().map(marked).collect())
    }

    fn ticks(
        &mut self,
        state: &Between<E>,
        mut tell: impl FnMut(&Between<E>),
    ) -> Result<Ticks, String> {
        let mut ticks = Ticks::new();
        for (marks, tick) in self.marked(state)? {
            tell(&tick.after);
            let form = self.ticking.forms.canonical(tick.after).ok_or("a bound is in the way")?;
            if ticks.len() <= tick.draw {
                ticks.resize(tick.draw + 1, Vec::new());
            }
            ticks[tick.draw].push((marks, tick.has_fault, self.hasher.hash_one(&form)));
        }
        // The order of a node's timers may change with the numbers in them.
        for draw in &mut ticks {
            draw.sort_unstable();
            draw.dedup();
        }
        ticks.sort_unstable();
        // Two draws that can lead to just the same are one: a timer that makes no difference.
        ticks.dedup();
        Ok(ticks)
    }
}

pub(super) fn shown<E: Election>(state: &Between<E>) -> String {
    let nodes = state.nodes.iter().zip(&state.due).enumerate();
    let shown = nodes.map(|(i, (node, due))| {
        let due: Vec<_> = due.iter().collect();
        format!("{}: {node:?}, due {due:?}", node_name(i.into()))
    });
    shown.collect::<Vec<_>>().join("\n")
}
