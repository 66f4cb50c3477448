//! What is true of a tick, as marks on the edges of the graph.

use std::collections::HashMap;

use stateright::actor::Id;

use super::between::Between;
use crate::election::{Election, NodeSet, Term};
use crate::semantics::System;
use crate::semantics::topology::Topology;

/// After the tick there is a leader that a quorum follows.
pub(super) const LED: u32 = 1 << 16;
/// After the tick everybody follows such a leader who is linked with it; or, where something is to
/// be learned, has learned it who is linked with a quorum.
pub(super) const ALL: u32 = 1 << 17;
/// No leader that a quorum follows has lost it in the tick, or led another term, though it is up.
pub(super) const KEPT: u32 = 1 << 18;

/// That a timer of this node ran when the round began, and neither fired in it nor ended. Only
/// where no time is kept.
pub(super) fn idle(id: Id) -> u32 {
    1 << (19 + usize::from(id))
}

/// So many nodes have a mark of their own for that.
pub(super) const MOST_IDLE: usize = 13;

/// That this node leads, and that a quorum follows, in the same term before and after the tick.
pub(super) fn leads_on(id: Id) -> u32 {
    1 << usize::from(id)
}

/// Who leads before or after a tick.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Reigns {
    /// Each leader that a quorum follows, with its term.
    followed: Vec<(Id, Term)>,
    live: NodeSet,
    all: bool,
}

/// Whether it is asked of a system who has learned something, and not who leads.
pub(super) fn learns<E: Election>(system: &System<E>) -> bool {
    let state = system.initial();
    let mut nodes = state.nodes.iter().zip(&system.actors);
    nodes.any(|(node, actor)| {
        node.state.as_deref().is_some_and(|state| actor.has_learned(state).is_some())
    })
}

/// Sees who leads.
pub(super) struct Observer<'a, E: Election> {
    pub(super) system: &'a System<E>,
    pub(super) links: &'a Topology,
    /// Whether it is asked who has learned something.
    pub(super) learns: bool,
}

impl<'a, E: Election> Observer<'a, E> {
    pub(super) fn new(system: &'a System<E>, links: &'a Topology) -> Self {
        Observer { system, links, learns: learns(system) }
    }

    /// Who leads in a state.
    pub(super) fn reigns(&self, state: &Between<E>) -> Reigns {
        let live = state.live();
        if self.learns {
            // Nobody asks who leads, so forms of states need not tell.
            return Reigns { followed: Vec::new(), live, all: self.all_have_learned(state, live) };
        }
        let nodes = live.iter().map(|id| (id, &self.system.actors[usize::from(id)]));
        let leaders: Vec<(Id, Term)> = nodes
            .filter_map(|(id, actor)| Some((id, actor.leads(id, memory(state, id)?)?)))
            .collect();
        let follows: HashMap<Id, Option<(Term, Id)>> = live
            .iter()
            .map(|id| {
                let actor = &self.system.actors[usize::from(id)];
                (id, memory(state, id).and_then(|memory| actor.follows(id, memory)))
            })
            .collect();
        let is_followed = |&(leader, term): &(Id, Term)| {
            let near = self.links.neighbours(leader, live);
            let follows = |id: &Id| *id == leader || follows[id] == Some((term, leader));
            self.is_quorum(state, leader, near, near.iter().filter(follows).collect())
        };
        let followed: Vec<(Id, Term)> = leaders.iter().copied().filter(is_followed).collect();
        let all_follow = |&(leader, term): &(Id, Term)| {
            let mut near = self.links.neighbours(leader, live).iter();
            near.all(|id| id == leader || follows[&id] == Some((term, leader)))
        };
        let all = followed.iter().any(all_follow);
        Reigns { followed, live, all }
    }

    /// Whether all have learned, or, where it is asked who leads, somebody leads that a quorum
    /// follows.
    pub(super) fn is_good(&self, state: &Between<E>) -> bool {
        let Reigns { followed, all, .. } = self.reigns(state);
        if self.learns { all } else { !followed.is_empty() }
    }

    fn is_quorum(&self, state: &Between<E>, id: Id, near: NodeSet, members: NodeSet) -> bool {
        let actor = &self.system.actors[usize::from(id)];
        let n = self.system.actors.len();
        memory(state, id).is_some_and(|memory| actor.is_quorum(memory, n, near, members))
    }

    fn has_learned(&self, state: &Between<E>, id: Id) -> Option<bool> {
        self.system.actors[usize::from(id)].has_learned(memory(state, id)?)
    }

    /// Whether all have learned that are linked in both directions, directly or through others,
    /// with enough nodes to make a quorum.
    fn all_have_learned(&self, state: &Between<E>, live: NodeSet) -> bool {
        live.iter().all(|id| {
            let mut reached = self.links.neighbours(id, live);
            loop {
                let near = |id| self.links.neighbours(id, live).iter();
                let more: NodeSet = reached.iter().flat_map(near).collect();
                if more == reached {
                    break;
                }
                reached = more;
            }
            !self.is_quorum(state, id, reached, reached)
                || self.has_learned(state, id) != Some(false)
        })
    }
}

fn memory<E: Election>(state: &Between<E>, id: Id) -> Option<&E::State> {
    state.nodes[usize::from(id)].state.as_deref()
}

/// What is true of a tick, given who leads before and after it.
pub(super) fn marks(before: &Reigns, after: &Reigns) -> u32 {
    let mut marks = 0;
    for led in after.followed.iter().filter(|led| before.followed.contains(led)) {
        marks |= leads_on(led.0);
    }
    if !after.followed.is_empty() {
        marks |= LED;
    }
    if after.all {
        marks |= ALL;
    }
    let leads_on = |led: &(Id, Term)| !after.live.contains(led.0) || after.followed.contains(led);
    if before.followed.iter().all(leads_on) {
        marks |= KEPT;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reigns(followed: &[(usize, u64)], live: usize) -> Reigns {
        let followed = followed.iter().map(|&(id, term)| (Id::from(id), Term(term))).collect();
        Reigns { followed, live: NodeSet::first(live), all: false }
    }

    #[test]
    fn who_leads_a_later_term_does_not_lead_on() {
        let (before, after) = (reigns(&[(1, 4)], 3), reigns(&[(1, 5)], 3));
        assert_eq!(marks(&before, &after), LED);
        assert_eq!(marks(&before, &before), LED | KEPT | leads_on(Id::from(1)));
    }

    #[test]
    fn a_leader_that_has_crashed_was_not_replaced_needlessly() {
        assert_eq!(marks(&reigns(&[(2, 4)], 3), &reigns(&[], 2)), KEPT);
        assert_eq!(marks(&reigns(&[(2, 4)], 3), &reigns(&[], 3)), 0);
    }
}
