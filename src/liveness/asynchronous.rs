//! Fair runs without a leader, where no time is kept.
//!
//! Fischer, Lynch and Paterson (1985) showed that such runs exist for every protocol that survives
//! a crash. Runs are looked for that go round by round: in a round each message is delivered that
//! was in flight when it began, and at each node either all timers fire that ran then, or none.
//! If on a cycle each node has a round in which all of its timers fire or end, then
//! every message is delivered and every timer fires again and again: the run is fair. Nothing is
//! said of runs that do not go round by round, so no answer is better than `Unknown`.

use stateright::actor::Id;

use super::answer::{Decision, Question};
use super::between::Between;
use super::confirm::confirm;
use super::decide::decide;
use super::explore::{Explored, Extent, explore};
use super::marks::{ALL, LED, MOST_IDLE, idle, leads_on, learns};
use super::report::{Asked, Reply, Report, Spent};
use super::retell::Phase;
use super::ticks::Orders;
use crate::election::Election;
use crate::semantics::System;

/// So many states are looked at for a short run.
const FEW_STATES: usize = 1_000;

/// So many states are looked at in one go.
const MOST_STATES: usize = 20_000;

/// Looks for a fair run on which nobody ever leads, or learns; if there is none, for one on which
/// no leader stays.
pub(super) fn find_fair<E: Election>(
    system: &System<E>,
    extent: Extent,
) -> Result<Report<'_, E>, String> {
    let n = system.actors.len();
    if n > MOST_IDLE {
        return Err(format!("without time, liveness is decided for at most {MOST_IDLE} nodes"));
    }
    let learns = learns(system);
    let good = if learns { ALL } else { LED };
    let asked: &[Asked] = match learns {
        true => &[Asked::EverybodyLearns],
        false => &[Asked::StableLeader, Asked::LeaderAgainAndAgain],
    };
    let nodes = || (0..n).map(Id::from);
    let unfair = Question::Persists { one_of: nodes().map(idle).collect() };
    let (explored, decision) = search(system, extent, &unfair, &|marks| marks & good == 0)?;
    let report = |explored, replies| {
        let links = system.rules.topologies[0].clone();
        let phases = vec![Phase { links, explored, before: None }];
        let spent = Spent::default();
        Report { replies, spent, system, phases, when: &|_| false, extent }
    };
    if learns || decision.evidence.lasso.is_some() {
        let reply = |asked: &Asked| Reply { asked: *asked, decision: decision.clone() };
        return Ok(report(explored, asked.iter().map(reply).collect()));
    }
    let again = Reply { asked: Asked::LeaderAgainAndAgain, decision };
    // A run is good if a leader leads on; one that is not fair does not count.
    let one_of = nodes().map(leads_on).chain(nodes().map(idle)).collect();
    let stable = Question::Persists { one_of };
    let (explored, decision) = search(system, extent, &stable, &|_| true)?;
    Ok(report(explored, vec![Reply { asked: Asked::StableLeader, decision }, again]))
}

/// Looks for a bad run by rounds whose marks are followed: first a short one; then a longer one
/// among those with one order within a round and few messages in flight, of which there are fewer;
/// then among all that are near.
fn search<'a, E: Election>(
    system: &'a System<E>,
    extent: Extent,
    question: &Question,
    is_followed: &(dyn Fn(u32) -> bool + Sync),
) -> Result<(Explored<'a, E>, Decision), String> {
    let among = |orders: Orders, in_flight: usize, most: usize| {
        let links = &system.rules.topologies[0];
        let start = vec![Between::of(system, &system.initial())];
        let states = extent.states.min(most);
        let extent = Extent { states, orders, in_flight, ..extent };
        let explored = explore(system, links, start, extent, is_followed)?;
        let graph = &explored.graph;
        let decision = decide(graph, question).map_err(|defect| defect.to_string())?;
        confirm(graph, question, &decision)
            .map_err(|why| format!("the answer is not confirmed: {why}"))?;
        Ok((explored, decision))
    };
    let n = system.actors.len();
    let short = [(Orders::All, n * (n - 1), FEW_STATES)].into_iter();
    let long = (1..=3 * n).map(|in_flight| (Orders::One, in_flight, MOST_STATES));
    for (orders, in_flight, most) in short.chain(long) {
        let found = among(orders, in_flight, most)?;
        if found.1.evidence.lasso.is_some() {
            return Ok(found);
        }
    }
    among(Orders::All, usize::MAX, MOST_STATES)
}
