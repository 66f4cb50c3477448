//! What is asked of a protocol, and the report of the answers.

use std::time::{Duration, Instant};

use stateright::actor::Id;

use super::answer::{Decision, Lasso, Path, Question};
use super::between::Between;
use super::confirm::confirm;
use super::decide::decide;
use super::explore::{Explored, Extent, explore, explore_wide};
use super::few::Inputs;
use super::graph::Graph;
use super::marks::{ALL, KEPT, LED, leads_on, learns};
use super::retell::{Phase, Told, tell, tell_path};
use super::stabilising::Timeless;
use super::ticking::Forms;
use super::wide::decide_wide;
use crate::election::{Election, node_name};
use crate::semantics::network::NetworkKind;
use crate::semantics::world::Faults;
use crate::semantics::{Bounds, Latency, StepOf, System, SystemState, Timing};
use crate::support::parallel;

/// What is asked of every run in which infinitely much time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// From some moment on one live node leads one term, and a quorum, linked with it in both
    /// directions, follows it. It is never replaced, not even by itself in a later term.
    StableLeader,
    /// Infinitely often there is a leader that a quorum follows so.
    LeaderAgainAndAgain,
    /// From some moment on there is such a leader, and every live node that is linked with it in
    /// both directions follows it.
    EverybodyFollows,
    /// From some moment on no leader that a quorum follows so loses it while it is up.
    NoNeedlessChange,
    /// From some moment on every live node has learned the value that is linked in both
    /// directions, directly or through others, with a quorum.
    EverybodyLearns,
}

impl Asked {
    /// As a key of a scenario.
    pub fn name(self) -> &'static str {
        match self {
            Asked::StableLeader => "stable-leader",
            Asked::LeaderAgainAndAgain => "leader-again-and-again",
            Asked::EverybodyFollows => "everybody-follows",
            Asked::NoNeedlessChange => "no-needless-change",
            Asked::EverybodyLearns => "everybody-learns",
        }
    }

    /// All that is asked of some system.
    pub const ALL: [Asked; 5] = [
        Asked::StableLeader,
        Asked::LeaderAgainAndAgain,
        Asked::EverybodyFollows,
        Asked::NoNeedlessChange,
        Asked::EverybodyLearns,
    ];

    /// The question of that name.
    pub fn named(name: &str) -> Option<Asked> {
        Asked::ALL.into_iter().find(|asked| asked.name() == name)
    }

    /// In a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Asked::StableLeader => {
                "from some moment on one node leads one term for ever, and a quorum that is linked \
                 with it follows it"
            }
            Asked::LeaderAgainAndAgain => {
                "infinitely often a node leads that a quorum follows which is linked with it"
            }
            Asked::EverybodyFollows => {
                "from some moment on all that are up and linked with such a leader follow it"
            }
            Asked::NoNeedlessChange => {
                "from some moment on no leader that is up loses the quorum that follows it"
            }
            Asked::EverybodyLearns => {
                "from some moment on all have learned the value that are up and linked with a quorum"
            }
        }
    }

    /// What is asked of a system.
    pub fn of<E: Election>(system: &System<E>) -> Vec<Asked> {
        if learns(system) {
            return vec![Asked::EverybodyLearns];
        }
        vec![
            Asked::StableLeader,
            Asked::LeaderAgainAndAgain,
            Asked::EverybodyFollows,
            Asked::NoNeedlessChange,
        ]
    }

    /// The marks of which one must stay for ever; none if it is not such a question.
    pub(super) fn masks(self, nodes: usize) -> Vec<u32> {
        match self.question(nodes) {
            Question::Persists { one_of } => one_of,
            Question::Recurs { .. } => Vec::new(),
        }
    }

    /// As a question about the marks of a graph of ticks, for a system of so many nodes.
    pub fn question(self, nodes: usize) -> Question {
        match self {
            Asked::StableLeader => {
                Question::Persists { one_of: (0..nodes).map(|i| leads_on(Id::from(i))).collect() }
            }
            Asked::LeaderAgainAndAgain => Question::Recurs { any: LED },
            Asked::EverybodyFollows | Asked::EverybodyLearns => {
                Question::Persists { one_of: vec![ALL] }
            }
            Asked::NoNeedlessChange => Question::Persists { one_of: vec![KEPT] },
        }
    }
}

/// The answer to one of the questions.
pub struct Reply {
    /// What was asked.
    pub asked: Asked,
    /// The answer, and what shows it.
    pub decision: Decision,
}

/// Where what counts begins: in any state between two ticks that `when` is true of.
pub struct Cut<'a, E: Election> {
    /// The position of the links from then on among the system's topologies, if links change.
    pub to: Option<usize>,
    /// When it may begin. It is asked of canonical forms, so it must not depend on terms.
    pub when: &'a (dyn Fn(&SystemState<E>) -> bool + Sync),
}

/// How long it took to answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Until the graphs were there.
    pub building: Duration,
    /// From then on: until all answers were found and confirmed.
    pub deciding: Duration,
}

/// The answers to all questions about a system.
pub struct Report<'a, E: Election> {
    /// By question.
    pub replies: Vec<Reply>,
    /// How long it took, where time is kept.
    pub spent: Spent,
    pub(super) system: &'a System<E>,
    pub(super) phases: Vec<Phase<'a, E>>,
    pub(super) when: &'a (dyn Fn(&SystemState<E>) -> bool + Sync),
    pub(super) extent: Extent,
}

/// Decides liveness of a timed system from its start on. With a `cut`, only what happens after that
/// counts.
pub(super) fn decide_timed<'a, E: Election>(
    system: &'a System<E>,
    cut: Option<Cut<'a, E>>,
    extent: Extent,
) -> Result<Report<'a, E>, String> {
    let clock = Instant::now();
    let links = |position: usize| &system.rules.topologies[position];
    expect_links(system, cut.as_ref().and_then(|cut| cut.to))?;
    let (before, start) = match system.rules.timing {
        Timing::Stabilising => {
            let mut timeless = Timeless::explore(system, extent.states);
            if timeless.is_full {
                let most = extent.states;
                return Err(format!("without time there are more than {most} states"));
            }
            let forms = Forms::new(system, links(0), extent.spread);
            let (moments, starts) = timeless.starts(system, &forms).into_iter().unzip();
            (Some((timeless, moments)), starts)
        }
        _ => (None, vec![Between::of(system, &system.initial())]),
    };
    let explored = explore(system, links(0), start, extent, &|_| true)?;
    let mut phases = vec![Phase { links: links(0).clone(), explored, before }];
    let mut when: &(dyn Fn(&SystemState<E>) -> bool + Sync) = &|_| false;
    if let Some(cut) = cut {
        when = cut.when;
        let after = begin(system, &phases[0].explored, &cut, extent)?;
        phases.push(after);
    }
    let last = &phases[phases.len() - 1];
    let graph = &last.explored.graph;
    let wide = wide_graph(system, last, extent)?;
    let building = clock.elapsed();
    let reply = |asked: Asked| {
        let question = asked.question(system.actors.len());
        let decision = decide(graph, &question).map_err(|defect| defect.to_string())?;
        let unconfirmed = |why| format!("the answer on {} is not confirmed: {why}", asked.name());
        confirm(graph, &question, &decision).map_err(unconfirmed)?;
        let decision = match &wide {
            Some((real, wide)) => {
                decide_wide(wide, real, &question, decision).map_err(unconfirmed)?
            }
            None => decision,
        };
        Ok(Reply { asked, decision })
    };
    let asked = Asked::of(system);
    let replies = parallel::map(asked.len(), |at| reply(asked[at])).into_iter();
    let replies: Vec<Reply> = replies.collect::<Result<_, String>>()?;
    let spent = Spent { building, deciding: clock.elapsed() - building };
    Ok(Report { replies, spent, system, phases, when, extent })
}

/// The phase that counts: it begins in each of the states before it in which it may.
fn begin<'a, E: Election>(
    system: &'a System<E>,
    before: &Explored<'a, E>,
    cut: &Cut<'a, E>,
    extent: Extent,
) -> Result<Phase<'a, E>, String> {
    if learns(system) {
        return Err("where a value is to be learned, what counts begins with the start: expected \
                    neither `cut` nor `start_when`"
            .to_string());
    }
    if let Some(bound) = before.cut {
        return Err(format!("not all states were seen in which it may begin: {bound}"));
    }
    if (0..before.graph.states()).any(|state| before.graph.is_stop(state)) {
        return Err("time can stop before it begins".to_string());
    }
    let may_begin = |state: &Between<E>| (cut.when)(&state.system_state(system));
    let starts: Vec<Between<E>> = before.states().filter(may_begin).collect();
    if starts.is_empty() {
        return Err("no state is reached in which it may begin".to_string());
    }
    let links = &system.rules.topologies[cut.to.unwrap_or(0)];
    let explored = explore(system, links, starts, extent, &|_| true)?;
    Ok(Phase { links: links.clone(), explored, before: None })
}

/// Where numbers come apart, and not all states could be followed: the graph of wide forms, if that
/// is whole; and those of its states that are forms of the states that were seen.
fn wide_graph<E: Election>(
    system: &System<E>,
    last: &Phase<'_, E>,
    extent: Extent,
) -> Result<Option<(Vec<u32>, Graph)>, String> {
    let seen = &last.explored;
    // After a phase without time, starts may have been left out as well.
    let is_timed = system.rules.timing == Timing::Timed;
    if seen.cut.is_none() || !is_timed || E::countings(&system.actors).is_empty() {
        return Ok(None);
    }
    let starts = seen.graph.starts().iter().map(|start| seen.state(*start));
    let wide = explore_wide(system, &last.links, starts.collect(), extent)?;
    Ok(wide.cut.is_none().then(|| (wide.forms_of(seen), wide.graph)))
}

/// Links change only if that is asked about, and then some are cut and none is mended: what was
/// left out of forms before, because it could not be heard, must not be heard later.
fn expect_links<E: Election>(system: &System<E>, cut_to: Option<usize>) -> Result<(), String> {
    let (rules, nodes) = (&system.rules, || (0..system.actors.len()).map(Id::from));
    let Some(to) = cut_to else {
        let changes = rules.faults.switches > 0;
        return if changes { Err("links change, but not by a `cut`".to_string()) } else { Ok(()) };
    };
    let pairs = nodes().flat_map(|src| nodes().map(move |dst| (src, dst)));
    let (before, after) = (&rules.topologies[0], &rules.topologies[to]);
    for (src, dst) in pairs {
        if after.is_up(src, dst) && !before.is_up(src, dst) {
            let (src, dst) = (node_name(src), node_name(dst));
            return Err(format!("the cut must not mend links: {src} -> {dst} is down before it"));
        }
    }
    Ok(())
}

/// Whether all that the system may do is followed, and nothing is asked that cannot be answered.
pub(super) fn expect_decidable<E: Election>(system: &System<E>) -> Result<(), String> {
    let rules = &system.rules;
    let wrong = |what: &str| Err(format!("liveness is decided {what}"));
    let is_asynchronous = rules.timing == Timing::Asynchronous;
    let takes_a_tick = !is_asynchronous && rules.latency == Latency::OneTick;
    if !takes_a_tick && !is_asynchronous {
        return wrong(
            "where a message takes a tick, or any time: expected timing = \"timed\" or \
             \"stabilising\" with latency = 1, or timing = \"asynchronous\"",
        );
    }
    match rules.network {
        NetworkKind::Unordered | NetworkKind::Ordered => {}
        NetworkKind::Duplicating => return wrong("on a network that does not duplicate"),
    }
    if !system.prefix.is_empty() {
        return wrong("from the very first state on");
    }
    let failing = Faults { switches: 0, ..rules.faults };
    if is_asynchronous && !(failing == Faults::none() && rules.topologies[0].is_mesh()) {
        return wrong("without time only where nothing fails and all links are up");
    }
    let others = Faults { crashes: 0, restarts: 0, losses: 0, switches: 0, ..rules.faults };
    if rules.timing != Timing::Stabilising && others != Faults::none() {
        return wrong("with crashes, restarts and losses, and no other faults");
    }
    if E::inputs(&system.actors) > Inputs::MOST {
        return wrong(&format!("with at most {} client inputs", Inputs::MOST));
    }
    if rules.timing == Timing::Stabilising {
        return expect_stabilising(system);
    }
    let Bounds { max_term, max_round, max_in_flight, max_copies } = rules.bounds;
    if max_in_flight.or(max_copies).is_some() {
        return wrong("without a bound on messages, which would leave out what is lost");
    }
    if max_term.is_some() || max_round.is_some() {
        let name = E::about().name;
        if !E::countings(&system.actors).is_empty() {
            return wrong(&format!("for {name} without a bound on terms: it says how they grow"));
        }
    }
    Ok(())
}

/// Before time is kept everything may fail but links, within bounds.
fn expect_stabilising<E: Election>(system: &System<E>) -> Result<(), String> {
    let faults = &system.rules.faults;
    if faults.switches > 0 {
        return Err("links change only where time is kept from the start".to_string());
    }
    if faults.disk_losses > 0 || faults.disk_rollbacks > 0 {
        let why =
            "liveness is decided where no disk loses what was saved: canonical forms rest on it";
        return Err(why.to_string());
    }
    if system.rules.bounds == Bounds::default() {
        return Err("without time messages pile up for ever: expected `bounds`".to_string());
    }
    Ok(())
}

impl<E: Election> Report<'_, E> {
    pub(super) fn last(&self) -> &Phase<'_, E> {
        &self.phases[self.phases.len() - 1]
    }

    /// The graph of ticks, after the cut if there is one.
    pub fn graph(&self) -> &Graph {
        &self.last().explored.graph
    }

    /// How many states there are, each between two ticks, after the cut if there is one.
    pub fn states(&self) -> u32 {
        self.last().explored.graph.states()
    }

    /// How many ticks lead from one of them to another.
    pub fn ticks(&self) -> u32 {
        self.last().explored.graph.edges()
    }

    /// What was not followed, if anything: `states` or `spread`, the bounds of [`Extent`], or a
    /// bound of the scenario.
    pub fn cut(&self) -> Option<&'static str> {
        self.last().explored.cut
    }

    /// Whether bounds left out some states in which time may begin. The answers say nothing of
    /// them.
    pub fn is_within_bounds(&self) -> bool {
        self.phases[0].before.as_ref().is_some_and(|(timeless, _)| timeless.is_cut)
    }

    /// In how many states time may begin, but for their terms; or the links be cut.
    pub fn starts(&self) -> usize {
        self.last().explored.graph.starts().len()
    }

    /// A run of the system that repeats for ever, for one in the graph: every step is taken by the
    /// reference semantics, for two laps.
    ///
    /// # Errors
    /// The reference semantics does not agree: a defect.
    pub fn tell(&self, lasso: &Lasso) -> Result<Told<E>, String> {
        tell(self.system, &self.phases, self.when, lasso, self.extent.spread)
    }

    /// A run of the system, for a path through the graph.
    ///
    /// # Errors
    /// As of [`tell`](Report::tell).
    pub fn tell_path(&self, path: &Path) -> Result<Vec<StepOf<E>>, String> {
        tell_path(self.system, &self.phases, self.when, path, self.extent.spread)
    }
}
