//! What is asked of a protocol, and the report of the answers.

use stateright::actor::Id;

use super::answer::{Decision, Question};
use super::between::Between;
use super::decide::decide;
use super::explore::{Explored, Extent, explore};
use super::marks::{ALL, KEPT, LED, leads_on};
use crate::election::Election;
use crate::semantics::topology::Topology;
use crate::semantics::{Latency, System, SystemState, Timing};

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

    /// What is asked of a system.
    pub fn of<E: Election>(system: &System<E>) -> Vec<Asked> {
        let mut states = system.initial();
        let learns = states.nodes.iter_mut().zip(&system.actors).any(|(node, actor)| {
            node.state.as_deref().is_some_and(|state| actor.has_learned(state).is_some())
        });
        if learns {
            return vec![Asked::EverybodyLearns];
        }
        vec![
            Asked::StableLeader,
            Asked::LeaderAgainAndAgain,
            Asked::EverybodyFollows,
            Asked::NoNeedlessChange,
        ]
    }

    /// As a question about the marks of a graph.
    fn question(self, nodes: usize) -> Question {
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

/// The answers to all questions about a system.
pub struct Report {
    /// By question.
    pub replies: Vec<Reply>,
    /// How many states, each between two ticks, there are.
    pub states: u32,
    /// How many ticks lead from one to another.
    pub ticks: u32,
    /// What was not followed, if anything: `states`, or `spread`.
    pub cut: Option<&'static str>,
}

/// Decides liveness of a timed system from its start on. With a `cut`, the links become these in
/// any state between two ticks that `when` is true of; and only what happens after that counts.
///
/// # Errors
/// The system is not one that can be decided, or there is no such state.
pub fn ask<E: Election>(
    system: &System<E>,
    cut: Option<(&Topology, &dyn Fn(&SystemState<E>) -> bool)>,
    extent: Extent,
) -> Result<Report, String> {
    let rules = &system.rules;
    if rules.timing != Timing::Timed || rules.latency != Latency::OneTick {
        return Err("liveness is decided where time is kept and a message takes a tick: expected \
                    timing = \"timed\" and latency = 1"
            .to_string());
    }
    let links = &rules.topologies[0];
    let mut explored = explore(system, links, vec![Between::of(&system.initial())], extent)?;
    if let Some((cut, when)) = cut {
        let starts: Vec<Between<E>> =
            explored.states.into_iter().filter(|state| when(&state.system_state(system))).collect();
        if starts.is_empty() {
            return Err("no state is reached in which the links may change".to_string());
        }
        if let Some(bound) = explored.cut {
            return Err(format!("not all states were seen in which the links may change: {bound}"));
        }
        explored = explore(system, cut, starts, extent)?;
    }
    let Explored { graph, cut, .. } = explored;
    let reply = |asked: Asked| {
        let question = asked.question(system.actors.len());
        let decision = decide(&graph, &question).map_err(|defect| defect.to_string())?;
        Ok(Reply { asked, decision })
    };
    let replies: Result<Vec<Reply>, String> = Asked::of(system).into_iter().map(reply).collect();
    Ok(Report { replies: replies?, states: graph.states(), ticks: graph.edges(), cut })
}
